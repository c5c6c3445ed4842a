"""The kernel's out-of-memory killer, in a memory cgroup of the test's own.

The promise is that of any kill, and that the call that killed the process is on the tape with its arguments. Needs the
right to make a memory cgroup; elsewhere the fault is skipped.
"""

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .fault import Fault
from .oracle import Allowance, Verdict
from .stage import Round, SkippedError

# Room for the interpreter, the journal, and a few seconds of growth.
LIMIT_BYTES = 96 << 20

VERSION_1 = Path("/sys/fs/cgroup/memory")
VERSION_2 = Path("/sys/fs/cgroup")


@contextmanager
def memory_cgroup(name: str, limit: int) -> Iterator[Path]:
    """A memory cgroup with a limit, of whichever version the machine has, gone afterwards."""
    one = (VERSION_1 / "memory.limit_in_bytes").exists()
    two = (VERSION_2 / "cgroup.controllers").exists() and "memory" in (VERSION_2 / "cgroup.controllers").read_text()
    if not one and not two:
        raise SkippedError("this machine has no memory cgroups")
    place = (VERSION_1 if one else VERSION_2) / f"calltape-torture-{os.getpid()}-{name}"
    try:
        place.mkdir()
        (place / ("memory.limit_in_bytes" if one else "memory.max")).write_text(str(limit))
    except OSError as error:
        raise SkippedError(f"a memory cgroup cannot be made: {error}") from None
    try:
        yield place
    finally:
        place.rmdir()


def out_of_memory(place: Round) -> Verdict:
    """A recorded function allocates until the kernel kills the process."""
    with memory_cgroup(str(place.number), LIMIT_BYTES) as cgroup:
        numbers, code = place.begin("grows", cgroup=str(cgroup)).end()
    if code != -signal.SIGKILL:
        raise RuntimeError(f"the process ended with {code} instead of being killed")
    place.next_start()
    verdict = place.judged(numbers, Allowance(in_flight=2))
    with closing(sqlite3.connect(f"{place.db.as_uri()}?mode=ro", uri=True)) as tape:
        killing = tape.execute("SELECT status, args FROM calls WHERE function LIKE '%.swallow'").fetchall()
    if [status for status, _ in killing] != ["interrupted"] or json.loads(killing[0][1])["n"] != 9_000_000_000:
        verdict.blame(f"the call that killed the process is not there: {killing}")
    return verdict


FAULTS = [Fault("out-of-memory", "the kernel's OOM killer, in a memory cgroup", out_of_memory, 20, 3)]
