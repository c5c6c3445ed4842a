"""Little memory: address space that ends, and what of the recorder's own is bounded whatever the program does."""

import json
import os
from collections.abc import Callable

import pytest
from conftest import Ended

RunProgram = Callable[..., Ended]

FIFTY_MEGABYTES = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (100_000_000, resource.getrlimit(resource.RLIMIT_AS)[1]))
from calltape import monitor, stats

@monitor
def allocate(size):
    return len(bytearray(size))

@monitor
def plain(n):
    return n + 1

for n in range(50):
    assert plain(n) == n + 1
try:
    print(allocate(50_000_000))
except MemoryError as error:
    print("MemoryError", error.args)
print(stats().journal)
"""


def test_a_function_that_takes_half_of_100_mb_has_its_own_result_and_is_on_the_tape(run_program: RunProgram) -> None:
    ended = run_program(FIFTY_MEGABYTES)
    result, journal = ended.stdout.splitlines()
    assert result in ("50000000", "MemoryError ()")
    assert journal in ("file", "small", "memory")
    (call,) = ended.tape.calls("allocate")
    assert json.loads(call["args"]) == {"size": 50_000_000}
    assert (call["status"], call["error_type"]) == (("ok", None) if result[0] == "5" else ("error", "MemoryError"))
    assert len(ended.tape.calls("plain")) == 50


STEPPED = """
import resource, sys, threading
from pathlib import Path
from calltape import flush, monitor, stats
sizes = Path("/proc/self/statm").read_text().split()
here = int(sizes[0]) * resource.getpagesize()
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
resource.setrlimit(resource.RLIMIT_AS, (here + (int(sys.argv[1]) << 20), hard))

@monitor
def allocate(size):
    return bytearray(size)

@monitor
def refuse(value):
    raise LookupError(value)

results = []
kept = []
for n in range(40):
    try:
        kept.append(allocate(n << 17))
        results.append("ok")
    except MemoryError:
        results.append("MemoryError")
    try:
        refuse(results)
    except LookupError as error:
        assert error.args[0] is results
    except MemoryError:
        pass  # the interpreter's own: there was none for the exception
def others():
    for n in range(20): allocate(10)
for _ in range(4):
    try:
        thread = threading.Thread(target=others)
        thread.start()
        thread.join()
    except (RuntimeError, MemoryError):
        pass
kept.clear()
journal = stats().journal
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY if hard == resource.RLIM_INFINITY else hard, hard))
assert flush(20.0)
figures = stats()
assert figures.faults == 0
assert figures.recorded == figures.stored + figures.sampled_out + figures.dropped, figures
print(journal, figures.recorded, results.count("MemoryError"))
"""


@pytest.mark.parametrize("room", [1, 2, 4, 8, 16, 64, 256])
def test_with_so_many_mib_left_calls_are_as_they_are_and_stored_or_counted(room: int, run_program: RunProgram) -> None:
    ended = run_program(STEPPED, str(room))
    journal, recorded, _ = ended.stdout.split()
    assert journal in ("file", "small", "memory", "counting", "none")
    if journal != "none":
        assert int(recorded) >= 80
    for row in ended.tape.rows("SELECT * FROM accounting"):
        assert row["calls"] == row["stored"] + row["sampled_out"] + row["dropped"] + row["in_flight"] + row["unknown"]
    stored = ended.tape.rows("SELECT total(stored) AS stored FROM accounting")[0]["stored"]
    assert len(ended.tape.calls()) == stored


NO_THREADS = """
import sys
from calltape import flush, monitor, stats
from faults import Faults
shim = Faults()
shim.calls(0, 11, names=("thread",), forever=True)

@monitor
def work(n): return n

for n in range(500): assert work(n) == n
assert stats().stored == 0
if sys.argv[1] == "flush":
    assert flush(20.0)
    assert stats().stored == 500
