"""The ways a process ends, and what is on the tape then: each program leaves by one of them and has an exit code, rows,
and an ending of its run. `CALLTAPE_EXIT_ROUNDS` sets how often each is tried; a program that hangs fails.
"""

import os
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field

import pytest
from conftest import RunProgram

ROUNDS = int(os.environ.get("CALLTAPE_EXIT_ROUNDS", "2"))

BEGIN = """
import atexit, ctypes, os, signal, sys, threading, time
signal.alarm(60)  # a hang ends the process, and with it the test
EARLY
from calltape import monitor

@monitor
def work(what): return what

@monitor
def holds(what, act): return act()
"""


@dataclass(frozen=True)
class Way:
    """A way to end: the program's text after its beginning, and what follows."""

    text: str
    code: int
    # Each `work` by its argument; `holds` by status.
    works: tuple[str, ...]
    holds: tuple[str, ...] = ()
    ending: str = "exit"
    early: str = ""
    says: tuple[str, ...] = field(default=())


WAYS = {
    "the end of the program": Way("work('a')", 0, ("a",)),
    "sys.exit": Way("work('a'); holds('x', lambda: sys.exit(7))", 7, ("a",), ("error",)),
    "an exception": Way(
        "work('a'); holds('x', lambda: 1 / 0)", 1, ("a",), ("error",), says=("ZeroDivisionError: division by zero",)
    ),
    "an exit handler from before the import": Way(
        "work('a')", 0, ("a", "early"), early="atexit.register(lambda: work('early'))"
    ),
    "an exit handler from after it": Way("atexit.register(work, 'late'); work('a')", 0, ("a", "late")),
    "a first call in an exit handler": Way("atexit.register(work, 'late')", 0, ("late",)),
    "an exit handler that fails": Way(
        "def fails(): work('handler'); raise KeyError('no')\natexit.register(fails); work('a')",
        0,
        ("a", "handler"),
        says=("KeyError: 'no'",),
    ),
    "an exit handler of the threads'": Way(
        "threading._register_atexit(work, 'threads'); work('a')", 0, ("a", "threads")
    ),
    "KeyboardInterrupt in an exit handler": Way(
        "def interrupted():\n"
        "    work('before'); os.kill(os.getpid(), signal.SIGINT); time.sleep(5)\n"
        "atexit.register(work, 'other'); atexit.register(interrupted); work('a')",
        0,
        ("a", "before", "other"),
        says=("KeyboardInterrupt",),
    ),
    "sys.exit in a thread": Way(
        "def ends(): work('thread'); holds('x', sys.exit)\n"
        "thread = threading.Thread(target=ends); thread.start(); thread.join(); work('a')",
        0,
        ("a", "thread"),
        ("error",),
    ),
    "a thread that outlives the main one": Way(
        "def goes_on(): time.sleep(0.3); work('thread')\nthreading.Thread(target=goes_on).start(); work('a')",
        0,
        ("a", "thread"),
    ),
    "finalisers of globals": Way(
        "class Dying:\n"
        "    def __init__(self, name): self.name = name\n"
        "    def __del__(self, work=work): work(self.name)\n"
        "plain, circular = Dying('plain'), Dying('circular')\n"
        "circular.me = circular\n"
        "sys.modules['kept'] = Dying('module')\n",
        0,
        ("plain", "circular", "module"),
    ),
    "a monitored __del__ at the end": Way(
        "class Dying:\n    @monitor\n    def __del__(self, work=work): work('in __del__')\nlast = Dying(); work('a')",
        0,
        ("a", "in __del__"),
    ),
    "a suspended generator at the end": Way(
        "@monitor\n"
        "def suspended(work=work):\n"
        "    try: yield\n"
        "    finally: work('finally')\n"
        "half = suspended(); next(half); work('a')",
        0,
        ("a", "finally"),
    ),
    "os._exit": Way("work('a'); holds('x', lambda: os._exit(9))", 9, ("a",), ("interrupted",), "died"),
    "os._exit in an exit handler": Way(
        "atexit.register(lambda: (work('late'), os._exit(9))); work('a')", 9, ("a", "late"), (), "died"
    ),
    "os.abort": Way(
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nwork('a'); holds('x', os.abort)",
        -signal.SIGABRT,
        ("a",),
        ("interrupted",),
        "died",
    ),
    "a segmentation fault": Way(
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "work('a'); holds('x', lambda: ctypes.string_at(0))",
        -signal.SIGSEGV,
        ("a",),
        ("interrupted",),
        "died",
    ),
    "SIGTERM": Way(
        "work('a'); holds('x', lambda: os.kill(os.getpid(), signal.SIGTERM))",
        -signal.SIGTERM,
        ("a",),
        ("interrupted",),
        "died",
    ),
    "SIGTERM with a handler": Way(
        "def handler(*_): work('handler'); sys.exit(3)\n"
        "signal.signal(signal.SIGTERM, handler)\n"
        "work('a'); holds('x', lambda: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(5)))",
        3,
        ("a", "handler"),
        ("error",),
    ),
    "SIGINT": Way(
        "work('a'); holds('x', lambda: (os.kill(os.getpid(), signal.SIGINT), time.sleep(5)))",
        -signal.SIGINT,
        ("a",),
        ("error",),
        says=("KeyboardInterrupt",),
    ),
    "a child forked by an exit handler": Way(
        "def forks():\n"
        "    pid = os.fork()\n"
        "    work('child' if pid == 0 else 'parent')\n"
        "    if pid: assert os.waitpid(pid, 0)[1] == 0\n"
        "atexit.register(forks); work('a')",
        0,
        ("a", "child", "parent"),
        ending="exit",
    ),
    "execv": Way("work('a'); os.execv(sys.executable, [sys.executable, '-c', 'pass'])", 0, ("a",), ending="died"),
}


