"""When to sample: what recording costs a program that makes so many calls a second, with every call and with "auto".

A worker makes calls at a steady pace and reports the processor time of its whole process, the drain's thread included;
the same worker with the undecorated function is taken off. The bytes are what the tape grew by. Prints the table of
docs/performance-guide.md; it has no goals, for what is too much is the program's to say.
"""

import contextlib
import json
import sqlite3
import sys
import time
from pathlib import Path

from bench.figures import Measured
from bench.processes import Scale, answer, scratch

RATES = (10, 100, 1_000, 10_000, 100_000)

# Calls are made in bursts this far apart, as a program that waits for work makes them; slower paces one by one.
BEAT = 0.01

DAY = 86_400

# What `retention_size` keeps by default, in bytes.
KEPT = 1 << 30

# What a call of two ints takes on a tape, as the scenario `throughput` measures it.
BYTES_A_CALL = 76

SUBJECTS = ("bare", "all", "auto")


def add(a: int, b: int) -> int:
    """The function that is called."""
    return a + b


def paced(how: str, db: Path, rate: int, seconds: float) -> dict[str, float]:
    """Calls `add` at a pace; `how` is bare, all or auto. Processor seconds of the process, calls made, rows stored."""
    function = add
    if how != "bare":
        import calltape

        calltape.start(db)
        function = calltape.monitor(sample_rate=1.0 if how == "all" else "auto")(add)
        # Until the rate is known, "auto" keeps every call.
        pace(function, rate, min(seconds, 1.5))
        calltape.flush()
    before, began = rows(db), time.process_time()
    made = pace(function, rate, seconds)
    if how != "bare":
        calltape.flush()
    spent = time.process_time() - began
    return {"calls": made, "cpu": spent, "rows": rows(db) - before}


def pace(function: object, rate: int, seconds: float) -> int:
    """Makes calls at `rate` a second for so many seconds; how many."""
    assert callable(function)
    begin, made = time.perf_counter(), 0
    while (now := time.perf_counter() - begin) < seconds:
        for _ in range(int(now * rate) - made):
            function(made, 4)
            made += 1
        time.sleep(max(BEAT, 1 / rate))
    return made


def rows(db: Path) -> int:
    """Calls on the tape; read by Python's own SQLite, which only looks."""
    if not db.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)) as database:
        [[count]] = database.execute("SELECT count(*) FROM call").fetchall()
    return int(count)


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """The table, as one note."""
    seconds = 2.0 if scale.rounds < 9 else 6.0
    lines = [
        "| calls a second | all kept: of a core | tape a day | 1 GiB holds | `auto`: of a core | rows kept |",
        "|---|---|---|---|---|---|",
    ]
    for rate in RATES:
        with scratch() as directory:
            got = {how: answer("bench.call_rates", how, directory / f"{how}.db", rate, seconds) for how in SUBJECTS}
        bare = got["bare"]["cpu"] / got["bare"]["calls"]
        shares = {how: (got[how]["cpu"] / got[how]["calls"] - bare) * rate for how in ("all", "auto")}
        # The bytes of a long tape: a short one is mostly its first pages.
        daily = rate * BYTES_A_CALL * DAY
        lines.append(
            f"| {rate:,} | {max(shares['all'], 0):.2%} | {size(daily)} | {span(KEPT / daily * DAY)} |"
            f" {max(shares['auto'], 0):.2%} | {got['auto']['rows'] / got['auto']['calls']:.1%} |"
        )
    return [], ["calls of two ints, at a steady pace:\n\n" + "\n".join(lines)]


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def span(seconds: float) -> str:
    """A time as people say it."""
    for unit, length in (("d", DAY), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


if __name__ == "__main__":
    print(json.dumps(paced(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
