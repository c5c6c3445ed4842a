"""What a coroutine calls has that coroutine as its parent, wherever and whenever it runs; a bare thread has none."""

import pytest
from conftest import RunProgram

HEAD = """
import asyncio, threading, sys
from concurrent.futures import ThreadPoolExecutor
from calltape import monitor
@monitor
def leaf(how): return how
@monitor
async def child(how):
    await asyncio.sleep(0)
    leaf(how)
"""

ASYNCIO = (
    HEAD
    + """
async def bare(how):
    await asyncio.sleep(0)
    leaf(how)
@monitor
async def parent():
    leaf("directly")
    await child("awaited")
    await asyncio.gather(child("gathered"), bare("gathered bare"))
    async with asyncio.TaskGroup() as group:
        group.create_task(child("grouped"))
        group.create_task(bare("grouped bare"))
    await asyncio.create_task(bare("task"), name="named")
    await asyncio.wait_for(child("in time"), 5)
    await asyncio.wait_for(bare("in time, bare"), 5)
    await asyncio.to_thread(leaf, "another thread")
    await asyncio.get_running_loop().run_in_executor(None, leaf, "pool")
    await asyncio.shield(bare("shielded"))
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: (leaf("called soon"), done.set_result(None)))
    await done
async def main():
    await asyncio.gather(parent(), bare("beside"))
    leaf("after")
RUNNER
"""
)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_calls_know_their_parent_across_tasks_and_pools(run_program: RunProgram, loop: str) -> None:
    program = ASYNCIO.replace(
        "RUNNER", "asyncio.run(main())" if loop == "asyncio" else "import uvloop; uvloop.run(main())"
    )
    calls = run_program(program).tape.calls()
    by_id = {call["id"]: call for call in calls}

    def above(call: dict[str, object]) -> list[object]:
        parent = by_id.get(call["parent_id"])
        return [] if parent is None else [*above(parent), str(parent["function"]).rpartition(".")[2]]

    found = {call["args"][8:-2]: above(call) for call in calls if call["function"].endswith(".leaf")}
    through_child = ["awaited", "gathered", "grouped", "in time"]
    at_once = [
        "directly",
        "gathered bare",
        "grouped bare",
        "task",
        "in time, bare",
        "another thread",
        "pool",
        "shielded",
    ]
    expected = {how: ["parent", "child"] for how in through_child} | {how: ["parent"] for how in at_once}
    # uvloop's callbacks copy the context in C, unseen: a callback that is no task begins a tree of its own there.
    expected |= {"called soon": ["parent"] if loop == "asyncio" else [], "beside": [], "after": []}
    assert found == expected


def test_a_body_that_moves_between_threads_keeps_its_children(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor
def steps():
    for n in range(4):
        leaf(n)
        yield threading.get_ident()
moving = steps()
def step(): seen.append(next(moving))
seen = []
for _ in range(4):
    thread = threading.Thread(target=step); thread.start(); thread.join()
assert list(moving) == []
"""
    )
    tape = run_program(program).tape
    (body,) = tape.calls("steps")
    assert [call["parent_id"] for call in tape.calls("leaf")] == [body["id"]] * 4
    assert (body["status"], body["yields"]) == ("ok", 4)


def test_a_pools_calls_have_their_submitters_call_as_parent_and_a_threads_none(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor
def submit():
    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(leaf, "submitted").result() == "submitted"
        assert list(pool.map(leaf, ["mapped"])) == ["mapped"]
        assert pool.submit(lambda: leaf("nested")).result() == "nested"
        try: pool.submit(int, "x").result()
        except ValueError as error:
            names = []
            traceback = error.__traceback__
            while traceback: names.append(traceback.tb_frame.f_code.co_name); traceback = traceback.tb_next
            assert names == ["submit", "result", "__get_result", "run"], names
    thread = threading.Thread(target=leaf, args=("thread",)); thread.start(); thread.join()
submit()
with ThreadPoolExecutor(1) as pool: pool.submit(leaf, "outside").result()
"""
    )
    tape = run_program(program).tape
    (top,) = tape.calls("submit")
    parents = {call["args"][8:-2]: call["parent_id"] for call in tape.calls("leaf")}
    inside = dict.fromkeys(["submitted", "mapped", "nested"], top["id"])
    assert parents == inside | {"thread": None, "outside": None}


@pytest.mark.skipif("sys.version_info < (3, 12)", reason="eager tasks came with 3.12")
def test_eager_tasks_have_their_maker_as_parent_and_are_tasks_of_their_own(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor
async def parent():
    await asyncio.create_task(child("eager"), name="quick")
async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    await parent()
asyncio.run(main())
"""
    )
    tape = run_program(program).tape
    (parent,), (child,) = tape.calls("parent"), tape.calls("child")
    assert child["parent_id"] == parent["id"]
    # asyncio gives an eager task its name after its first step.
    assert (parent["task"], child["task"]) == ("Task-1", "Task-2")


def test_tasks_of_a_subclass_have_their_maker_as_parent(run_program: RunProgram) -> None:
    """`asyncio.Task`'s slot was hooked, and no subclass has it: each takes it from the method, or calls the method."""
    program = (
        """
import asyncio
class Early(asyncio.Task): pass
class EarlyWithInit(asyncio.Task):
    def __init__(self, *args, **kwargs): super().__init__(*args, **kwargs)
"""
        + HEAD
        + """
async def bare(how):
    await asyncio.sleep(0)
    leaf(how)
@monitor
async def parent(kind): await kind(bare(kind.__name__))
async def main():
    class Late(Early): pass
    class LateWithInit(EarlyWithInit):
        def __init__(self, *args, **kwargs): super().__init__(*args, **kwargs)
    for kind in (Early, EarlyWithInit, Late, LateWithInit): await parent(kind)
asyncio.run(main())
"""
    )
    tape = run_program(program).tape
    assert len(tape.calls("leaf")) == 4
    assert [call["parent_id"] for call in tape.calls("leaf")] == [call["id"] for call in tape.calls("parent")]
