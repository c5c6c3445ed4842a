"""What the caller notices while the database is locked, full or gone: the 99th percentile of a call, over a healthy's.

A worker process a state, each with its tape on a small file system of its own (a tmpfs where this may mount one), so
that nothing but the state differs. A round takes the workers in turn, slice by slice: the fault is made, the drain
meets it, the worker times each of its calls, the fault is lifted and everything is stored, unmeasured. Calls come in
bursts with pauses, so that the drain works, or meets the fault, while they are timed.
"""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.figures import Measured
from bench.processes import Scale, Worker, measured, scratch

# Bytes of each file system: the journal as it begins, the tape of a few hundred thousand calls, its WAL.
DISK_BYTES = 192 << 20

# Calls of a slice, in bursts with a pause between. One call in a burst is the first after a pause, and slow for that:
# with 400 it stays out of the 99th percentile. A slice fits into the journal as it begins, so that a full disk, on
# which the journal cannot grow either, costs no call.
CALLS = 4_000
BURST = 400
PAUSE = 0.005

# Slices of a round, taken in turn by the states.
SLICES = 3

# Seconds for the drain to meet a fault.
MEET = 0.15

STATES = ("healthy", "locked", "full", "gone")


# ---------------------------------------------------------------------------------------------------------- the worker


def timed(function: Any, calls: int) -> list[int]:
    """Nanoseconds of each call, the clock's own cost included."""
    clock = time.perf_counter_ns
    took = []
    for _ in range(0, calls, BURST):
        for number in range(BURST):
            began = clock()
            function(number, 4)
            took.append(clock() - began)
        time.sleep(PAUSE)
    return took


def work(db: Path) -> None:
    """The worker: `meet` makes a few calls, `slice` times many, `settle` waits until all is stored."""
    import calltape

    @calltape.monitor()
    def add(a: int, b: int) -> int:
        return a + b

    calltape.start(db, breaker_timeout="0.5s")
    add(3, 4)
    calltape.flush(10)
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        match line.strip():
            case "meet":
                timed(add, BURST)
                time.sleep(MEET)
                print(json.dumps({"breaker": calltape.stats().breaker.state}), flush=True)
            case "slice":
                print(json.dumps({"took": timed(add, CALLS)}), flush=True)
            case "settle":
                flushed = calltape.flush(timeout=60)
                print(json.dumps({"flushed": flushed, "lost": calltape.stats().dropped}), flush=True)


# ---------------------------------------------------------------------------------------------------------- the faults


@contextmanager
def file_system(place: Path) -> Iterator[bool]:
    """A file system of its own at `place`, where this process may mount one; whether it is."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "calltape-bench", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


@contextmanager
def locked(db: Path) -> Iterator[None]:
    """Another program holds the write lock."""
    holder = sqlite3.connect(db, isolation_level=None, timeout=30)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
    finally:
        holder.close()


@contextmanager
def full(db: Path) -> Iterator[None]:
    """Another program has taken all the room."""
    filler = db.with_name("filler")
    with filler.open("wb", buffering=0) as file:
        try:
            free = os.statvfs(db.parent)
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def gone(db: Path) -> Iterator[None]:
    """The database is elsewhere, and a folder is in its place."""
    away = db.with_name("away.db")
    db.rename(away)
    db.mkdir()
    try:
        yield
    finally:
        db.rmdir()
        away.rename(db)


@contextmanager
def healthy(db: Path) -> Iterator[None]:  # noqa: ARG001
    """Nothing is wrong."""
    yield


FAULTS = {"healthy": healthy, "locked": locked, "full": full, "gone": gone}


# ---------------------------------------------------------------------------------------------------------- the driver


def p99(took: list[int]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(took, n=100)[98]


def round_of(workers: dict[str, Worker], tapes: dict[str, Path]) -> tuple[dict[str, float], int]:
    """The 99th percentile in each state, slices taken in turn; and calls that were lost so far."""
    took: dict[str, list[int]] = {state: [] for state in workers}
    lost = 0
    for _ in range(SLICES):
        for state, worker in workers.items():
            with FAULTS[state](tapes[state]):
                worker.ask("meet")
                took[state] += worker.ask("slice")["took"]
            settled = worker.ask("settle")
            if not settled["flushed"]:
                raise RuntimeError(f"a minute after it was {state} the database does not hold everything")
            lost = max(lost, settled["lost"])
    return {state: p99(values) for state, values in took.items()}, lost


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """The three ratios, and the nanoseconds behind them as a line of text."""
    rounds: list[dict[str, float]] = []
    lost = 0
    with scratch() as directory, ExitStack() as mounts:
        mounted = {state: mounts.enter_context(file_system(directory / state)) for state in STATES}
        tapes = {state: directory / state / "calls.db" for state in STATES if mounted[state] or state != "full"}
        workers = {state: Worker("bench.faults", tape) for state, tape in tapes.items()}
        try:
            for worker in workers.values():
                worker.hear()
            for turn in range(scale.process_rounds + 1):
                got, lost = round_of(workers, tapes)
                if turn > 0:  # the first round warms up
                    rounds.append(got)
        finally:
            for worker in workers.values():
                worker.end()
    figures = [
        measured(f"p99, {state}", [got[state] / got["healthy"] for got in rounds])
        for state in tapes
        if state != "healthy"
    ]
    medians = ", ".join(f"{state} {statistics.median(got[state] for got in rounds):,.0f} ns" for state in tapes)
    notes = [f"99th percentile of a call, its two clock readings included: {medians}; {lost} calls dropped"]
    if "full" not in tapes:
        notes.append("a full disk was not measured: it takes the right to mount a tmpfs")
    return figures, notes


if __name__ == "__main__":
    work(Path(sys.argv[1]))
