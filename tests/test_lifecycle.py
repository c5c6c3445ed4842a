"""Start, flush, stop, stats, exit: what each promises, and what is left where."""

import json
import subprocess
import sys
from pathlib import Path

from conftest import RunProgram

# Reads the tape while the program runs: from another process, as a person would.
SEEN_FROM_OUTSIDE = """
import os, subprocess, sys
def seen_from_outside(query):
    reader = "import sqlite3, sys; database = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True);"
    reader += "print(database.execute(sys.argv[2]).fetchall())"
    command = [sys.executable, "-c", reader, os.environ["CALLTAPE_DB"], query]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
"""


def test_importing_and_decorating_start_no_thread_and_make_no_file(run_program: RunProgram) -> None:
    program = """
import os, threading
from calltape import monitor, stats, flush, stop
@monitor
def work(): return 1
assert len(os.listdir("/proc/self/task")) == 1
assert stats().recorded == 0 and flush() is True
"""
    ended = run_program(program)
    assert not ended.tape.path.parent.exists()


def test_the_default_database_is_under_the_working_directory_and_ignored_by_git(run_program: RunProgram) -> None:
    program = """
import os, pathlib
os.environ.pop("CALLTAPE_DB")
from calltape import monitor, flush
@monitor
def work(): return 1
work()
assert flush()
place = pathlib.Path(".calltape")
assert place.stat().st_mode & 0o777 == 0o700, oct(place.stat().st_mode)
assert (place / ".gitignore").read_text().strip() == "*"
assert (place / "calls.db").stat().st_mode & 0o077 == 0
"""
    run_program(program)


def test_flush_commits_what_was_recorded_before_it(run_program: RunProgram) -> None:
    program = f"""{SEEN_FROM_OUTSIDE}
from calltape import monitor, flush, stats
@monitor
def work(n): return n
for round in range(1, 4):
    for n in range(500): work(n)
    assert flush() is True
    assert seen_from_outside("select count(*) from calls") == str([(round * 500,)])
figures = stats()
assert (figures.recorded, figures.stored, figures.dropped, figures.in_flight) == (1500, 1500, 0, 0), figures
assert figures.breaker.state == "closed" and figures.writes >= 3 and figures.faults == 0
"""
    run_program(program)


def test_after_the_exit_everything_is_in_the_database_and_the_journal_is_gone(run_program: RunProgram) -> None:
    program = """
import atexit
from calltape import monitor
@monitor
def work(n): return n
@monitor
def at_exit(): return "late"
class Dying:
    def __del__(self): finaliser()
@monitor
def finaliser(): return "last"
for n in range(10_000): work(n)
atexit.register(at_exit)
dying = Dying()
dying.me = dying
"""
    tape = run_program(program).tape
    assert tape.accounting()["work"]["stored"] == 10_000
    assert [call["result"] for call in tape.calls("at_exit")] == ['"late"']
    assert [call["result"] for call in tape.calls("finaliser")] == ['"last"']
    assert tape.rows("SELECT ending FROM runs") == [{"ending": "exit"}]
    left = [path for path in tape.path.with_name("calls.db.tape").iterdir() if path.is_dir()]
    assert left == []


def test_a_program_that_leaves_by_os_exit_is_drained_by_the_next(run_program: RunProgram) -> None:
    program = """
import os, sys
from calltape import monitor
@monitor
def work(n):
    if n == "leave": os._exit(0)
    return n
if sys.argv[1] == "first":
    for n in range(1000): work(n)
    work("leave")
else:
    work("second")
"""
    run_program(program, "first")
    tape = run_program(program, "second").tape
    statuses = tape.rows("SELECT status, count(*) AS n FROM calls GROUP BY status ORDER BY status")
    assert statuses == [{"status": "interrupted", "n": 1}, {"status": "ok", "n": 1001}]
    assert [json.loads(row["args"]) for row in tape.rows("SELECT args FROM calls WHERE status = 'interrupted'")] == [
        {"n": "leave"}
    ]
    assert [row["ending"] for row in tape.rows("SELECT ending FROM runs ORDER BY id")] == ["died", "exit"]


