"""A reader in another process stays in its transaction: the WAL stops growing at 64 MiB and a batch, calls wait in the
journal, the figures say why, and when the reader ends it goes on by itself."""

from calltape_faults import PRELUDE, assert_every_call_is_accounted_for, reported
from conftest import RunProgram

PINNED = (
    PRELUDE
    + """
call(10)
assert calltape.flush(20)
reader = python('''
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN")
print(database.execute("SELECT count(*) FROM call").fetchone()[0], flush=True)
sys.stdin.readline()
database.execute("COMMIT")
''')
assert reader.stdout.readline() == "10\\n"
text = "x" * 950

def place_more(times):
    global made
    for _ in range(times):
        assert place(made, text) == made * 2
        made += 1

def is_held():
    error = calltape.stats().breaker.last_error
    return error is not None and "WAL held by a reader" in error

end = time.monotonic() + 100
while not is_held():
    assert time.monotonic() < end, calltape.stats()
    place_more(200)
    time.sleep(0.001)
held_at = os.stat(DB + "-wal").st_size
for _ in range(100):
    call(20)
    time.sleep(0.01)
assert os.stat(DB + "-wal").st_size == held_at
held = calltape.stats()
assert held.breaker.state == "closed" and held.in_flight >= 2000, held
reader.communicate("end\\n", timeout=20)
until(lambda: calltape.flush(0.5))
call(1000)
assert calltape.flush(20)
report(held_at=held_at, wal=os.stat(DB + "-wal").st_size)
"""
)


def test_the_wal_stops_at_its_limit_and_a_batch(run_program: RunProgram) -> None:
    ended = run_program(PINNED)
    figures = reported(ended)
    assert 64 << 20 <= figures["held_at"] <= (64 + 32) << 20
    assert figures["wal"] < 64 << 20
    assert_every_call_is_accounted_for(ended, figures["made"])
    incidents = [row for row in ended.tape.rows("SELECT * FROM incidents") if row["kind"] == "WAL held by a reader"]
    assert [row["times"] for row in incidents] == [1]
    assert incidents[0]["ended_ns"] - incidents[0]["began_ns"] >= 10**9
    [line] = [line for level, line in figures["lines"] if "WAL held" in line]
    assert str(ended.tape.path) in line
    assert "end that read" in line
