"""A tape that cannot be written: the program goes on, one line says what to do, and nothing recorded is lost."""

import re
import sqlite3
from contextlib import closing

from conftest import RunProgram

WORK = """
from calltape import monitor, flush, stats
@monitor
def work(n): return n
for n in range(100): assert work(n) == n
"""


def test_a_file_that_is_no_tape_is_left_alone_and_the_calls_wait_for_another(
    run_program: RunProgram, environment: dict[str, str]
) -> None:
    path = environment["CALLTAPE_DB"]
    program = WORK + "assert not flush(0.5)\nprint(stats().breaker.last_error)"
    tape_file = run_program("import os, pathlib; pathlib.Path(os.environ['CALLTAPE_DB']).parent.mkdir()").tape.path
    tape_file.write_text("my precious notes, " * 100)
    ended = run_program(program, env={"CALLTAPE_EXIT_TIMEOUT": "0.2s"})
    assert path in ended.stdout
    assert ended.stderr.count("not a tape") <= 1
    assert "stay in" in ended.stderr
    assert tape_file.read_text() == "my precious notes, " * 100
    tape_file.unlink()
    tape = run_program(WORK).tape
    assert [row["stored"] for row in tape.rows("SELECT stored FROM accounting")] == [100, 100]


def test_a_newer_tape_is_not_touched(run_program: RunProgram) -> None:
    tape = run_program(WORK).tape
    with closing(sqlite3.connect(tape.path)) as database:
        database.execute("PRAGMA user_version = 999")
    ended = run_program(WORK, env={"CALLTAPE_EXIT_TIMEOUT": "0.2s"})
    assert re.search("newer", ended.stderr)
    assert tape.rows("SELECT count(*) AS n FROM calls") == [{"n": 100}]


def test_a_folder_that_cannot_be_made_is_said_once_and_calls_are_kept_in_memory(run_program: RunProgram) -> None:
    program = WORK + "assert (stats().recorded, stats().in_flight, stats().journal) == (100, 100, 'memory')"
    ended = run_program(program, env={"CALLTAPE_DB": "/proc/nowhere/calls.db", "CALLTAPE_EXIT_TIMEOUT": "0.2s"})
    assert ended.stderr.count("the journal is in memory (512 KiB at most)") == 1
    assert "/proc/nowhere" in ended.stderr
    assert "ends with this process" in ended.stderr


def test_start_raises_where_the_database_is_a_folder(run_program: RunProgram) -> None:
    program = """
from calltape import start
try: start("/usr")
except OSError as error: print(error)
"""
    assert run_program(program).stdout.strip() == "/usr is a directory; set db to a file's path"


def test_an_exit_with_the_database_locked_keeps_to_its_time_and_says_what_is_left(run_program: RunProgram) -> None:
    run_program(WORK)
    program = (
        """
import os, sqlite3, subprocess, sys
code = "import sqlite3, sys; database = sqlite3.connect(sys.argv[1], isolation_level=None);"
code += "database.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
holder = subprocess.Popen([sys.executable, "-c", code, os.environ["CALLTAPE_DB"]], **pipes)
holder.stdout.readline()
"""
        + WORK
        + """
import atexit, time
began = time.monotonic()
def release():
    holder.stdin.close(); holder.wait(); holder.stdout.close()
import calltape
assert calltape.stop(0.3) is False
assert time.monotonic() - began < 60
release()
"""
    )
    ended = run_program(program)
    assert "stay in" in ended.stderr
    tape = run_program(WORK).tape
    assert [row["stored"] for row in tape.rows("SELECT stored FROM accounting ORDER BY run_id")] == [100, 100, 100]
