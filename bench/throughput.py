"""How many calls a second reach the database with none lost, and how many bytes each takes there.

A worker calls a recorded function at full speed with `on_full="block"`; the time runs from its first call until
`flush()` says that everything is committed. After the worker has ended, another process counts what is really in the
database. A bare loop of prepared inserts into the same table, in the same run, shows what SQLite alone can do.
"""

import json
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
DRAIN_RATE = REPOSITORY / "target" / "release" / "examples" / "drain_rate"

# Rows in a transaction of the stand-in, as in the drain's batches.
BATCH = 10_000


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


def insert(db: Path, tape: Path, calls: int) -> None:
    """The stand-in worker where the engine's example is not built: Python's own SQLite on the tape's own schema."""
    with closing(sqlite3.connect(tape)) as source:
        schema = [sql for (sql,) in source.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
    with closing(sqlite3.connect(db, isolation_level=None)) as database:
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *schema):
            database.execute(statement)
        columns = [row[1] for row in database.execute("PRAGMA table_info(call)")]
        filled = {
            "function_id": 1,
            "thread_id": 1,
            "status": 0,
            "started_ns": time.time_ns(),
            "duration_ns": 100,
            "result": "7",
        }
        first = time.time_ns() // 128
        rows = (
            tuple({"id": first + n, "args": f'{{"a":{n},"b":4}}'}.get(c, filled.get(c)) for c in columns)
            for n in range(calls)
        )
        prepared = list(rows)
        statement = f"INSERT INTO call VALUES ({','.join('?' * len(columns))})"
        began = time.perf_counter()
        for start in range(0, calls, BATCH):
            database.execute("BEGIN IMMEDIATE")
            database.executemany(statement, prepared[start : start + BATCH])
            database.execute("COMMIT")
        print(json.dumps({"seconds": time.perf_counter() - began}))


def insert_rate(directory: Path, tape: Path, calls: int) -> float:
    """Rows a second of the bare loop: the median of the rounds it makes."""
    if DRAIN_RATE.exists():
        done = subprocess.run(
            [DRAIN_RATE, str(calls), "1", directory],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        rates = [float(rate) for rate in re.findall(r"bare inserts\s+([\d.]+) rows/s", done.stdout)]
    else:
        place = directory / "bare.db"
        rates = []
        for _ in range(3):
            rates.append(calls / answer("bench.throughput", "insert", place, tape, calls)["seconds"])
            place.unlink()
    return statistics.median(rates)


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
            got = answer("bench.throughput", "record", tape, calls)
            stored, dropped = count(tape)
            if (stored, dropped, got["lost"], got["committed"]) != (calls, 0, 0, True):
                raise RuntimeError(f"{stored} of {calls} calls are in the database, {dropped} dropped: {got}")
            rates.append(calls / got["seconds"])
            callers.append(calls / got["caller"])
            sizes.append(size(tape) / calls)
            if len(rates) == 1 + scale.throughput_rounds // 2:
                bare = insert_rate(directory, tape, calls)
    rival = "engine example drain_rate" if DRAIN_RATE.exists() else "stand-in: Python's sqlite3, executemany"
    figures = [
        measured("calls a second", rates),
        measured("calls a second / bare insert", [rate / bare for rate in rates]),
        measured("bytes a call", sizes),
    ]
    notes = [
        f"throughput over {calls:,} calls, each of them counted in the database by another process; the caller alone"
        f" ran at {statistics.median(callers):,.0f} calls a second, waiting wherever the journal was full",
        f"bare insert loop, half-way through the rounds: {bare:,.0f} rows a second ({rival})",
    ]
    return figures, notes


if __name__ == "__main__":
    if sys.argv[1] == "record":
        record(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        insert(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
