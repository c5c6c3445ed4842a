"""A coroutine is a call from where it is called to where its body ends, with every way a body can end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import RunProgram

HEAD = """
import asyncio, gc, warnings
from calltape import monitor, flush, stats
"""


def test_its_time_is_from_call_to_end_and_its_active_time_that_of_its_body(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
import time
@monitor
async def work(n):
    await asyncio.sleep(0.05)
    until = time.perf_counter() + 0.02
    while time.perf_counter() < until: pass
    await asyncio.sleep(0.05)
    return n * 2
async def main():
    waiting = work(21)
    await asyncio.sleep(0.05)
    assert await waiting == 42
asyncio.run(main())
"""
    )
    (call,) = run_program(program).tape.calls()
    assert (call["kind"], call["status"], call["args"], call["result"]) == ("coroutine", "ok", '{"n":21}', "42")
    assert call["duration_ns"] >= 160e6
    assert 20e6 <= call["active_ns"] <= call["duration_ns"] - 140e6
    assert call["yields"] is None
    assert call["task"] == "Task-1"


def test_every_way_to_end_has_its_status(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
warnings.simplefilter("ignore")
@monitor
async def ends(how):
    if how == "raises": raise ValueError("no")
    if how == "waits": await asyncio.sleep(30)
    if how == "swallows":
        try: await asyncio.sleep(30)
        except asyncio.CancelledError: return "swallowed"
    if how == "cleans":
        try: await asyncio.sleep(30)
        finally: raise KeyError("while cleaning")
async def cancel(how, after=0):
    task = asyncio.ensure_future(ends(how))
    for _ in range(after): await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
async def main():
    await ends("returns")
    try: await ends("raises")
    except ValueError as error: assert error.args == ("no",)
    await cancel("waits", after=1)
    await cancel("waits")  # before it began
    await cancel("swallows", after=1)
    await cancel("cleans", after=1)
    try: await asyncio.wait_for(ends("waits"), 0.01)
    except TimeoutError: pass
    ends("dropped")
    closed = ends("closed at once"); closed.close()
    stepped = ends("waits"); stepped.send(None); stepped.close()
    stepped = ends("waits"); stepped.send(None); del stepped
asyncio.run(main())
"""
    )
    calls = run_program(program).tape.calls()
    assert [(call["args"][8:-2], call["status"], call["error_type"]) for call in calls] == [
        ("returns", "ok", None),
        ("raises", "error", "ValueError"),
        ("waits", "cancelled", "asyncio.exceptions.CancelledError"),
        ("waits", "cancelled", "asyncio.exceptions.CancelledError"),
        ("swallows", "ok", None),
        ("cleans", "error", "KeyError"),
        ("waits", "cancelled", "asyncio.exceptions.CancelledError"),
        ("dropped", "abandoned", None),
        ("closed at once", "abandoned", None),
        ("waits", "closed", None),
        ("waits", "closed", None),
    ]
    assert calls[4]["result"] == '"swallowed"'


def test_one_that_is_never_awaited_still_warns(run_program: RunProgram) -> None:
    program = HEAD + "@monitor\nasync def forgotten(): pass\nforgotten()\n"
    ended = run_program(program, env={"PYTHONWARNINGS": "default"})
    assert "RuntimeWarning: coroutine 'forgotten' was never awaited" in ended.stderr
    assert [(call["status"], call["active_ns"]) for call in ended.tape.calls()] == [("abandoned", 0)]


NEVER_COMPLETES = (
    HEAD
    + """
@monitor
async def stuck(order): await asyncio.get_running_loop().create_future()
@monitor
def numbers():
    yield 1
    yield 2
async def main():
    half = numbers(); next(half)
    task = asyncio.create_task(stuck({"id": 7}))
    await asyncio.sleep(0)
    assert flush()
    assert stats().in_flight == 2
    print("stuck", flush=True)
    await task
asyncio.run(main())
"""
)


def test_one_that_never_completes_is_running_and_then_interrupted(
    environment: dict[str, str], tape_path: Path, tmp_path: Path, run_program: RunProgram
) -> None:
    def read() -> list[list[str]]:
        query = "import json, sqlite3, sys; database = sqlite3.connect(sys.argv[1]); "
        query += "print(json.dumps(list(database.execute('SELECT function, status, args FROM calls ORDER BY id'))))"
        done = subprocess.run([sys.executable, "-c", query, tape_path], capture_output=True, text=True, check=True)
        rows: list[list[str]] = json.loads(done.stdout)
        return rows

    script = tmp_path / "stuck.py"
    script.write_text(NEVER_COMPLETES, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script)], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "stuck\n"
        assert read() == [
            ["__main__.numbers", "running", "{}"],
            ["__main__.stuck", "running", '{"order":{"id":7}}'],
        ]
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    run_program(HEAD + "import calltape, time\ncalltape.start(); time.sleep(0.3); assert calltape.flush()\n")
    deadline = time.monotonic() + 60
    while (statuses := [row[1] for row in read()]) != ["interrupted", "interrupted"]:
        assert time.monotonic() < deadline, statuses
        time.sleep(0.1)


def test_what_a_run_left_suspended_is_interrupted_at_its_end(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
import calltape
@monitor
def numbers():
    yield 1
    yield 2
kept = numbers(); next(kept)
calltape.stop()
calltape.start()
assert next(kept) == 2 and list(kept) == []
assert list(numbers()) == [1, 2]
"""
    )
    calls = run_program(program).tape.calls()
    assert [(call["status"], call["yields"]) for call in calls] == [("interrupted", None), ("ok", 2)]


@pytest.mark.parametrize("capture", ["args", "result"])
def test_what_is_not_to_be_captured_is_not(run_program: RunProgram, capture: str) -> None:
    program = (
        HEAD
        + f"""
@monitor(capture={{"{capture}": False}})
async def work(n): return n
asyncio.run(work(3))
"""
    )
    (call,) = run_program(program).tape.calls()
    expected = {"args": '{"n":3}', "result": "3"} | {capture: None}
    assert {key: call[key] for key in expected} == expected
