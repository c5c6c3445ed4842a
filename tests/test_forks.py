"""Forks, by Python and by C: parent and child record on the one tape, nothing is lost or doubled, and nobody hangs.

The background thread rests while the process forks. CPython warns of threads at a fork from 3.12 on, and these programs
run with warnings as errors.
"""

import os
from collections import Counter

import pytest
from conftest import RunProgram

# Rounds of the tests that fork under load: `make torture` asks for more.
ROUNDS = int(os.environ.get("CALLTAPE_FORK_ROUNDS", "100"))

# What each program begins with: a watchdog that ends a process that hangs, with every thread's stack. A child's own
# alarm is to be set by `watched`.
BEGIN = """
FORK = "FORKED_BY"
import ctypes, faulthandler, os, signal, sys, threading, time
faulthandler.register(signal.SIGALRM, chain=True)
def watched(seconds): signal.alarm(seconds)
watched(100)
import calltape
from calltape import flush, monitor, start, stats, stop

@monitor
def work(who, n=0): return n

def wait_for(pid, status=0):
    assert os.waitpid(pid, 0)[1] == status

# A fork as C code does it: with the interpreter lock held, and no fork handler of Python's but the child's, which comes
# before the child's first bytecode.
libc = ctypes.PyDLL(None)
def c_fork():
    pid = libc.fork()
    assert pid >= 0
    return pid
if "c_fork" in FORK:
    address = lambda name: ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p)
    # From 3.13 on the child's handler gives up a lock that the others take and give up.
    others = [None, None]
    if sys.version_info >= (3, 13): others = [address("PyOS_BeforeFork"), address("PyOS_AfterFork_Parent")]
    libc.__register_atfork(*others, address("PyOS_AfterFork_Child"), None)
"""


def test_forks_in_a_row_warn_of_no_thread(run_program: RunProgram) -> None:
    program = f"""{BEGIN}
start()
import warnings
with warnings.catch_warnings(record=True, action="always") as warned:
    for n in range({ROUNDS}):
        work("parent", n)
        pid = os.fork()
        if pid == 0:
            work("child", n)
            os._exit(0)
        wait_for(pid)
assert flush(20)
# On a very busy machine the thread does not come to rest in time.
hurried = stats().hurried_forks
assert len(warned) <= hurried <= {ROUNDS} // 2, (hurried, warned)
"""
    tape = run_program(program).tape
    counts = Counter((call["args"], call["status"]) for call in tape.calls())
    expected = [f'{{"who":"{who}","n":{n}}}' for n in range(ROUNDS) for who in ("parent", "child")]
    assert counts == Counter((args, "ok") for args in expected)
    assert len(tape.rows("SELECT DISTINCT pid FROM calls")) == ROUNDS + 1
    assert Counter(run["ending"] for run in tape.rows("SELECT ending FROM runs")) == {"exit": 1, "died": ROUNDS}


@pytest.mark.parametrize("fork", ["os.fork", "c_fork"])
def test_a_parent_that_calls_nothing_any_more_is_drained_all_the_same(run_program: RunProgram, fork: str) -> None:
    program = f"""{BEGIN.replace("FORKED_BY", fork)}
start(flush_interval=0.2)
for n in range(100): work("before", n)
pid = {fork}()
if pid == 0: os._exit(0)
wait_for(pid)
# Nothing here needs the thread, and another process looks at the tape.
reader = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('select count(*) from calls').fetchone()[0])"
deadline = time.monotonic() + 60
import subprocess
while True:
    done = subprocess.run([sys.executable, "-c", reader, os.environ["CALLTAPE_DB"]], capture_output=True, text=True)
    if done.stdout.strip() == "100": break
    assert time.monotonic() < deadline, done
    time.sleep(0.05)
"""
    run_program(program)


def test_a_fork_in_a_thread_while_the_main_thread_waits_leaves_the_drain_working(run_program: RunProgram) -> None:
    program = f"""{BEGIN}
start()
def forks():
    for n in range(20):
        work("thread", n)
        pid = os.fork()
        if pid == 0: os._exit(0)
        wait_for(pid)
    tasks = os.listdir("/proc/self/task")
    assert "calltape-drain" in [open(f"/proc/self/task/{{task}}/comm").read().strip() for task in tasks]
thread = threading.Thread(target=forks)
thread.start()
thread.join()
"""
    # Two threads of Python's own are there, of which it warns.
    tape = run_program(program, env={"PYTHONWARNINGS": "ignore"}).tape
    assert len(tape.calls()) == 20


