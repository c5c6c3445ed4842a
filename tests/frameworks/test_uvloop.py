"""uvloop, whose tasks and callbacks are native: tree, statuses and results are those of asyncio's own loop."""

import pytest
from conftest import RunProgram
from trees import tree

BEGIN = """
import asyncio, contextlib, contextvars, sys, threading
import uvloop
from calltape import monitor

def run(main):
    factory = uvloop.new_event_loop if sys.argv[1] == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        assert type(runner.get_loop()).__module__.startswith("uvloop") == (sys.argv[1] == "uvloop")
        return runner.run(main())

@monitor
async def leaf(number=0):
    await asyncio.sleep(0)
    return number
"""

pytestmark = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


def test_the_tree_follows_tasks_groups_timeouts_and_threads(run_program: RunProgram, loop: str) -> None:
    program = """
@monitor
def in_a_thread(number):
    return number + 1
@monitor
async def gathers():
    assert await asyncio.gather(leaf(1), leaf(2)) == [1, 2]
@monitor
async def groups():
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(leaf(number)) for number in range(2)]
    assert [task.result() for task in tasks] == [0, 1]
@monitor
async def waits():
    assert await asyncio.wait_for(leaf(3), 10) == 3
    async with asyncio.timeout(10):
        await leaf()
@monitor
async def threads():
    assert await asyncio.to_thread(in_a_thread, 1) == 2
    assert await asyncio.get_running_loop().run_in_executor(None, in_a_thread, 2) == 3
@monitor
async def main():
    await asyncio.create_task(gathers())
    await groups()
    await waits()
    await threads()
    await leaf()
run(main)
"""
    tape = run_program(BEGIN + program, loop).tape
    assert tree(tape) == (
        "main\n"
        "  gathers\n    leaf\n    leaf\n"
        "  groups\n    leaf\n    leaf\n"
        "  leaf\n"
        "  threads\n    in_a_thread\n    in_a_thread\n"
        "  waits\n    leaf\n    leaf\n"
    )


def test_cancellation_and_timeouts_are_told_from_failures(run_program: RunProgram, loop: str) -> None:
    program = """
@monitor
async def forever():
    await asyncio.get_running_loop().create_future()
@monitor
async def cancelled_by_hand():
    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
@monitor
async def too_slow():
    await asyncio.wait_for(forever(), 0.01)
@monitor
async def swallows():
    try:
        await forever()
    except asyncio.CancelledError:
        return "went on"
@monitor
async def main():
    await cancelled_by_hand()
    with contextlib.suppress(TimeoutError):
        await too_slow()
    task = asyncio.create_task(swallows())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "went on"
run(main)
"""
    tape = run_program(BEGIN + program, loop).tape
    assert tree(tape) == (
        "main\n"
        "  cancelled_by_hand\n    forever [cancelled]\n"
        "  swallows\n    forever [cancelled]\n"
        "  too_slow [error]\n    forever [cancelled]\n"
    )


def test_a_callback_is_below_who_asked_for_it_where_the_loop_copies_the_context_in_python(
    run_program: RunProgram, loop: str
) -> None:
    program = """
@monitor
def called_back(done):
    done.set_result(None)
@monitor
async def main():
    loop = asyncio.get_running_loop()
    for ask in (loop.call_soon, loop.call_soon_threadsafe, lambda *call: loop.call_later(0.001, *call)):
        done = loop.create_future()
        ask(called_back, done)
        await done
run(main)
called_back(asyncio.Future(loop=asyncio.new_event_loop()))
"""
    tape = run_program(BEGIN + program, loop, env={"PYTHONWARNINGS": "ignore"}).tape
    if loop == "asyncio":
        assert tree(tape) == "called_back\nmain\n  called_back\n  called_back\n  called_back\n"
    else:  # uvloop copies the context in its own C code: docs/decisions/007-the-running-call-in-copied-contexts.md
        assert tree(tape) == "called_back\ncalled_back\ncalled_back\ncalled_back\nmain\n"


def test_streams_and_subprocesses_work(run_program: RunProgram, loop: str) -> None:
    program = """
@monitor
async def answer(reader, writer):
    async for line in lines(reader):
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()
@monitor
async def lines(reader):
    while line := await reader.readline():
        yield line
@monitor
async def ask(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello\\nagain\\n")
    writer.write_eof()
    answered = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answered
@monitor
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        assert await ask(server.sockets[0].getsockname()[1]) == b"HELLO\\nAGAIN\\n"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(3)", stdout=asyncio.subprocess.PIPE)
    assert (await child.communicate())[0] == b"3\\n"
run(main)
"""
    tape = run_program(BEGIN + program, loop).tape
    assert {call["function"].rpartition(".")[2]: call["status"] for call in tape.calls()} == dict.fromkeys(
        ["main", "ask", "answer", "lines"], "ok"
    )
    assert [call["yields"] for call in tape.calls("lines")] == [2]
    [lines], [answer] = tape.calls("lines"), tape.calls("answer")
    assert lines["parent_id"] == answer["id"]


def test_coroutines_and_their_task_are_the_loops_own(run_program: RunProgram, loop: str) -> None:
    program = """
variable = contextvars.ContextVar("variable", default=0)
@monitor
async def sets(number):
    variable.set(number)
    await asyncio.sleep(0)
    return variable.get(), asyncio.current_task().get_name(), asyncio.current_task().get_coro().__name__
@monitor
async def main():
    assert await sets(1) == (1, "the main one", "main")
    assert variable.get() == 1
    assert await asyncio.create_task(sets(2), name="the second") == (2, "the second", "sets")
    assert variable.get() == 1
    assert not [name for name in contextvars.copy_context() if name.name not in ("variable", "calltape")]
async def start():
    await asyncio.create_task(main(), name="the main one")
run(start)
"""
    tape = run_program(BEGIN + program, loop).tape
    assert tree(tape) == "main\n  sets\n  sets\n"
    assert [call["task"] for call in tape.calls()] == ["the main one", "the main one", "the second"]
