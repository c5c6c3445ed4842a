"""What is left out ends with its tree: the thread's next calls are recorded as ever."""

from conftest import RunProgram

AFTER = """
@monitor
def after(place): return place
"""


def test_a_tree_that_raises_leaves_nothing_behind(run_program: RunProgram) -> None:
    program = f"""
from calltape import current, monitor
{AFTER}
@monitor(sample_rate=0)
def raises(n):
    if n: raises(n - 1)
    raise KeyError(n)
for _ in range(3):
    try: raises(5)
    except KeyError: pass
    after("raised")
    assert current().id is None
"""
    tape = run_program(program).tape
    assert len(tape.calls("after")) == 3
    assert {call["parent_id"] for call in tape.calls()} == {None}


def test_a_body_that_is_resumed_elsewhere_takes_its_tree_along_and_leaves_none_there(run_program: RunProgram) -> None:
    program = f"""
import threading
from calltape import monitor
{AFTER}
@monitor
def within(): pass
@monitor(sample_rate=0)
def body():
    while True:
        within(); yield
def left_out_call(): return body()
left_out_call = monitor(left_out_call, sample_rate=0, name="x.left_out_call")
bodies = [body(), left_out_call()]
def resume():
    for suspended in bodies: next(suspended)
    after("thread")
@monitor
def recorded():
    for suspended in bodies: next(suspended)
    after("recorded")
for _ in range(3):
    thread = threading.Thread(target=resume); thread.start(); thread.join()
    recorded()
    after("main")
for suspended in bodies: suspended.close()
after("closed")
"""
    tape = run_program(program).tape
    assert tape.calls("within") == []
    assert tape.accounting()["within"]["sampled_out"] == 12
    parents = {call["id"]: call["function"] for call in tape.calls()}
    ordered = sorted(tape.calls("after"), key=lambda call: int(call["started_ns"]))
    afters = [(call["args"][10:-2], parents.get(call["parent_id"])) for call in ordered]
    assert afters == [("thread", None), ("recorded", "__main__.recorded"), ("main", None)] * 3 + [("closed", None)]
    assert {name: book["in_flight"] for name, book in tape.accounting().items() if book["in_flight"]} == {}


def test_what_a_left_out_tree_starts_is_left_out_and_what_others_start_is_not(run_program: RunProgram) -> None:
    program = """
import asyncio, contextvars
from calltape import monitor
@monitor(sample_rate=0)
async def left_out():
    return asyncio.create_task(later("left out"))
@monitor
async def recorded():
    return asyncio.create_task(later("recorded"))
async def later(where):
    for _ in range(3):
        await asyncio.sleep(0); step(where)
@monitor
def step(where): return where
@monitor(sample_rate=0)
def copies(): return contextvars.copy_context()
async def main():
    one, two = await asyncio.gather(left_out(), recorded())
    await asyncio.gather(one, two)
    step("outside")
asyncio.run(main())
copies().run(step, "in a copy")
step("outside")
"""
    tape = run_program(program).tape
    [recorded] = tape.calls("recorded")
    steps = [(call["args"][10:-2], call["parent_id"]) for call in tape.calls("step")]
    assert steps == [("recorded", recorded["id"])] * 3 + [("outside", None)] * 2
    assert tape.accounting()["step"]["sampled_out"] == 4


def test_suppressed_blocks_stand_in_left_out_trees_and_around_them(run_program: RunProgram) -> None:
    program = f"""
from calltape import current, monitor, suppressed
{AFTER}
@monitor(sample_rate=0)
def left_out():
    with suppressed(): after("suppressed")
    after("left out")
    assert current().id is None
with suppressed(): left_out()
left_out()
after("outside")
"""
    tape = run_program(program).tape
    assert [call["args"] for call in tape.calls()] == ['{"place":"outside"}']
    books = tape.accounting()
    assert (books["left_out"]["calls"], books["after"]["calls"], books["after"]["sampled_out"]) == (1, 2, 1)


def test_a_left_out_tree_ends_with_its_run(run_program: RunProgram) -> None:
    program = f"""
from calltape import monitor, start, stop
import os
{AFTER}
@monitor(sample_rate=0)
def left_out(depth):
    if depth: return left_out(depth - 1)
    stop()
    after("stopped")
    start()
    after("in the next run")
def body():
    yield stop()
    yield start()
    after("in the next run")
body = monitor(body, sample_rate=0, name="x.body")
start()
left_out(2)
after("outside")
list(body())
after("outside")
"""
    tape = run_program(program).tape
    calls = [call["args"] for call in tape.calls("after")]
    assert calls == [f'{{"place":"{place}"}}' for place in ["in the next run", "outside"] * 2]
    assert {call["parent_id"] for call in tape.calls()} == {None}


def test_a_forked_child_in_a_left_out_tree_records_its_own(run_program: RunProgram) -> None:
    program = f"""
import os, warnings
from calltape import monitor
{AFTER}
after("before")
@monitor(sample_rate=0)
def left_out():
    child = os.fork()
    if child == 0:
        after("child")
    else:
        os.waitpid(child, 0)
    return child
if left_out() == 0:
    after("child again")
else:
    after("parent")
"""
    tape = run_program(program, env={"PYTHONWARNINGS": "ignore"}).tape
    places = sorted(call["args"][10:-2] for call in tape.calls("after"))
    assert places in (["before", "child", "child again", "parent"], ["before", "child again", "parent"])
    assert {call["parent_id"] for call in tape.calls()} == {None}


def test_recursion_through_left_out_calls_ends_at_the_usual_depth(run_program: RunProgram) -> None:
    program = f"""
import sys
from calltape import monitor
{AFTER}
@monitor(sample_rate=0)
def down(n): return n if n == 0 else down(n - 1)
sys.setrecursionlimit(3000)
assert down(900) == 0
try: down(10_000)
except RecursionError: after("caught")
"""
    tape = run_program(program).tape
    assert len(tape.calls("after")) == 1
    book = tape.accounting()["down"]
    assert book["calls"] == book["stored"] + book["sampled_out"]
    assert book["stored"] > 900


def test_spans_in_a_left_out_tree_are_left_out_and_used_again(run_program: RunProgram) -> None:
    program = f"""
import asyncio
from calltape import current, monitor, span
{AFTER}
block = span("block", where="anywhere")
@monitor(sample_rate=0)
def left_out():
    with block as running, block:
        assert running.id is None
        running.set("key", "value")
        after("inside")
@monitor
def recorded():
    with block as running:
        assert running.id is not None
        left_out()
        after("inside")
left_out(); recorded()
@monitor(sample_rate=0)
async def task(n):
    async with block: await asyncio.sleep(0.001 * n)
async def main(): await asyncio.gather(*(task(n) for n in range(5)))
asyncio.run(main())
"""
    tape = run_program(program).tape
    [recorded], [block], [after] = tape.calls("recorded"), tape.calls("block"), tape.calls("after")
    assert (block["parent_id"], after["parent_id"]) == (recorded["id"], block["id"])
    assert tape.accounting()["block"]["sampled_out"] == 2 + 2 + 5