if sys.version_info >= (3, 12):
    # CPython forks no more then.
    del WAYS["a child forked by an exit handler"]


@pytest.mark.parametrize("name", WAYS)
def test_a_process_that_ends_leaves_what_it_called(run_program: RunProgram, name: str) -> None:
    way = WAYS[name]
    for _ in range(ROUNDS):
        ended = run_program(BEGIN.replace("EARLY", way.early) + way.text + "\n", check=False)
        assert ended.returncode == way.code, ended.stderr
        assert all(text in ended.stderr for text in way.says), ended.stderr
        assert "calltape" not in ended.stderr
        assert "Exception ignored in" not in ended.stderr or way.says, ended.stderr
    if way.ending == "died":
        run_program("import calltape\ncalltape.start()\nassert calltape.flush(30)\n")
    tape = ended.tape
    works = Counter((call["args"], call["status"]) for call in tape.calls("work"))
    assert works == {(f'{{"what":"{what}"}}', "ok"): ROUNDS for what in way.works}
    assert [call["status"] for call in tape.calls("holds")] == list(way.holds) * ROUNDS
    recorded = "SELECT ending, count(*) AS n FROM runs WHERE id IN (SELECT run_id FROM calls) GROUP BY 1"
    forks = 2 if "forked" in name else 1
    assert tape.rows(recorded) == [{"ending": way.ending, "n": forks * ROUNDS}]
    assert tape.rows("SELECT count(*) AS n FROM accounting WHERE unknown OR dropped OR calls != stored") == [{"n": 0}]


def test_daemon_threads_that_never_stop_hold_nothing_up(run_program: RunProgram) -> None:
    program = f"""{BEGIN.replace("EARLY", "")}
made = [0] * 4
def loop(number):
    while True:
        work(f"{{number}}")
        made[number] += 1
        time.sleep(0.0002)
for number in range(4): threading.Thread(target=loop, args=[number], daemon=True).start()
time.sleep(0.2)
atexit.register(lambda: print(sum(made)))
"""
    for _ in range(ROUNDS):
        ended = run_program(program)
        assert ended.stderr == ""
        # What was made before the first exit handler ran is there, whatever came after it.
        made = int(ended.stdout)
        run_program("import calltape\ncalltape.start()\nassert calltape.flush(60)\n")
        rows = ended.tape.rows("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM calls")
        assert rows[0]["n"] == rows[0]["ids"] >= made
        unbalanced = "SELECT * FROM accounting WHERE unknown OR calls != stored + dropped"
        assert ended.tape.rows(unbalanced) == []
        for path in ended.tape.path.parent.glob("calls.db*"):
            path.unlink() if path.is_file() else None
