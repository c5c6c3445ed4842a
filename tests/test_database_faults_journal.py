"""The journal's folder is deleted under a program that records.

The failure: its calls stayed in flight for good, its functions lost their names, nobody said a word, and
`calltape recover` ended the living run as lost. Now the program says so, and stores what it records.
"""

import pytest
from calltape_faults import PRELUDE, assert_every_call_is_accounted_for, reported
from conftest import RunProgram

DELETED = (
    PRELUDE
    + """
call(1000)
assert calltape.flush(20)
other(sys.argv[1].format(DB))
call(1000)

@monitor
def late():
    return 1

assert late() == 1
said = lambda: [line for line in LINES if "was deleted or moved while it records" in line[1]]
end = time.monotonic() + 10
while not said():
    assert time.monotonic() < end, LINES
    calltape.stats()
    time.sleep(0.01)
until(lambda: calltape.flush(0.5))
recovered = other(f"{sys.executable} -m calltape recover --db {DB}; true")
call(10)
until(lambda: calltape.flush(0.5) and calltape.stats().in_flight == 0)
report(said=said(), recovered=recovered, pid=os.getpid())
"""
)


@pytest.mark.parametrize(
    ("damage", "unknown"),
    [("rm -rf '{0}.tape'", 0), ("rm -rf '{0}.tape/'*", 0), ("rm -rf \"$(dirname '{0}')\"", 1000)],
)
def test_a_program_without_its_journal_says_so_and_stores_on(
    run_program: RunProgram, damage: str, unknown: int
) -> None:
    ended = run_program(DELETED, damage)
    figures = reported(ended)
    tape = ended.tape
    [[level, line]] = figures["said"]
    assert level == "ERROR"
    assert f"{tape.path}.tape" in line
    assert "start the program again" in line
    assert figures["stats"]["in_flight"] == 0
    assert tape.rows("SELECT pid, ending FROM runs") == [{"pid": figures["pid"], "ending": "exit"}]
    kinds = [row["kind"] for row in tape.rows("SELECT kind FROM incidents ORDER BY kind")]
    assert kinds.count("journal deleted") == 1
    accounts = tape.accounting()
    assert set(accounts) == {"place", "late"}
    place = accounts["place"]
    assert (place["calls"], place["in_flight"], place["unknown"]) == (figures["made"], 0, unknown)
    assert (place["stored"], accounts["late"]["stored"]) == (figures["made"] - unknown, 1)


KILLED = (
    PRELUDE
    + """
call(1000)
assert calltape.flush(20)
other(f"rm -rf '{DB}.tape'")
until(lambda: calltape.flush(0.5))
os.kill(os.getpid(), 9)
"""
)


def test_its_run_is_lost_once_it_is_killed(run_program: RunProgram) -> None:
    killed = run_program(KILLED, check=False)
    assert killed.returncode == -9
    ended = run_program(PRELUDE + "call(0)\ncalltape.start()\nuntil(lambda: calltape.flush(0.5), calls=0)\nreport()")
    endings = [row["ending"] for row in ended.tape.rows("SELECT ending FROM runs ORDER BY id")]
    assert endings[0] == "lost"
    assert ended.tape.rows("SELECT * FROM accounting WHERE in_flight != 0") == []


def test_a_program_that_ends_at_once_leaves_nothing_open(run_program: RunProgram) -> None:
    program = PRELUDE + "call(1000)\nother(f\"rm -rf '{DB}.tape'\")\ncall(1000)\nreport()"
    ended = run_program(program)
    account = assert_every_call_is_accounted_for(ended, 2000)
    assert account["stored"] == 2000
