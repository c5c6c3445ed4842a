"""A generator is a call from where it is made to where its body ends; what it gives out is counted, not kept."""

from conftest import RunProgram

HEAD = """
import asyncio, gc, sys
from calltape import monitor, flush, stats
"""


def test_every_way_to_end_has_its_status_and_its_items_are_counted(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor
def count(to, how=""):
    for n in range(to): yield n
    if how == "raises": raise ValueError("no")
    return "end"
def delegate():
    assert (yield from count(2, "delegated to")) == "end"
assert list(count(3, "to the end")) == [0, 1, 2]
assert list(delegate()) == [0, 1]
try: list(count(1, "raises"))
except ValueError: pass
half = count(5, "dropped"); next(half); next(half); del half
half = count(5, "closed"); next(half); half.close(); half.close()
count(5, "never begun")
never = count(5, "closed unbegun"); never.close()
thrown = count(5, "thrown into"); next(thrown)
try: thrown.throw(KeyError("k"))
except KeyError: pass
for n in count(5, "left"):
    if n == 3: break
cycle = count(5, "in a cycle"); next(cycle); cycle_holder = [cycle]; cycle_holder.append(cycle_holder)
del cycle, cycle_holder; gc.collect()
"""
    )
    calls = run_program(program).tape.calls("count")
    how = [
        (call["args"].split('"')[5], call["status"], call["yields"], call["result"])
        for call in calls
        if '"how"' in call["args"]
    ]
    assert how == [
        ("to the end", "ok", 3, '"end"'),
        ("delegated to", "ok", 2, '"end"'),
        ("raises", "error", 1, None),
        ("dropped", "closed", 2, None),
        ("closed", "closed", 1, None),
        ("never begun", "abandoned", 0, None),
        ("closed unbegun", "abandoned", 0, None),
        ("thrown into", "error", 1, None),
        ("left", "closed", 4, None),
        ("in a cycle", "closed", 1, None),
    ]
    assert {call["kind"] for call in calls} == {"generator"}


def test_nothing_is_current_while_the_body_is_suspended(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
from calltape import current
@monitor
def leaf(where): return where
@monitor
def numbers():
    leaf("inside")
    yield current().id
    try: yield current().id
    finally: leaf("cleaning")
assert current().id is None
for own in numbers():
    assert current().id is None and own is not None
    leaf("between")
half = numbers(); next(half); next(half); del half
assert current().id is None
"""
    )
    tape = run_program(program).tape
    kinds = {call["id"]: call["kind"] for call in tape.calls()}
    leaves = [(call["args"][10:-2], kinds.get(call["parent_id"])) for call in tape.calls("leaf")]
    inside = [("inside", "generator"), ("cleaning", "generator")]
    assert sorted(leaves) == sorted([*inside, *inside, ("between", None), ("between", None)])


def test_async_generators_end_in_the_same_ways(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor
async def count(to, how):
    for n in range(to):
        await asyncio.sleep(0)
        yield n
    if how == "raises": raise ValueError("no")
async def main():
    assert [n async for n in count(3, "to the end")] == [0, 1, 2]
    try: [n async for n in count(1, "raises")]
    except ValueError: pass
    left = count(5, "left")
    async for n in left: break
    await left.aclose()
    unbegun = count(5, "unbegun"); await unbegun.aclose()
    count(5, "dropped unbegun")
    sent = count(5, "sent to"); await sent.asend(None); await sent.asend("x")
    try: await sent.athrow(KeyError("k"))
    except KeyError: pass
    async for n in count(5, "left to the loop"): break
    waiting = asyncio.create_task(anext(count(5, "cancelled")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
asyncio.run(main())
"""
    )
    calls = run_program(program).tape.calls("count")
    how = [(call["args"].split('"')[5], call["status"], call["yields"]) for call in calls]
    assert how == [
        ("to the end", "ok", 3),
        ("raises", "error", 1),
        ("left", "closed", 1),
        ("unbegun", "abandoned", 0),
        ("dropped unbegun", "abandoned", 0),
        ("sent to", "error", 2),
        ("left to the loop", "closed", 1),
        ("cancelled", "cancelled", 0),
    ]
    assert {call["kind"] for call in calls} == {"async_generator"}


def test_an_error_in_a_finalizer_is_the_calls_error_and_still_unraisable(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
seen = []
sys.unraisablehook = seen.append
@monitor
def stubborn():
    try: yield 1
    finally: raise ValueError("while closing")
half = stubborn(); next(half); del half
assert [type(s.exc_value) for s in seen] == [ValueError], seen
"""
    )
    (call,) = run_program(program).tape.calls()
    assert (call["status"], call["error_type"], call["error_message"]) == ("error", "ValueError", "while closing")


def test_ends_that_find_no_room_are_written_when_there_is_some(run_program: RunProgram) -> None:
    program = """
import sqlite3, subprocess, sys, os
from calltape import monitor, start, stop, flush, stats
@monitor
def warm(): pass
start(); warm(); stop()
holder = subprocess.Popen([sys.executable, "-c", '''
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
''', os.environ["CALLTAPE_DB"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
assert holder.stdout.readline() == "locked\\n"
start(journal_limit="2MiB")
@monitor
def fill(text): return text
@monitor
def numbers():
    yield 1
    yield 2
many = [numbers() for _ in range(1000)]
for each in many: next(each)
while stats().dropped < 100: fill("x" * 900)
dropped_before = stats().dropped
for each in many: assert list(each) == [2]
assert stats().dropped == dropped_before
holder.stdin.close(); holder.wait()
assert flush(30), stats()
fill("x")
assert flush(30), stats()
figures = stats()
assert figures.in_flight == 0 and figures.faults == 0, figures
"""
    tape = run_program(program).tape
    ended = [(call["status"], call["yields"]) for call in tape.calls("numbers")]
    assert ended == [("ok", 2)] * 1000
