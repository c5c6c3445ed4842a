"""`Tape.calls`: which calls a filter finds, in which order, read as they are asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import small_shop
from conftest import RunProgram

import calltape


@pytest.fixture
def tape(run_program: RunProgram) -> Iterator[calltape.Tape]:
    with calltape.open(run_program(small_shop.PROGRAM).tape.path) as tape:
        yield tape


def found(calls: calltape.Calls) -> list[str]:
    return [f"{call.function.removeprefix('shop.')} {call.args['order']['id']}" for call in calls]


def test_all_calls_come_newest_first(tape: calltape.Tape) -> None:
    calls = tape.calls()
    assert found(calls)[:4] == ["charge 3", "check 3", "place 3", "charge 2"]
    assert [*calls] == [*calls]
    assert len([*calls]) == 9


def test_an_order_may_be_asked_for(tape: calltape.Tape) -> None:
    assert found(tape.calls(order="oldest"))[:3] == ["place 1", "check 1", "charge 1"]
    durations = [call.duration_ns or 0 for call in tape.calls(order="slowest")]
    assert durations == sorted(durations, reverse=True)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"function": "charge"}, ["charge 1", "charge 2", "charge 3"]),
        ({"function": "shop.ch*", "where": "args.order.id = 2"}, ["check 2", "charge 2"]),
        ({"group": "bill*"}, ["charge 1", "charge 2", "charge 3"]),
        ({"status": "error"}, ["place 3", "charge 3"]),
        ({"status": ["error", "running"]}, ["place 3", "charge 3"]),
        ({"status": "running,cancelled"}, []),
        ({"error_type": "PaymentError", "function": "place"}, ["place 3"]),
        ({"error_type": "Value*"}, []),
        ({"where": "result.paid >= 10"}, ["place 2", "charge 2"]),
        ({"where": 'args."(set)".customer = 7'}, ["place 1"]),
        ({"where": "not has parent", "limit": 2}, ["place 1", "place 2"]),
        ({"slower_than": "1h"}, []),
        ({"slower_than": 0.0, "faster_than": timedelta(hours=1), "limit": 1}, ["place 1"]),
        ({"thread": "Main*", "pid": 1}, []),
        ({"task": "*"}, []),
        ({"since": "1h", "until": "2000-01-01"}, []),
        ({"limit": 0}, []),
    ],
)
def test_a_filter_finds_what_meets_all_of_it(
    tape: calltape.Tape, chosen: dict[str, object], expected: list[str]
) -> None:
    assert found(tape.calls(order="oldest", **chosen)) == expected  # type: ignore[arg-type]


def test_calls_are_found_by_the_call_that_made_them_and_by_their_run(tape: calltape.Tape) -> None:
    place = tape.calls("place", order="oldest").first()
    assert place is not None
    assert found(tape.calls(parent=place, order="oldest")) == ["check 1", "charge 1"]
    assert found(tape.calls(root=place.id, order="oldest")) == ["place 1", "check 1", "charge 1"]
    (run,) = tape.runs()
    assert len([*tape.calls(run=run)]) == 9
    assert len([*tape.calls(run=f"{run.id:016x}")]) == len([*tape.calls(where=f"run = {run.id:016x}")]) == 9
    assert [*tape.calls(run=run.id + 1)] == []


def test_calls_are_found_by_when_they_began(tape: calltape.Tape) -> None:
    calls = [*tape.calls(order="oldest")]
    middle = calls[4]
    assert [*tape.calls(since=middle.started_ns, until=middle.started_ns)] == [middle]
    assert len([*tape.calls(until=middle.started_ns)]) == 5
    assert [*tape.calls(since=datetime.now(UTC) + timedelta(seconds=5))] == []


def test_the_first_of_none_is_none(tape: calltape.Tape) -> None:
    assert tape.calls("nothing").first() is None


def test_calls_are_true_where_there_is_one(tape: calltape.Tape) -> None:
    assert tape.calls("place")
    assert not tape.calls("nothing"), "`assert tape.calls(...)` must not pass by itself"


def test_calls_say_what_they_are_without_being_read(tape: calltape.Tape) -> None:
    calls = tape.calls("shop.*", status="error", slower_than="50ms", limit=1000, order="slowest")
    assert repr(calls) == (
        "<Calls function='shop.*', status=['error'], slower_than_ns=50000000 ns, slowest first, at most 1,000>"
    )


def test_a_condition_that_does_not_parse_shows_the_place(tape: calltape.Tape) -> None:
    with pytest.raises(calltape.FilterError) as caught:
        tape.calls(where="args.order.id == and")
    message = str(caught.value)
    assert "args.order.id == and" in message
    assert "^" in message
    assert "such as: " in message
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"function": 7}, "function"),
        ({"where": b"x"}, "where"),
        ({"status": "broken"}, "status"),
        ({"status": ["ok", None]}, "status"),
        ({"status": 7}, "status"),
        ({"since": "when it was"}, "since"),
        ({"until": object()}, "until"),
        ({"slower_than": "50"}, "slower_than"),
        ({"slower_than": -1}, "slower_than"),
        ({"faster_than": float("nan")}, "faster_than"),
        ({"faster_than": []}, "faster_than"),
        ({"pid": "7"}, "pid"),
        ({"run": -1}, "run"),
        ({"run": "shop.py"}, "run"),
        ({"parent": 1.5}, "parent"),
        ({"root": True}, "root"),
        ({"order": "fastest"}, "order"),
        ({"limit": -1}, "limit"),
    ],
)
def test_a_wrong_argument_is_named(tape: calltape.Tape, arguments: dict[str, object], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^calls: {named} must"):
        tape.calls(**arguments)  # type: ignore[arg-type]


def test_many_calls_are_read_a_page_at_a_time_each_once_while_others_are_stored(run_program: RunProgram) -> None:
    """No read transaction is held between two pages, so the write-ahead log is cut while a list is half read."""
    run_program("""
import calltape
@calltape.monitor(name="work")
def work(n): return n
for n in range(5_000): work(n)
assert calltape.flush()
with calltape.open() as tape:
    seen = []
    for call in tape.calls(order="oldest"):
        seen.append(call.args["n"])
        if len(seen) in (10, 2_000):
            for n in range(5_000 + len(seen), 5_005 + len(seen)): work(n)
            assert calltape.flush()
    assert seen[:5_000] == list(range(5_000)), seen[:20]
    assert len(seen) == len(set(seen)) == 5_010, len(seen)
    calls = iter(tape.calls())
    next(calls)
    # Fifty megabytes: the log is cut when it is longer than sixteen.
    for _ in range(60):
        for n in range(5_000): work("x" * 50)
        assert calltape.flush()
    wal = tape.path.with_name(tape.path.name + "-wal").stat().st_size
    assert wal < 32 << 20, wal
    assert len([*calls]) == 5_009
""")
