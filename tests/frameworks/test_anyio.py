"""anyio on asyncio and on trio: the tree follows tasks and threads, and what a scope cancels is `cancelled`."""

import json

import pytest
from conftest import RunProgram
from trees import tree

# anyio is imported before calltape: it has its own names for what the standard library gives it.
BEGIN = """
import contextlib, sys
import anyio, anyio.from_thread, anyio.to_thread
from calltape import monitor

@monitor
async def leaf(number=0):
    await anyio.sleep(0)
    return number
"""

END = """
anyio.run(main, backend=sys.argv[1])
"""

pytestmark = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def test_tasks_of_a_group_are_below_the_coroutine_that_starts_them(run_program: RunProgram, backend: str) -> None:
    program = """
@monitor
async def branch(number):
    await anyio.sleep(0.001 * number)
    await leaf(number)
@monitor
async def serve(*, task_status=anyio.TASK_STATUS_IGNORED):
    await leaf()
    task_status.started(3)
    await leaf()
@monitor
async def main():
    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(branch, number)
        assert await group.start(serve) == 3
        await leaf()
    await leaf()
"""
    tape = run_program(BEGIN + program + END, backend).tape
    assert tree(tape) == (
        "main\n"
        "  branch\n    leaf\n"
        "  branch\n    leaf\n"
        "  branch\n    leaf\n"
        "  leaf\n"
        "  leaf\n"
        "  serve\n    leaf\n    leaf\n"
    )


def test_a_worker_threads_calls_are_below_the_coroutine_that_waits(run_program: RunProgram, backend: str) -> None:
    program = """
@monitor
def in_a_thread(number):
    inner()
    return anyio.from_thread.run(leaf, number)
@monitor
def inner(): pass
@monitor
async def main():
    assert await anyio.to_thread.run_sync(in_a_thread, 3) == 3
    await leaf()
"""
    tape = run_program(BEGIN + program + END, backend).tape
    # What a thread asks for runs in its own name on asyncio, and in the waiting task on trio.
    asked_for = "    leaf\n" if backend == "asyncio" else "  leaf\n"
    assert tree(tape) == f"main\n  in_a_thread\n    inner\n{asked_for}  leaf\n"
    [inner] = tape.calls("in_a_thread")
    [main] = tape.calls("main")
    assert inner["thread"] != main["thread"]


def test_what_a_scope_cancels_is_cancelled_and_the_scopes_owner_goes_on(run_program: RunProgram, backend: str) -> None:
    program = """
@monitor
async def forever():
    await deeper()
@monitor
async def deeper():
    await anyio.sleep_forever()
@monitor
async def tidies_up():
    try:
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True):
            await leaf()
@monitor
async def gives_up():
    with anyio.fail_after(0.01):
        await forever()
@monitor
async def main():
    with anyio.move_on_after(0.01) as scope:
        await forever()
    assert scope.cancelled_caught
    async with anyio.create_task_group() as group:
        group.start_soon(tidies_up)
        await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    with contextlib.suppress(TimeoutError):
        await gives_up()
"""
    tape = run_program(BEGIN + program + END, backend).tape
    assert tree(tape) == (
        "main\n"
        "  forever [cancelled]\n    deeper [cancelled]\n"
        "  gives_up [error]\n    forever [cancelled]\n      deeper [cancelled]\n"
        "  tidies_up [cancelled]\n    leaf\n"
    )
    assert [call["error_type"] for call in tape.calls("gives_up")] == ["TimeoutError"]


def test_a_failing_task_cancels_its_siblings(run_program: RunProgram, backend: str) -> None:
    program = """
@monitor
async def fails():
    await leaf()
    raise LookupError("lost")
@monitor
async def sibling():
    await anyio.sleep_forever()
@monitor
async def work():
    async with anyio.create_task_group() as group:
        group.start_soon(sibling)
        group.start_soon(fails)
@monitor
async def main():
    try:
        await work()
    except* LookupError as caught:
        assert str(caught.exceptions[0]) == "lost"
"""
    tape = run_program(BEGIN + program + END, backend).tape
    assert tree(tape) == "main\n  work [error]\n    fails [error]\n      leaf\n    sibling [cancelled]\n"
    assert [call["error_type"] for call in tape.calls("work")] == ["ExceptionGroup"]


def test_async_generators_and_context_managers_work(run_program: RunProgram, backend: str) -> None:
    program = """
@monitor
async def numbers(to):
    for number in range(to):
        yield await leaf(number)
@contextlib.asynccontextmanager
@monitor
async def opened(name):
    await leaf()
    try:
        yield name.upper()
    except KeyError:
        await leaf()
@monitor
async def main():
    assert [number async for number in numbers(3)] == [0, 1, 2]
    async with contextlib.aclosing(numbers(3)) as left_early:
        async for number in left_early:
            break
    async with opened("door") as door:
        assert door == "DOOR"
        raise KeyError
    send, receive = anyio.create_memory_object_stream(0)
    async with anyio.create_task_group() as group, receive:
        group.start_soon(sender, send)
        assert [item async for item in receive] == [0, 1]
@monitor
async def sender(stream):
    async with stream:
        for number in range(2):
            await stream.send(await leaf(number))
"""
    tape = run_program(BEGIN + program + END, backend).tape
    assert tree(tape) == (
        "main\n"
        "  numbers\n    leaf\n    leaf\n    leaf\n"
        "  numbers [closed]\n    leaf\n"
        "  opened\n    leaf\n    leaf\n"
        "  sender\n    leaf\n    leaf\n"
    )
    assert [call["yields"] for call in tape.calls("numbers")] == [3, 1]
    assert {call["kind"] for call in tape.calls("numbers") + tape.calls("opened")} == {"async_generator"}
    assert json.loads(tape.calls("sender")[0]["args"]).keys() == {"stream"}


def test_the_task_is_named(run_program: RunProgram, backend: str) -> None:
    program = """
@monitor
async def named():
    await anyio.sleep(0)
@monitor
async def main():
    async with anyio.create_task_group() as group:
        group.start_soon(named, name="the worker")
"""
    tape = run_program(BEGIN + program + END, backend).tape
    assert [call["task"] for call in tape.calls("named")] == ["the worker"]
