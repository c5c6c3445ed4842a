"""How many calls a second reach the database with none lost, and how many bytes each takes there.

A worker calls a recorded function at full speed with `on_full="block"`; the time runs from its first call until
`flush()` says that everything is committed. After the worker has ended, another process counts what is really in the
database. A bare loop of prepared inserts into the same table, in the same run, shows what SQLite alone can do.
"""

import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from bench.figures import Measured
from bench.processes import REPOSITORY, Scale, answer, measured, scratch

# The engine's own example: the same schema, the same statements, no journal and no Python.
DRAIN_RATE = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release" / "examples" / "drain_rate"


def record(db: Path, calls: int) -> None:
    """The worker: so many calls at full speed."""
    import calltape

    @calltape.monitor()
    def add(a: int, b: int) -> int:
        return a + b

    calltape.start(db, on_full="block", block_timeout=120)
    began = time.perf_counter()
    for number in range(calls):
        add(number, 4)
    called = time.perf_counter()
    committed = calltape.flush(timeout=240)
    flushed = time.perf_counter()
    lost = calltape.stats().dropped
    calltape.stop()
    figures = {"caller": called - began, "seconds": flushed - began, "committed": committed, "lost": lost}
    print(json.dumps(figures))


def insert_rate(directory: Path, calls: int) -> float:
    """Rows a second of the bare loop: the median of the rounds that the engine's example makes."""
    if not DRAIN_RATE.exists():
        raise FileNotFoundError(f"{DRAIN_RATE.name} is not built: make bare-insert builds it")
    done = subprocess.run(
        [DRAIN_RATE, str(calls), "1", directory],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    # A line a round: the drain's rate (by processor time), the bare loop's rate (by processor time), ratios, bytes.
    rates = re.findall(r"^ *\d+ +\( *\d+\) +(\d+) +\( *\d+\)", done.stdout, re.MULTILINE)
    if not rates:
        raise ValueError(f"{DRAIN_RATE.name} printed no rates that this benchmark can read:\n{done.stdout}")
    return statistics.median(map(float, rates))


def count(tape: Path) -> tuple[int, int]:
    """How many finished calls the tape holds, and how many it says it lost. The worker has ended."""
    with closing(sqlite3.connect(f"{tape.as_uri()}?mode=ro", uri=True)) as database:
        [stored] = database.execute("SELECT count(*) FROM calls WHERE status = 'ok'").fetchone()
        [dropped] = database.execute("SELECT sum(dropped) FROM accounting").fetchone()
    return stored, dropped


def size(tape: Path) -> int:
    """Bytes on disk, with what SQLite keeps beside the file."""
    return sum(file.stat().st_size for file in tape.parent.glob(f"{tape.name}*") if file.is_file())


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """Throughput, its ratio to the bare loop, and bytes a call."""
    rates, sizes, callers = [], [], []
    calls, bare = scale.throughput_calls, float("nan")
    for _ in range(scale.throughput_rounds):
        with scratch() as directory:
            tape = directory / "calls.db"
            got = answer("bench.throughput", tape, calls)
            stored, dropped = count(tape)
            if (stored, dropped, got["lost"], got["committed"]) != (calls, 0, 0, True):
                raise RuntimeError(f"{stored} of {calls} calls are in the database, {dropped} dropped: {got}")
            rates.append(calls / got["seconds"])
            callers.append(calls / got["caller"])
            sizes.append(size(tape) / calls)
            if len(rates) == 1 + scale.throughput_rounds // 2:
                bare = insert_rate(directory, calls)
    figures = [
        measured("calls a second", rates),
        measured("calls a second / bare insert", [rate / bare for rate in rates]),
        measured("bytes a call", sizes),
    ]
    notes = [
        f"throughput over {calls:,} calls, each of them counted in the database by another process; the caller alone"
        f" ran at {statistics.median(callers):,.0f} calls a second, waiting wherever the journal was full",
        f"bare insert loop, half-way through the rounds: {bare:,.0f} rows a second",
    ]
    return figures, notes


if __name__ == "__main__":
    record(Path(sys.argv[1]), int(sys.argv[2]))