@pytest.mark.parametrize("fork", ["os.fork", "c_fork"])
def test_a_child_that_outlives_its_parent_keeps_its_rows_whatever_a_reader_does(
    run_program: RunProgram, fork: str
) -> None:
    """SQLite in the child believed to hold the locks that its parent had: a reader took itself for the last one to
    close the database and deleted the WAL, and a kill lost what the child had committed to it.
    """
    program = f"""{BEGIN.replace("FORKED_BY", fork)}
import subprocess
start()
work("parent"); assert flush()
(read_end, write_end) = os.pipe()
pid = {fork}()
if pid: os._exit(0)
while os.getppid() == int(sys.argv[1] if len(sys.argv) > 1 else 0): time.sleep(0.01)
reader = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('select count(*) from calls').fetchone()[0])"
for n in range(1, 11):
    work("child", n); assert flush(20)
    done = subprocess.run([sys.executable, "-c", reader, os.environ["CALLTAPE_DB"]], capture_output=True, text=True)
    assert done.stdout.strip() == str(n + 1), (n, done)
os.kill(os.getpid(), signal.SIGKILL)
"""
    # The parent is gone at once, and the program's pipes stay open until its child is, too.
    tape = run_program(program).tape
    assert Counter(call["args"] for call in tape.calls()) == Counter(
        ['{"who":"parent","n":0,"(defaults)":["n"]}', *(f'{{"who":"child","n":{n}}}' for n in range(1, 11))]
    )


@pytest.mark.parametrize("fork", ["os.fork", "c_fork"])
def test_a_child_never_touches_the_parents_journal(run_program: RunProgram, fork: str) -> None:
    """The parent's mappings of it are kept out of the child, in which each touch of one is a SIGSEGV then."""
    program = f"""{BEGIN.replace("FORKED_BY", fork)}
libc = ctypes.PyDLL(None)
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
@monitor
def suspended():
    for n in range(3): yield work("generator", n)
@monitor
def failing(): raise ValueError("no")
@monitor
def outer():
    half = suspended(); next(half)
    kept = 0
    for line in open("/proc/self/maps"):
        if ".tape/" in line:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            assert libc.madvise(begin, end - begin, 10) == 0  # MADV_DONTFORK
            kept += 1
    assert kept > 1
    with calltape.span("a span"):
        pid = {fork}()
        if pid == 0:
            calltape.current().set("late", 1)
            assert stats().recorded == 0
            list(half)
    if pid == 0: return 0
    wait_for(pid)
    assert len(list(half)) == 2
    return pid
start()
sampled = monitor(lambda: 1, name="m.sampled", sample_rate=0.5)
for n in range(100): sampled()
pid = outer()
sampled()
try: failing()
except ValueError: pass
thread = threading.Thread(target=work, args=("thread",)); thread.start(); thread.join()
assert flush(20), os.getpid()
if pid == 0: stop(); start(); work("again"); assert flush(20); os._exit(0)
"""
    tape = run_program(program).tape
    by_process: dict[int, Counter[tuple[str, str]]] = {}
    for row in tape.rows("SELECT pid, function, status, count(*) AS n FROM calls GROUP BY 1, 2, 3"):
        by_process.setdefault(row["pid"], Counter())[row["function"].rpartition(".")[2], row["status"]] = row["n"]
    parent, child = sorted(by_process.values(), key=lambda counts: -counts["outer", "ok"])
    assert parent["suspended", "ok"] == parent["outer", "ok"] == parent["a span", "ok"] == 1
    assert parent["work", "ok"] == 4
    # The calls that began in the parent end in the parent.
    assert child["work", "ok"] == 4
    assert {name for name, _ in child} <= {"work", "failing", "sampled"}
    assert child["failing", "error"] == 1


@pytest.mark.timeout(120 + ROUNDS)
@pytest.mark.parametrize("fork", ["os.fork", "c_fork"])
def test_forks_while_four_threads_record_lose_and_double_nothing(run_program: RunProgram, fork: str) -> None:
    program = f"""{BEGIN.replace("FORKED_BY", fork)}
start(on_full="block", block_timeout=30)
going = True
made = [0] * 4
def record(thread):
    while going:
        work("thread", thread * 1_000_000_000 + made[thread])
        made[thread] += 1
        if made[thread] % 8 == 0: time.sleep(0.002)
threads = [threading.Thread(target=record, args=[number]) for number in range(4)]
for thread in threads: thread.start()
children = 0
for n in range({ROUNDS}):
    watched(60)
    if n % 10 == 9: flush(20)
    pid = {fork}()
    if pid == 0:
        watched(30)
        for m in range(5): work("child", n * 10 + m)
        if n % 4 == 0: assert flush(20)
        if n % 4 == 1: stats()
        os._exit(0)
    if n % 3: wait_for(pid)
    else: children += 1
while children: assert os.wait()[1] == 0; children -= 1
going = False
for thread in threads: thread.join()
print(sum(made), stats().hurried_forks)
stop(60)
"""
    # Python warns of its own four threads.
    ended = run_program(program, env={"PYTHONWARNINGS": "ignore"})
    made, _hurried = map(int, ended.stdout.split())
    run_program(f"{BEGIN}\nstart(); assert flush(60)\n")
    tape = ended.tape
    calls = tape.rows("SELECT args ->> 'who' AS who, args ->> 'n' AS n, status FROM calls")
    assert {call["status"] for call in calls} == {"ok"}
    children = Counter(call["n"] for call in calls if call["who"] == "child")
    assert children == Counter(n * 10 + m for n in range(ROUNDS) for m in range(5))
    threads = Counter(call["n"] for call in calls if call["who"] == "thread")
    assert len(threads) == made
    assert set(threads.values()) == {1}
    assert tape.rows("SELECT sum(dropped) + sum(unknown) AS n FROM accounting") == [{"n": 0}]
