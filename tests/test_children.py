"""Children of multiprocessing and of billiard: their last calls are stored, and their runs end as `exit`, though they
leave by `os._exit`. Children that leave by themselves without a word are stored whole by whoever is left.
"""

from collections import Counter

import pytest
from conftest import RunProgram, Tape

# The main process keeps on recording, or records nothing at all, so that a child is alone with the tape.
PROGRAM = """
import multiprocessing, sys, threading
import calltape
from calltape import monitor

@monitor
def work(who, n): return n

def run(who):
    for n in range(50): work(who, n)

if __name__ == "__main__":
    _, method, main = sys.argv
    context = multiprocessing.get_context(method)
    if main == "records": run("main")
    children = [context.Process(target=run, args=(f"child-{number}",)) for number in range(3)]
    for child in children: child.start()
    for child in children: child.join()
    assert [child.exitcode for child in children] == [0] * 3
"""


@pytest.fixture(autouse=True)
def patient(environment: dict[str, str]) -> None:
    """Endings are looked at here, not how soon: the two seconds of an exit run out on an overloaded machine."""
    environment["CALLTAPE_EXIT_TIMEOUT"] = "60s"


def endings(tape: Tape) -> Counter[str]:
    return Counter(run["ending"] for run in tape.rows("SELECT ending FROM runs"))


def calls_by_process(tape: Tape) -> Counter[str]:
    rows = tape.rows(
        "SELECT args ->> 'who' AS who, count(DISTINCT args) AS n, count(*) AS all_n FROM calls GROUP BY pid"
    )
    assert all(row["n"] == row["all_n"] for row in rows)
    return Counter({row["who"]: row["n"] for row in rows})


@pytest.mark.parametrize("main", ["records", "does not"])
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_runs_of_multiprocessings_children_end_with_them(run_program: RunProgram, method: str, main: str) -> None:
    tape = run_program(PROGRAM, method, main).tape
    processes = 4 if main == "records" else 3
    assert calls_by_process(tape) == Counter(
        {"main": 50, **{f"child-{n}": 50 for n in range(3)}}
        if main == "records"
        else {f"child-{n}": 50 for n in range(3)}
    )
    assert endings(tape) == {"exit": processes}
    assert [path for path in tape.path.with_name("calls.db.tape").iterdir() if path.is_dir()] == []


def test_a_run_begun_before_multiprocessing_set_the_child_up_ends_with_it(run_program: RunProgram) -> None:
    """The child's finalisers are cleared after its fork handlers have run."""
    program = PROGRAM.replace(
        'if __name__ == "__main__":\n',
        'import os\nos.register_at_fork(after_in_child=lambda: work("early", 0))\nif __name__ == "__main__":\n',
    )
    tape = run_program(program, "fork", "records").tape
    assert endings(tape) == {"exit": 4}
    assert len(tape.calls()) == 203


def test_a_child_of_a_child_ends_its_run_too(run_program: RunProgram) -> None:
    program = """
import multiprocessing
from calltape import monitor
context = multiprocessing.get_context("fork")
@monitor
def nested(depth):
    if depth:
        child = context.Process(target=nested, args=(depth - 1,))
        child.start(); child.join()
        assert child.exitcode == 0
nested(3)
"""
    tape = run_program(program).tape
    assert Counter((call["args"], call["status"]) for call in tape.calls()) == {
        (f'{{"depth":{depth}}}', "ok"): 1 for depth in range(4)
    }
    assert endings(tape) == {"exit": 4}


def test_runs_of_billiards_children_end_with_them(run_program: RunProgram) -> None:
    pytest.importorskip("billiard")
    # billiard changes multiprocessing's own module of utilities, and asks the loader for something old.
    tape = run_program(
        PROGRAM.replace("multiprocessing", "billiard"), "fork", "records", env={"PYTHONWARNINGS": "ignore"}
    ).tape
    assert calls_by_process(tape) == Counter({"main": 50, **{f"child-{n}": 50 for n in range(3)}})
    assert endings(tape) == {"exit": 4}


