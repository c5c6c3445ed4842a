"""`calltape export --format trace` against the Trace Event Format and what ui.perfetto.dev makes of it: a checker that
draws each line as the viewers do, and refuses what they could not.
"""

import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import RunProgram, Tape

Cli = Callable[..., subprocess.CompletedProcess[str]]
Event = dict[str, Any]

RECORDED = """
import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import calltape
from calltape import monitor


@monitor()
def leaf(value):
    return value


@monitor()
def work(value):
    leaf(value)
    with calltape.span("block", value=value):
        leaf("\\ud800\\x7f")
    if value == 3:
        raise ValueError("three")


@monitor()
def numbers(upto):
    for number in range(upto):
        leaf(number)
        yield number


@monitor()
async def fetch(number):
    await asyncio.sleep(0.001)
    with calltape.span("wait"):
        await asyncio.sleep(0.001)
    return leaf(number)


@monitor()
async def handle(number):
    await fetch(number)
    await asyncio.gather(fetch(10 + number), fetch(20 + number))


@monitor()
def outer():
    one, two = numbers(3), numbers(3)
    for pair in zip(one, two):
        leaf(pair)
    threads = [threading.Thread(target=work, args=(number,), name="worker") for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(3)))


async def main():
    await asyncio.gather(*(handle(number) for number in range(5)))


outer()
asyncio.run(main())
try:
    work(3)
except ValueError:
    pass
assert calltape.flush()
"""


