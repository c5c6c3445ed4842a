"""The database is locked, gone, replaced or damaged while a program records: its calls are not disturbed, and what was
not stored is, once there is a database again."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from calltape_faults import PRELUDE, assert_every_call_is_accounted_for, reported
from conftest import RunProgram, Tape

LOCKED = (
    PRELUDE
    + """
call(100)
assert calltape.flush(20)
locker = python('''
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
database.execute("COMMIT")
''')
assert locker.stdout.readline() == "locked\\n"
end = time.monotonic() + float(sys.argv[1])
slowest = 0.0
while time.monotonic() < end:
    begun = time.perf_counter()
    call(20)
    slowest = max(slowest, time.perf_counter() - begun)
    time.sleep(0.01)
stats = calltape.stats()
assert stats.stored == 100, stats
held = {"state": stats.breaker.state, "opens": stats.breaker.opens, "error": stats.breaker.last_error}
locker.communicate("end\\n", timeout=20)
until(lambda: calltape.flush(0.5))
report(held=held)
"""
)


def test_calls_made_while_the_database_is_locked_are_stored_when_it_is_free(run_program: RunProgram) -> None:
    ended = run_program(LOCKED, "3", env={"CALLTAPE_BREAKER_BUSY": "1s", "CALLTAPE_BREAKER_TIMEOUT": "1s"})
    figures = reported(ended)
    assert figures["held"]["opens"] == 1, figures
    assert "locked" in figures["held"]["error"]
    account = assert_every_call_is_accounted_for(ended, figures["made"])
    assert account["stored"] == figures["made"]
    [incident] = ended.tape.rows("SELECT * FROM incidents")
    assert (incident["kind"], incident["times"]) == ("database unreachable", 1)
    assert incident["ended_ns"] - incident["began_ns"] > 10**9
    assert "locked" in incident["detail"]
    (warning, opened), (info, closed) = figures["lines"]
    assert (warning, info) == ("WARNING", "INFO")
    assert str(ended.tape.path) in opened
    assert "end the other program's transaction" in opened
    assert "can be written again" in closed


@pytest.mark.skipif("LONG_TESTS" not in os.environ, reason="takes a minute: set LONG_TESTS=1")
def test_a_minute_of_lock_costs_no_call(run_program: RunProgram) -> None:
    ended = run_program(LOCKED, "60")
    figures = reported(ended)
    assert figures["held"]["opens"] == 1, figures
    assert_every_call_is_accounted_for(ended, figures["made"])


def test_a_lock_shorter_than_the_grace_is_no_incident(run_program: RunProgram) -> None:
    ended = run_program(LOCKED, "1")
    figures = reported(ended)
    assert figures["held"] | {"error": ""} == {"state": "closed", "opens": 0, "error": ""}
    assert_every_call_is_accounted_for(ended, figures["made"])
    assert ended.tape.rows("SELECT * FROM incidents") == []
    assert figures["lines"] == []


GONE = (
    PRELUDE
    + """
call(1000)
assert calltape.flush(20)
other(sys.argv[1].format(DB))
call(1000)
until(lambda: calltape.flush(0.5))
report()
"""
)


@pytest.mark.parametrize(
    "damage",
    [
        "rm '{0}' '{0}-wal' '{0}-shm'",
        "rm '{0}'",
        "truncate -s 0 '{0}'",
        "truncate -s 100 '{0}-wal'",
        "printf 'not a database!!' | dd of='{0}-wal' bs=1 seek=30 conv=notrunc",
        "mv '{0}' '{0}.moved'",
    ],
)
def test_what_was_not_stored_when_the_tape_went_is_in_the_next(run_program: RunProgram, damage: str) -> None:
    ended = run_program(GONE, damage)
    figures = reported(ended)
    account = assert_every_call_is_accounted_for(ended, figures["made"], unknown=1000)
    assert account["stored"] == figures["made"] - 1000
    assert (figures["stats"]["stored"], figures["stats"]["in_flight"]) == (figures["made"], 0)
    [incident] = ended.tape.rows("SELECT * FROM incidents")
    assert incident["kind"] == "database set aside"
    assert len(figures["lines"]) == 1, figures["lines"]
    assert str(ended.tape.path) in figures["lines"][0][1]
    for kept in ended.tape.path.parent.glob("calls.db.quarantine-*"):
        assert kept.name.endswith("-wal") or kept.name in incident["detail"] or kept.name.endswith("-shm")


@pytest.mark.parametrize(
    "damage", ["rm '{0}-wal'", "mv '{0}-wal' '{0}-moved'", "rm '{0}-shm'", "touch '{0}' '{0}-wal'"]
)
def test_a_tape_that_can_be_mended_loses_nothing(run_program: RunProgram, damage: str) -> None:
    ended = run_program(GONE, damage)
    figures = reported(ended)
    account = assert_every_call_is_accounted_for(ended, figures["made"])
    assert account["stored"] == figures["made"]
    assert ended.tape.rows("SELECT * FROM incidents") == []


def test_a_renamed_tape_has_what_was_stored(run_program: RunProgram) -> None:
    ended = run_program(GONE, "mv '{0}' '{0}.moved'")
    moved = Tape(ended.tape.path.with_name("calls.db.moved"))
    assert moved.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert moved.rows("SELECT count(*) AS calls FROM calls") == [{"calls": 1000}]


REFUSED = (
    PRELUDE
    + """