def test_a_child_that_is_killed_is_stored_by_its_parent(run_program: RunProgram) -> None:
    program = """
import os, signal, sys
from calltape import flush, monitor, start
@monitor
def work(who, n):
    if n == "last": os.kill(os.getpid(), signal.SIGKILL)
@monitor
def leaving(): os._exit(0)
start()
for number in range(6):
    pid = os.fork()
    if pid == 0:
        for n in range(30): work(number, n)
        work(number, "last") if number % 2 else leaving()
    os.waitpid(pid, 0)
work("parent", 0)
"""
    tape = run_program(program).tape
    counts = Counter(call["status"] for call in tape.calls())
    assert counts == {"ok": 6 * 30 + 1, "interrupted": 6}
    assert endings(tape) == {"died": 6, "exit": 1}


@pytest.mark.parametrize("busy", [True, False])
def test_a_drain_that_dies_is_replaced_by_a_sibling(run_program: RunProgram, busy: bool) -> None:
    """The sibling records on, or has nothing to do but to notice."""
    program = f"""
import os, signal, sys, time
from calltape import flush, monitor, start, stats
@monitor
def work(who): pass
read_end, write_end = os.pipe()
drainer = os.fork()
if drainer == 0:
    start(); work("drainer"); assert flush(20)
    work("drainer")
    os.write(write_end, b"x")
    time.sleep(100)
os.read(read_end, 1)
start()
work("sibling"); assert flush(20)
os.kill(drainer, signal.SIGKILL); os.waitpid(drainer, 0)
deadline = time.monotonic() + 60
import sqlite3
def ending():
    # In a process of its own: two SQLite libraries in one drop each other's locks.
    import subprocess
    code = "import sqlite3, sys; database = sqlite3.connect(sys.argv[1]);"
    code += "print([row[0] for row in database.execute('select ending from runs order by id')])"
    command = [sys.executable, "-c", code, os.environ["CALLTAPE_DB"]]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
while ending() != "['died', 'running']":
    assert time.monotonic() < deadline, ending()
    if {busy}: work("sibling")
    time.sleep(0.02)
"""
    tape = run_program(program).tape
    assert endings(tape) == {"died": 1, "exit": 1}
    assert sum(call["args"] == '{"who":"drainer"}' for call in tape.calls()) == 2


def test_a_child_says_nothing_of_calls_that_another_process_stores(run_program: RunProgram) -> None:
    """The warning that calls stay in the journal is for a person who has to do something about it."""
    program = """
import os, sys, time
from calltape import monitor, start, stop, flush
@monitor
def work(n): return n
start(); work(0); assert flush(20)
for n in range(5):
    pid = os.fork()
    if pid == 0:
        for _ in range(1000): work(n)
        stop(0)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
"""
    ended = run_program(program)
    assert ended.stderr == ""
    assert len(ended.tape.calls()) == 5001


def test_a_process_that_leaves_calls_to_nobody_says_so(run_program: RunProgram) -> None:
    program = """
import os, sqlite3, sys, subprocess
from calltape import monitor, start, stop, flush
@monitor
def work(n): return n
start(); work(0); assert flush(20)
code = "import sqlite3, sys; database = sqlite3.connect(sys.argv[1]); database.execute('BEGIN IMMEDIATE');"
code += "print(flush=True); sys.stdin.read()"
command = [sys.executable, "-c", code, os.environ["CALLTAPE_DB"]]
locker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
locker.stdout.readline()
work(1)
assert stop(0.1) is False
locker.communicate()
"""
    ended = run_program(program)
    assert "they stay in" in ended.stderr
    again = run_program("import calltape\ncalltape.start()\nassert calltape.flush(20)\n")
    assert len(again.tape.calls()) == 2
