"""How long calls took: the slowest, those that run, histograms and minutes."""

import pytest
from conftest import RunProgram

import calltape
from calltape.testing import RecordedTape, record

# Milliseconds that the calls of `nap` take: durations far enough apart to be told on a busy machine.
NAPS = (0, 0, 0, 40, 120)

PROGRAM = f"""
import time, calltape
@calltape.monitor(name="nap", group="sleepers")
def nap(ms): time.sleep(ms / 1000)
@calltape.monitor(name="nap.other")
def other(): pass
for ms in {NAPS}: nap(ms)
other()
"""


@pytest.fixture
def tape(run_program: RunProgram) -> calltape.Tape:
    return calltape.open(run_program(PROGRAM).tape.path)


def test_the_slowest_calls_come_slowest_first(tape: calltape.Tape) -> None:
    slowest = tape.slowest(2)
    assert [call.args["ms"] for call in slowest] == [120, 40]
    assert [call.function for call in tape.slowest(3, "other")] == ["nap.other"]
    assert [call.args["ms"] for call in tape.slowest(9, where="args.ms < 100", slower_than="40ms")] == [40]
    lines = repr(slowest).splitlines()
    assert lines[0].split() == ["call", "function", "status", "duration", "arguments"]
    assert '{"ms":120}' in lines[1]


def test_a_histogram_counts_every_call_once(tape: calltape.Tape) -> None:
    times = tape.latency(group="sleepers")
    assert times.from_rollup
    assert times.count == sum(bucket.count for bucket in times.buckets) == len(NAPS)
    assert times.p99_ns is not None
    assert times.p99_ns >= 118_000_000
    assert all(one.upper_ns < two.lower_ns for one, two in zip(times.buckets, times.buckets[1:], strict=False))
    of_rows = tape.latency("nap", where="args.ms > 0")
    assert not of_rows.from_rollup
    assert of_rows.count == 2


@pytest.mark.parametrize("most", [1, 7, 48])
def test_a_histogram_cut_otherwise_counts_the_same(tape: calltape.Tape, most: int) -> None:
    bars = tape.latency().rebinned(most)
    assert len(bars) == most
    assert sum(bar.count for bar in bars) == len(NAPS) + 1
    assert tape.latency("none").rebinned(most) == []


def test_a_histogram_draws_itself(tape: calltape.Tape) -> None:
    drawn = repr(tape.latency("nap")).splitlines()
    assert drawn[0].startswith("<Latency of 6 calls: p50 ")
    assert len(drawn) > 2
    assert sum(int(line.rsplit(maxsplit=1)[1]) for line in drawn[1:]) == 6


def test_figures_come_by_the_minute(tape: calltape.Tape) -> None:
    minutes = tape.minutes("nap", since="1h")
    assert sum(minute.calls for minute in minutes) == len(NAPS) + 1
    (run,) = tape.runs()
    assert abs((minutes[0].began_at - run.started_at).total_seconds()) < 120
    assert tape.minutes(until="2000-01-01") == []


def test_a_functions_own_figures_are_not_those_of_what_begins_with_its_name(tape: calltape.Tape) -> None:
    functions = tape.functions(sort="name")
    assert [row.function for row in functions] == ["nap", "nap.other"]
    assert [times.count for times in functions.latencies(functions) if times is not None] == [len(NAPS), 1]
    tape.close()
    assert functions.latencies(functions) == [None, None]


def test_calls_that_run_are_found_while_they_do(run_program: RunProgram) -> None:
    run_program("""
import calltape, threading, time
@calltape.monitor(name="wait")
def wait(event): event.wait(60)
event = threading.Event()
threads = [threading.Thread(target=wait, args=(event,)) for _ in range(2)]
for thread in threads: thread.start()
with calltape.open() if calltape.flush() else None as tape:
    deadline = time.monotonic() + 60
    while len(tape.running()) < 2 and time.monotonic() < deadline: time.sleep(0.05)
    first, second = tape.running()
    assert first.id < second.id and first.status == "running" and first.duration_ns is None
    assert tape.running(1) == [first]
    assert tape.running(100, "other") == []
    tree = tape.tree(first)
    assert str(tree) == "-  wait  running  <- this call", str(tree)
    event.set()
    for thread in threads: thread.join()
    calltape.flush()
    assert tape.running() == []
""")


@pytest.mark.parametrize(
    ("method", "arguments", "named"),
    [
        ("slowest", {"limit": -1}, "limit must"),
        ("slowest", {"colour": 1}, "there is no filter 'colour'; there are function, where, "),
        ("running", {"status": "x"}, "status must"),
        ("latency", {"since": "x"}, "since must"),
        ("minutes", {"until": "x"}, "until must"),
    ],
)
def test_a_wrong_argument_is_named(method: str, arguments: dict[str, object], named: str) -> None:
    with record() as tape, pytest.raises((TypeError, ValueError), match=f"^{method}: {named}"):
        getattr(tape, method)(**arguments)


def test_nothing_called_is_shown_as_nothing() -> None:
    with record() as tape:
        assert isinstance(tape, RecordedTape)
        assert (repr(tape.slowest()), repr(tape.functions()), repr(tape.errors())) == (
            "<no call>",
            "<no function was called>",
            "<no error>",
        )
        assert repr(tape.latency()) == "<Latency of 0 calls: p50 -, p95 -, p99 ->"