class Trace:
    """A trace file, its events as a viewer sorts them: by time, those of the same time as they stand in the file."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text, parse_float=Decimal)
        self.base_ns = int(document["otherData"]["base_unix_ns"])
        self.events: list[Event] = document["traceEvents"]
        self.sorted = sorted((event for event in self.events if event["ph"] != "M"), key=lambda event: event["ts"])

    def of(self, *phases: str) -> list[Event]:
        return [event for event in self.sorted if event["ph"] in phases]

    def calls(self) -> list[Event]:
        """The event of each call."""
        return [event for event in self.of("X", "B", "b") if event["cat"] == "call"]


def ns(microseconds: Decimal | int) -> int:
    """A time of the format in whole nanoseconds; it has no finer part."""
    exact = Decimal(microseconds) * 1000
    assert exact == exact.to_integral_value()
    return int(exact)


@pytest.fixture
def tape(run_program: RunProgram) -> Tape:
    """A tape with threads of one name, a pool, tasks, generators that overlap, and blocks."""
    return run_program(RECORDED).tape


@pytest.fixture
def trace(tape: Tape, calltape_cli: Cli, tmp_path: Path) -> Trace:
    """Its trace."""
    done = calltape_cli("--db", tape.path, "export", "--output", "trace.json")
    assert done.returncode == 0, done.stderr
    return Trace(tmp_path / "trace.json")


def test_each_call_is_one_event_with_its_times_to_the_nanosecond(tape: Tape, trace: Trace) -> None:
    ends = {id(event): event for event in trace.of("e")}
    assert len(ends) == len(trace.of("b"))
    rows = {row["id"]: row for row in tape.calls()}
    events = {event["args"]["id"]: event for event in trace.calls()}
    assert len(events) == len(trace.calls()) == len(rows) > 60
    cut = 0
    for call, event in events.items():
        row = rows[call]
        assert (event["name"], event["args"]["status"], event["args"]["kind"]) == (
            row["function"],
            row["status"],
            row["kind"],
        )
        assert ns(event["ts"]) + trace.base_ns == row["started_ns"]
        if event["ph"] == "X":
            cut += ns(event["dur"]) != row["duration_ns"]
    # A child whose end the clock's rounding put behind its parent's is drawn within it.
    assert cut <= len(rows) // 10


def test_each_event_has_the_members_its_kind_needs(trace: Trace) -> None:
    needed = {
        "M": {"name", "pid", "tid", "args"},
        "X": {"name", "cat", "pid", "tid", "ts", "dur"},
        "b": {"name", "cat", "pid", "ts", "id2"},
        "e": {"name", "cat", "pid", "ts", "id2"},
        "n": {"name", "cat", "pid", "ts", "id2", "bind_id", "flow_out"},
        "C": {"name", "pid", "ts", "args"},
    }
    assert {event["ph"] for event in trace.events} == set(needed)
    for event in trace.events:
        assert needed[event["ph"]] <= event.keys(), event
        assert type(event["pid"]) is int
        assert isinstance(event["name"], str)
        assert event.get("dur", 0) >= 0
        # What Perfetto's tokenizer does not take: a list as a member, and anything but objects and scalars.
        assert not any(isinstance(value, list) for value in event.values())
        json.dumps(event, default=str).encode()
        assert "\ud800" not in json.dumps(event, default=str, ensure_ascii=False)


def test_processes_and_threads_are_named_once_and_before_they_are_used(trace: Trace) -> None:
    named = Counter((event["name"], event["pid"], event["tid"]) for event in trace.events if event["ph"] == "M")
    assert set(named.values()) == {1}
    threads: dict[tuple[int, int], str] = {}
    for event in trace.events:
        if event["name"] == "thread_name":
            threads[event["pid"], event["tid"]] = event["args"]["name"]
        elif event["ph"] == "X":
            assert (event["pid"], event["tid"]) in threads
    assert {"MainThread", "worker"} <= set(threads.values())
    assert len({tid for _, tid in threads}) == len(threads)


def test_the_events_of_a_thread_nest(trace: Trace) -> None:
    lines: dict[tuple[int, int], list[tuple[int, str]]] = defaultdict(list)
    for event in trace.of("X"):
        open_until = lines[event["pid"], event["tid"]]
        start = ns(event["ts"])
        end = start + ns(event["dur"])
        while open_until and open_until[-1][0] <= start and (open_until[-1][0] < end or start < end):
            open_until.pop()
        assert not open_until or end <= open_until[-1][0], f"{event} overlaps {open_until[-1]}"
        open_until.append((end, event["name"]))


def test_async_events_end_in_the_reverse_order_of_their_beginning(trace: Trace) -> None:
    lines: dict[tuple[int, str], list[str]] = defaultdict(list)
    for event in trace.of("b", "e", "n"):
        line = lines[event["pid"], event["id2"]["local"]]
        if event["ph"] == "b":
            line.append(event["name"])
        elif event["ph"] == "e":
            assert line.pop() == event["name"]
        else:
            assert line, "a flow comes from a call"
    assert not any(lines.values())


def test_coroutines_and_generators_are_async_events_and_functions_stand_on_threads(trace: Trace) -> None:
    kinds = {(event["args"]["kind"], event["ph"]) for event in trace.calls()}
    assert kinds == {("function", "X"), ("span", "X"), ("span", "b"), ("coroutine", "b"), ("generator", "b")}


def test_a_coroutine_that_is_awaited_stands_on_the_line_of_the_one_that_awaits_it(tape: Tape, trace: Trace) -> None:
    lines = {event["args"]["id"]: event["id2"]["local"] for event in trace.of("b")}
    rows = {row["id"]: row for row in tape.calls()}
    awaited = [
        row
        for row in rows.values()
        if row["kind"] == "coroutine" and row["parent_id"] and row["task"] == rows[row["parent_id"]]["task"]
    ]
    assert len(awaited) == 5
    assert all(lines[row["id"]] == lines[row["parent_id"]] for row in awaited)


def test_a_flow_leads_from_the_caller_to_each_call_on_another_line(tape: Tape, trace: Trace) -> None:
    rows = {row["id"]: row for row in tape.calls()}
    lines = {
        event["args"]["id"]: (event["pid"], event["id2"]["local"] if event["ph"] == "b" else event["tid"])
        for event in trace.calls()
    }
    made = [(row["id"], row["parent_id"]) for row in rows.values() if row["parent_id"] is not None]
    elsewhere = {f"{call:#x}" for call, caller in made if lines[call] != lines[caller]}
    starts = {event["bind_id"]: event for event in trace.events if event.get("flow_out")}
    ends = {event["bind_id"]: event for event in trace.events if event.get("flow_in")}
    assert set(starts) == set(ends) == elsewhere
    for flow, start in starts.items():
        assert start["ts"] <= ends[flow]["ts"]
        parent = rows[ends[flow]["args"]["parent_id"]]
        assert 0 <= ns(start["ts"]) + trace.base_ns - parent["started_ns"] <= parent["duration_ns"]


def test_calls_of_two_threads_or_two_tasks_never_share_a_line(tape: Tape, trace: Trace) -> None:
    rows = {row["id"]: row for row in tape.calls()}
    tasks: dict[tuple[int, str], set[str]] = defaultdict(set)
    for event in trace.of("b"):
        row = rows[event["args"]["id"]]
        if row["parent_id"] is not None and row["kind"] == "coroutine":
            tasks[row["root_id"], event["id2"]["local"]].add(row["task"])
    assert len(tasks) > 10
    assert {len(names) for names in tasks.values()} == {1}


def test_the_counters_add_up_to_the_calls_and_their_errors(tape: Tape, trace: Trace) -> None:
    rates = [event for event in trace.of("C") if event["name"] == "a second:"]
    times = sorted({event["ts"] for event in rates})
    width = min(later - earlier for earlier, later in pairwise(times)) / Decimal(1_000_000)
    counted = [round(sum(event["args"][name] for event in rates) * width) for name in ("calls", "errors")]
    rows = tape.calls()
    assert counted == [len(rows), sum(row["status"] == "error" for row in rows)]
    in_flight = [event["args"]["calls"] for event in trace.of("C") if event["name"] == "in flight:"]
    assert max(in_flight) > 1
    assert in_flight[-1] == 0
