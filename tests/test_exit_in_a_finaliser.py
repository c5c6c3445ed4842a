"""The interpreter exits while a daemon thread is in the `finally` of a body that nobody refers to any more.

It ends such a thread by unwinding its stack. What frees a recorded object called the finaliser by a declaration that
knows no unwinding, and the process was aborted (SIGABRT) instead of ending with its own exit code.
"""

import pytest
from conftest import RunProgram

PROGRAM = """
import sys, threading, time
from calltape import monitor
inside = threading.Event()
def rest():
    inside.set()
    time.sleep(0.05)
@monitor
def generator():
    try: yield
    finally: rest()
class Wait:
    def __await__(self): yield
@monitor
async def coroutine():
    try: await Wait()
    finally: rest()
@monitor
async def async_generator():
    try: yield
    finally: rest()
def drop_generator(): next(generator())
def drop_coroutine(): coroutine().send(None)
def drop_awaiter(): next(coroutine().__await__())
def drop_async_generator():
    try: async_generator().__anext__().send(None)
    except StopIteration: pass
def run():
    while True: DROP()
threading.Thread(target=run, daemon=True).start()
assert inside.wait(10)
sys.exit(3)
"""


@pytest.mark.parametrize("drop", ["drop_generator", "drop_coroutine", "drop_awaiter", "drop_async_generator"])
def test_the_exit_code_stays(run_program: RunProgram, drop: str) -> None:
    ended = run_program(PROGRAM.replace("DROP", drop), check=False)
    assert (ended.returncode, ended.stderr) == (3, "")