work(500)
assert shim.off().failed_calls > 0
"""


@pytest.mark.parametrize("when", ["flush", "exit"])
def test_without_a_thread_of_its_own_what_was_recorded_is_stored_by_who_waits(
    when: str, run_program: RunProgram, fault_environment: dict[str, str]
) -> None:
    ended = run_program(NO_THREADS, when, env=fault_environment)
    assert ended.stderr.count("the background thread cannot be started") == 1
    assert len(ended.tape.calls("work")) == 501


RESIDENT = """
import gc, sys
from pathlib import Path

def resident():
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
"""

LARGE = (
    RESIDENT
    + """
import tracemalloc
from calltape import flush, monitor, start, stats
start()

@monitor
def take(value): return value

blob, items, table = bytes(80_000_000), [7] * 10_000_000, {n: n for n in range(1_000_000)}
take([1]); flush()
before = resident()
for _ in range(200):
    for value in (blob, items, table, "x" * 10_000_000):
        assert take(value) is value
assert flush(20.0)
print(resident() - before, stats().journal_bytes, stats().dropped)
"""
)


def test_objects_of_80_mb_and_ten_million_items_leave_next_to_nothing(run_program: RunProgram) -> None:
    ended = run_program(LARGE)
    grown_kib, journal_bytes, dropped = map(int, ended.stdout.split())
    assert grown_kib < 32 << 10  # SQLite's cache (8 MiB), a batch and touched pages of the journal
    assert journal_bytes <= 8 << 20
    assert dropped == 0
    assert ended.tape.path.stat().st_size < 8 << 20


THREADS = int(os.environ.get("CALLTAPE_THREADS", "20000"))

# Seconds for all of them, on a machine that has other work too.
PATIENCE = 240 + THREADS // 300

SHORT_LIVED = (
    RESIDENT
    + f"""
import threading
from calltape import flush, monitor, start, stats
start()

@monitor
def work(n): return n

def some(first, count):
    for n in range(first, first + count):
        thread = threading.Thread(target=work, args=(n,), name=f"short-{{n}}")
        thread.start()
        thread.join()

some(0, {THREADS} // 10)
assert flush(60.0)
before = resident()
some({THREADS} // 10, {THREADS} - {THREADS} // 10)
assert flush(60.0)
print(resident() - before, stats().journal_bytes, stats().recorded, stats().stored, stats().dropped)
"""
)


@pytest.mark.timeout(PATIENCE + 60)
def test_short_lived_threads_share_segments_and_each_has_a_row(run_program: RunProgram) -> None:
    ended = run_program(SHORT_LIVED, timeout=PATIENCE)
    grown_kib, journal_bytes, recorded, stored, dropped = map(int, ended.stdout.split())
    assert (recorded, stored, dropped) == (THREADS, THREADS, 0)
    assert journal_bytes <= 16 << 20
    # What the drain knows of each thread: its name and number, some 300 bytes.
    assert grown_kib < (16 << 10) + THREADS * 400 // 1024
    assert ended.tape.rows("SELECT count(DISTINCT thread) AS n FROM calls") == [{"n": THREADS}]


STACK = """
import re
from pathlib import Path
from calltape import flush, monitor, start
start()

@monitor
def work(n):
    if n % 3 == 0: raise ValueError({"a": [n] * 20})
    return [n] * 30

for n in range(30_000):
    try: work(n)
    except ValueError: pass
assert flush(60.0)
size = 0
for line in Path("/proc/self/smaps").read_text().splitlines():
    if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) ", line):
        size = int(found[2], 16) - int(found[1], 16) if found[3] == "rw-p" else 0
    elif line.startswith("Rss") and 512 << 10 <= size < 520 << 10:
        print(line.split()[1])
"""


def test_the_background_threads_stack_is_far_larger_than_what_it_uses(run_program: RunProgram) -> None:
    used_kib = [int(line) for line in run_program(STACK).stdout.split()]
    assert used_kib
    assert max(used_kib) < 256