def test_stop_ends_recording_and_start_begins_again(run_program: RunProgram) -> None:
    program = """
from calltape import monitor, start, stop, flush, stats
@monitor
def work(n): return n
work(1)
assert stop() is True
work(2)
assert stats().recorded == 0 and flush() is True and stop() is True
start()
work(3)
start()
assert stats().recorded == 1
"""
    calls = run_program(program).tape.calls("work")
    assert [call["args"] for call in calls] == ['{"n":1}', '{"n":3}']
    assert len({call["run_id"] for call in calls}) == 2


def test_a_stop_in_the_middle_of_calls_leaves_them_interrupted(run_program: RunProgram) -> None:
    program = """
from calltape import monitor, start, stop
@monitor
def outer():
    inner(); stop(); start(); inner()
    return "returned"
@monitor
def inner(): return 1
assert outer() == "returned"
inner()
"""
    calls = run_program(program).tape.calls()
    assert [(call["function"][9:], call["status"]) for call in calls] == [
        ("outer", "interrupted"),
        ("inner", "ok"),
        ("inner", "ok"),
        ("inner", "ok"),
    ]
    assert [call["parent_id"] for call in calls] == [None, calls[0]["id"], None, None]


def test_a_call_still_running_is_on_the_tape(run_program: RunProgram) -> None:
    program = f"""{SEEN_FROM_OUTSIDE}
from calltape import monitor, flush
@monitor
def long(name):
    assert flush()
    print(seen_from_outside("select status, args, duration_ns from calls"))
long("slow")
"""
    ended = run_program(program)
    assert ended.stdout.strip() == """[('running', '{"name":"slow"}', None)]"""
    assert [call["status"] for call in ended.tape.calls()] == ["ok"]


def test_a_program_that_fails_keeps_its_exit_code_and_its_tape(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor
def fail(): raise ValueError("no")
fail()
"""
    ended = run_program(program, check=False)
    assert ended.returncode == 1
    assert ended.stderr.rstrip().endswith("ValueError: no")
    assert "calltape" not in ended.stderr
    assert [call["status"] for call in ended.tape.calls()] == ["error"]


def test_one_tape_takes_several_processes_at_once(
    run_program: RunProgram, environment: dict[str, str], tmp_path: Path
) -> None:
    program = """
import sys
from calltape import monitor
@monitor
def work(n): return n
for n in range(3000): work(n)
"""
    run_program(program)
    script = tmp_path / "worker.py"
    script.write_text(program, encoding="utf-8")
    children = [subprocess.Popen([sys.executable, str(script)], env=environment) for _ in range(4)]
    assert [child.wait(timeout=60) for child in children] == [0] * 4
    tape = run_program(program).tape
    rows = tape.rows("SELECT stored, unknown, in_flight FROM accounting")
    assert rows == [{"stored": 3000, "unknown": 0, "in_flight": 0}] * 6
    assert tape.rows("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM calls") == [{"n": 18000, "ids": 18000}]


def test_a_forked_child_records_on_its_own(run_program: RunProgram) -> None:
    program = """
import os, sys
from calltape import monitor, flush, start
@monitor
def work(who): return who
start(os.environ.pop("CALLTAPE_DB"))
work("parent")
pid = os.fork()
if pid == 0:
    for _ in range(100): work("child")
    assert flush(10)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
work("parent")
"""
    tape = run_program(program, env={"PYTHONWARNINGS": "ignore"}).tape
    counts = tape.rows("SELECT args, count(*) AS n, count(DISTINCT pid) AS pids FROM calls GROUP BY args ORDER BY args")
    assert counts == [{"args": '{"who":"child"}', "n": 100, "pids": 1}, {"args": '{"who":"parent"}', "n": 2, "pids": 1}]
