"""What a tape says of its functions, errors, books and runs."""

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


def test_functions_come_with_their_figures(tape: calltape.Tape) -> None:
    figures = {row.function: row for row in tape.functions(sort="name")}
    assert [*figures] == ["shop.charge", "shop.check", "shop.place"]
    charge = figures["shop.charge"]
    assert (charge.calls, charge.stored, charge.errors, charge.group) == (3, 3, 1, "billing")
    assert charge.error_rate == pytest.approx(1 / 3)
    assert charge.min_ns is not None
    assert charge.max_ns is not None
    assert charge.min_ns <= charge.max_ns <= charge.total_ns


def test_functions_are_chosen_by_a_name_a_glob_or_a_group(tape: calltape.Tape) -> None:
    assert [row.function for row in tape.functions("place")] == ["shop.place"]
    assert [row.function for row in tape.functions("shop.ch*", sort="name")] == ["shop.charge", "shop.check"]
    assert [row.function for row in tape.functions("stock")] == ["shop.check"]
    assert tape.functions("nothing") == []
    assert len(tape.functions(limit=2)) == 2


@pytest.mark.parametrize(
    "since", [timedelta(hours=1), "1h", "1h30m", datetime.now(UTC) - timedelta(hours=2), "2020-01-01", 0]
)
def test_a_time_is_written_in_many_ways(tape: calltape.Tape, since: datetime | timedelta | str | int) -> None:
    assert len(tape.functions(since=since)) == 3
    assert len(tape.errors(since=since)) == 2


def test_what_began_before_a_time_is_not_among_the_errors(tape: calltape.Tape) -> None:
    assert tape.errors(since=datetime.now(UTC) + timedelta(minutes=1)) == []
    naive = datetime.now() + timedelta(minutes=1)
    assert tape.errors(since=naive) == []


def test_errors_are_grouped_by_type_and_function(tape: calltape.Tape) -> None:
    groups = {group.function: group for group in tape.errors()}
    assert set(groups) == {"shop.charge", "shop.place"}
    group = groups["shop.charge"]
    assert group.error_type.endswith("PaymentError")
    assert (group.count, group.lost, group.place) == (1, 0, "charge")
    assert group.first_seen_at == group.last_seen_at
    assert group.last is not None
    assert [link.relation for link in group.last.chain] == [None, "cause"]
    assert "no card for order 3" in repr(group)
    detail = tape.call(group.last_call_id or 0)
    assert detail is not None
    assert detail.failure == group.last


def test_the_books_balance(tape: calltape.Tape) -> None:
    books = tape.accounting()
    assert books.is_complete
    assert (books.total.calls, books.total.stored, books.total.unknown) == (9, 9, 0)
    assert sorted((entry.function, entry.account.calls) for entry in books.functions) == [
        ("shop.charge", 3),
        ("shop.check", 3),
        ("shop.place", 3),
    ]
    assert repr(books) == "<Accounting 9 calls: 9 stored>"


def test_a_run_says_which_program_it_was_and_how_it_ended(tape: calltape.Tape) -> None:
    (run,) = tape.runs()
    assert run.program.endswith("program.py")
    assert run.ending == "exit"
    assert run.ended_at is not None
    assert run.started_at < run.ended_at
    assert tape.incidents() == []


@pytest.mark.parametrize(
    ("method", "arguments", "named"),
    [
        ("functions", {"function": 7}, "function"),
        ("functions", {"function": ""}, "function"),
        ("functions", {"sort": "speed"}, "sort"),
        ("functions", {"limit": -1}, "limit"),
        ("functions", {"since": "once"}, "since"),
        ("errors", {"since": 1.5}, "since"),
        ("errors", {"since": timedelta.max}, "since"),
        ("errors", {"limit": True}, "limit"),
        ("runs", {"limit": 1.0}, "limit"),
        ("call", {"id": "7"}, "id"),
        ("call", {"id": -1}, "id"),
        ("tree", {"id": 1, "most": 0}, "most"),
    ],
)
def test_a_wrong_argument_is_named(tape: calltape.Tape, method: str, arguments: dict[str, object], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{method}: {named} must"):
        getattr(tape, method)(**arguments)
