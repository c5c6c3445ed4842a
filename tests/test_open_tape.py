"""Opening a tape from Python: which one, and what is said where there is none to read."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import small_shop
from conftest import RunProgram

import calltape


def test_a_tape_of_a_program_that_ended_can_be_read(run_program: RunProgram) -> None:
    ended = run_program(small_shop.PROGRAM)
    with calltape.open(ended.tape.path) as tape:
        assert tape.path == ended.tape.path
        assert tape.accounting().total.stored == 9
        assert str(ended.tape.path) in repr(tape)


def test_a_process_that_records_opens_its_own_tape_without_being_told_which(run_program: RunProgram) -> None:
    program = """
import calltape, os
@calltape.monitor(name="work")
def work(n): return n
for n in range(5): work(n)
assert calltape.flush()
with calltape.open() as tape:
    assert tape.path == __import__("pathlib").Path(os.environ["CALLTAPE_DB"]).absolute(), tape.path
    assert [f.calls for f in tape.functions()] == [5]
"""
    run_program(program)


def test_a_process_that_records_nothing_opens_the_tape_that_the_settings_name(run_program: RunProgram) -> None:
    run_program(small_shop.PROGRAM)
    run_program("import calltape; assert calltape.open().accounting().total.calls == 9")


def test_a_missing_tape_is_an_error_with_its_path_and_what_to_do(tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    with pytest.raises(calltape.TapeError, match=r"no tape at .*none\.db: run a program that records there") as caught:
        calltape.open(missing)
    assert caught.value.path == missing
    assert "flush" in caught.value.remedy
    assert not missing.exists()


def test_a_file_that_is_no_tape_is_said_to_be_none(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no database, but long enough to look at. " * 100)
    with pytest.raises(calltape.TapeError, match="is not a tape but a file that is no SQLite database: give open"):
        calltape.open(notes)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE t (x)")
    with pytest.raises(calltape.TapeError, match="an SQLite database of something else"):
        calltape.open(other)
    with pytest.raises(calltape.TapeError, match="a folder"):
        calltape.open(tmp_path)


def test_a_newer_tape_asks_for_a_newer_calltape(run_program: RunProgram) -> None:
    path = run_program(small_shop.PROGRAM).tape.path
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 999")
    with pytest.raises(calltape.TapeError, match=r"newer calltape .*upgrade calltape"):
        calltape.open(path)


def test_a_damaged_tape_says_which_command_helps(run_program: RunProgram) -> None:
    path = run_program(small_shop.PROGRAM).tape.path
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    with pytest.raises(calltape.TapeError, match="calltape recover") as caught, calltape.open(path) as tape:
        tape.errors()
    assert caught.value.path == path


def test_a_tape_that_may_not_be_read_says_so(run_program: RunProgram) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = run_program(small_shop.PROGRAM).tape.path
    path.chmod(0)
    with pytest.raises(calltape.TapeError, match="cannot read"):
        calltape.open(path)


def test_a_closed_tape_answers_no_more_and_may_be_closed_again(run_program: RunProgram) -> None:
    tape = calltape.open(run_program(small_shop.PROGRAM).tape.path)
    tape.close()
    tape.close()
    with pytest.raises(calltape.TapeError, match=r"was closed: open it again"):
        tape.functions()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"path": 7}, "path"),
        ({"path": "a\0b"}, "path"),
        ({"time_limit": 0}, "time_limit"),
        ({"time_limit": "10"}, "time_limit"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, object], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^open: {named} must be"):
        calltape.open(**arguments)  # type: ignore[arg-type]
