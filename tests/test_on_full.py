"""When the journal is at its limit: what is not kept is counted, or the caller waits; the books balance either way."""

from conftest import RunProgram

PROGRAM = """
import sqlite3, sys, os, time
from calltape import monitor, flush, start, stats, stop

# The database is locked by another process, so nothing leaves the journal.
import subprocess
holder = subprocess.Popen([sys.executable, "-c", '''
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
''', os.environ["CALLTAPE_DB"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

@monitor
def work(payload):
    if payload[0] == "!": raise ValueError
    return payload
"""


def test_dropped_calls_are_counted_and_what_was_kept_arrives(run_program: RunProgram) -> None:
    program = """
from calltape import monitor, start, stop
@monitor
def first(): return 1
start(); first(); stop()
"""
    run_program(program)
    dropping = (
        PROGRAM
        + """
assert holder.stdout.readline() == "locked\\n"
start(journal_limit="4MiB")
for n in range(20_000):
    assert work("x" * 900) == "x" * 900
try: work("!" * 900)
except ValueError: pass
figures = stats()
assert figures.recorded == 20_001 and figures.sampled_out + figures.dropped > 10_000, figures
assert figures.pressure in ("sampled", "dropping") and figures.dropped_errors == 0, figures
assert figures.journal_bytes <= figures.journal_capacity == 4 << 20, figures
holder.stdin.close(); holder.wait()
assert flush(30)
figures = stats()
assert figures.stored + figures.sampled_out + figures.dropped == 20_001 and figures.in_flight == 0, figures
"""
    )
    tape = run_program(dropping).tape
    book = tape.accounting()["work"]
    assert book["stored"] + book["sampled_out"] + book["dropped"] == book["calls"] == 20_001
    assert [call["error_type"] for call in tape.calls("work") if call["status"] == "error"] == ["ValueError"]
    assert book["unknown"] == book["in_flight"] == 0
    assert len(tape.calls("work")) == book["stored"] > 1800
    dropped = tape.rows("SELECT sum(dropped) AS n FROM function_minutes WHERE function LIKE '%.work'")
    assert dropped == [{"n": book["dropped"]}]


def test_block_waits_for_room_and_loses_nothing(run_program: RunProgram) -> None:
    program = """
from calltape import monitor, start, stats
start(journal_limit="2MiB", on_full="block")
@monitor
def work(payload): return payload
for n in range(60_000): work("y" * 200)
assert stats().dropped == 0
"""
    book = run_program(program).tape.accounting()["work"]
    assert (book["calls"], book["stored"], book["dropped"]) == (60_000, 60_000, 0)


def test_block_gives_up_after_its_time_and_counts(run_program: RunProgram) -> None:
    run_program("from calltape import monitor\nmonitor(lambda: 1)()")
    blocking = (
        PROGRAM
        + """
assert holder.stdout.readline() == "locked\\n"
start(journal_limit="2MiB", on_full="block", block_timeout=0.2)
begin = time.monotonic()
made = 0
while stats().dropped < 3:
    work("z" * 900); made += 1
    assert time.monotonic() - begin < 60
holder.stdin.close(); holder.wait()
assert flush(30) and stats().stored == made - 3
"""
    )
    assert run_program(blocking).tape.accounting()["work"]["dropped"] == 3