call(1000)
assert calltape.flush(20)
other(sys.argv[1].format(DB))
until(lambda: calltape.stats().breaker.opens == 1)
stats = calltape.stats()
assert stats.dropped == 0, stats
other(sys.argv[2].format(DB))
until(lambda: calltape.flush(0.5))
report(held=stats.breaker.last_error)
"""
)


@pytest.mark.parametrize(
    ("damage", "mending", "words", "lost"),
    [
        (
            "mv '{0}' '{0}.moved'; until mkdir '{0}'; do mv '{0}' '{0}.new'; done",
            "rmdir '{0}'",
            "is not a file",
            1000,
        ),
        ("echo mine > '{0}.new'; mv '{0}.new' '{0}'", "mv '{0}' '{0}.mine'", "is not a SQLite database", 1000),
        (
            'python3 -c \'import sqlite3; sqlite3.connect("{0}.new").execute("CREATE TABLE t (x)")\';'
            "mv '{0}.new' '{0}'",
            "mv '{0}' '{0}.mine'",
            "is a database but not a tape",
            1000,
        ),
        (
            'python3 -c \'import sqlite3; sqlite3.connect("{0}").execute("PRAGMA user_version = 99")\'',
            'python3 -c \'import sqlite3; sqlite3.connect("{0}").execute("PRAGMA user_version = 3")\'',
            "is a tape of version 99",
            0,
        ),
    ],
)
def test_calls_wait_while_the_path_is_taken(
    run_program: RunProgram, damage: str, mending: str, words: str, lost: int
) -> None:
    ended = run_program(REFUSED, damage, mending, env={"CALLTAPE_BREAKER_TIMEOUT": "100ms"})
    figures = reported(ended)
    assert words in figures["held"]
    account = assert_every_call_is_accounted_for(ended, figures["made"], unknown=lost)
    assert account["stored"] == figures["made"] - lost
    kinds = {row["kind"] for row in ended.tape.rows("SELECT kind FROM incidents")}
    assert "database unreachable" in kinds
    assert not list(ended.tape.path.parent.glob("calls.db.quarantine-*"))
    mine = ended.tape.path.with_name("calls.db.mine")
    assert not mine.exists() or mine.stat().st_size > 0


def test_an_older_tape_is_upgraded_and_recorded_on(run_program: RunProgram, tape_path: Path) -> None:
    version_1 = Path(__file__).parent.parent / "crates/calltape-engine/tests/engine/tapes/version_1.sql"
    tape_path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(tape_path)) as database:
        database.executescript(version_1.read_text(encoding="utf-8"))
        mark = int.from_bytes(b"ctap", "big")
        database.executescript(
            f"INSERT INTO tape VALUES (1, 0, 0, 0); PRAGMA application_id = {mark}; PRAGMA user_version = 1;"
        )
    ended = run_program(PRELUDE + "call(100)\nassert calltape.flush(20)\nreport()")
    assert_every_call_is_accounted_for(ended, 100)


READ_ONLY = (
    PRELUDE
    + """
until(lambda: calltape.stats().breaker.opens == 1)
held = calltape.stats()
other(sys.argv[1].format(DB))
until(lambda: calltape.flush(0.5))
report(held=held.breaker.last_error)
"""
)


def test_a_tape_that_is_read_only_is_written_once_it_is_not(
    run_program: RunProgram, tape_path: Path, calltape_cli: object
) -> None:
    run_program(PRELUDE + "call(100)\nassert calltape.flush(20)")
    bind = f"mount --bind '{tape_path}' '{tape_path}' && mount -o remount,bind,ro '{tape_path}'"
    done = shutil.which("mount") and __import__("subprocess").run(["sh", "-c", bind], capture_output=True, text=True)
    if not done or done.returncode != 0:
        pytest.skip(f"a file cannot be made read-only for root here: {done.stderr.strip() if done else 'no mount'}")
    ended = run_program(READ_ONLY, "umount '{0}'", env={"CALLTAPE_BREAKER_TIMEOUT": "100ms"})
    figures = reported(ended)
    assert "readonly" in figures["held"]
    assert "make it and its folder writable" in figures["lines"][0][1]
    tape = ended.tape
    assert tape.rows("SELECT sum(stored) AS stored FROM accounting") == [{"stored": 100 + figures["made"]}]
    assert [row["kind"] for row in tape.rows("SELECT kind FROM incidents")] == ["database unreachable"]
