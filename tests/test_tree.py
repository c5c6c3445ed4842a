"""Which call made which: parent and root within a thread; a new thread begins a tree of its own."""

import sys

import pytest
from conftest import RunProgram


def test_calls_know_their_parent_and_root_also_after_an_exception(run_program: RunProgram) -> None:
    program = """
from calltape import monitor

@monitor
def leaf(n):
    if n == 1: raise ValueError
@monitor
def middle(n):
    try: leaf(n)
    except ValueError: pass
    leaf(0)
@monitor
def top():
    middle(0); middle(1)
top(); leaf(5)
"""
    calls = run_program(program).tape.calls()
    by_id = {call["id"]: call for call in calls}

    def line(call: dict[str, object]) -> str:
        parent = by_id.get(call["parent_id"])
        above = line(parent) + " > " if parent else ""
        return above + str(call["function"]).rpartition(".")[2]

    assert [line(call) for call in calls] == [
        "top",
        "top > middle",
        "top > middle > leaf",
        "top > middle > leaf",
        "top > middle",
        "top > middle > leaf",
        "top > middle > leaf",
        "leaf",
    ]
    assert {call["root_id"] for call in calls[:7]} == {calls[0]["id"]}
    assert calls[7]["root_id"] == calls[7]["id"]
    assert all(call["duration_ns"] >= 0 for call in calls)
    assert all(call["started_ns"] >= by_id[call["parent_id"]]["started_ns"] for call in calls if call["parent_id"])


def test_threads_have_names_and_trees_of_their_own(run_program: RunProgram) -> None:
    program = """
import threading, _thread, time
from calltape import monitor

@monitor
def work(n): return n
@monitor
def outer():
    threads = [threading.Thread(target=work, args=(n,), name=f"worker-{n}") for n in range(20)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
outer()
_thread.start_new_thread(work, (99,))
time.sleep(0.2)
assert len(threading.enumerate()) == 1, threading.enumerate()
"""
    calls = run_program(program).tape.calls("work")
    assert {call["thread"] for call in calls[:20]} == {f"worker-{n}" for n in range(20)}
    assert all(call["parent_id"] is None for call in calls)
    assert calls[20]["thread"].startswith("thread-")


def test_ten_thousand_short_lived_threads_lose_nothing(run_program: RunProgram) -> None:
    program = """
import threading
from calltape import monitor, stats

@monitor
def work(n): return n
for n in range(10_000):
    thread = threading.Thread(target=work, args=(n,))
    thread.start(); thread.join()
print(stats().journal_bytes)
"""
    ended = run_program(program)
    assert ended.tape.accounting()["work"]["stored"] == 10_000
    assert {call["args"] for call in ended.tape.calls("work")} == {f'{{"n":{n}}}' for n in range(10_000)}
    assert int(ended.stdout) <= 4 << 20


def test_recursion_to_the_limit_fails_at_the_same_depth(run_program: RunProgram) -> None:
    program = """
import sys
from calltape import monitor

def depth_reached(function):
    reached = 0
    def bare(n):
        nonlocal reached
        reached = n
        return again(n + 1)
    again = function(bare)
    try: again(1)
    except RecursionError: pass
    return reached
assert depth_reached(lambda f: f) == depth_reached(monitor) > 900
sys.setrecursionlimit(3000)
assert depth_reached(lambda f: f) == depth_reached(monitor) > 2900
"""
    calls = run_program(program).tape.calls()
    assert {call["error_type"] for call in calls} == {"RecursionError"}
    assert len(calls) > 3800


def test_calls_nested_deeper_than_a_segment_can_end_are_dropped_and_counted(run_program: RunProgram) -> None:
    program = """
import sys, threading
from calltape import monitor, stats
@monitor
def down(n):
    if n: down(n - 1)
def deep():
    sys.setrecursionlimit(20_000)
    down(6000)
threading.stack_size(256 << 20)
thread = threading.Thread(target=deep)
thread.start(); thread.join()
"""
    book = run_program(program).tape.accounting()["down"]
    assert book["calls"] == 6001 == book["stored"] + book["dropped"]
    assert book["unknown"] == 0
    assert book["stored"] > 3500


def test_five_hundred_threads_at_once_lose_nothing(run_program: RunProgram) -> None:
    # Each keeps one of 512 segments. What they hold is stored half way, for on a slow machine more than 416 threads can
    # begin before anything is, and then calls are thinned: docs/performance-guide.md.
    program = """
import threading
from calltape import flush, monitor
gate = threading.Event()
@monitor
def work(n): return n
def body(n, called):
    work(n); called.set(); gate.wait()
threads = []
for half in range(2):
    for n in range(250):
        called = threading.Event()
        threads.append(threading.Thread(target=body, args=(n, called)))
        threads[-1].start()
        called.wait()
    assert flush(60)
gate.set()
for thread in threads: thread.join()
"""
    book = run_program(program).tape.accounting()["work"]
    assert (book["stored"], book["dropped"]) == (500, 0)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 counts no C levels: docs/unsupported-patterns.md")
def test_a_recursion_beyond_the_c_stack_is_an_error_and_no_crash(run_program: RunProgram) -> None:
    program = """
import sys
from calltape import monitor, stats
sys.setrecursionlimit(200_000)
@monitor
def down(n): return n if n <= 1 else down(n - 1)
try: down(90_000)
except RecursionError: print("refused")
assert down(500) == 1
assert stats().faults == 0
"""
    assert run_program(program).stdout == "refused\n"
