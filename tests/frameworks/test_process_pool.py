"""Process pools with monitored targets: results and failures come back, and all calls are on the one tape."""

import json
from collections import Counter

import pytest
from conftest import RunProgram
from trees import tree

PROGRAM = """
import asyncio, multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import calltape
from calltape import monitor

@monitor
def squared(number):
    if number == 13:
        raise ValueError("unlucky", number)
    return halved(2 * number * number)

@monitor
def halved(number):
    return number // 2

@monitor
async def summed(numbers):
    return sum(numbers)

@monitor
def counted(to):
    yield from range(to)

@monitor
def run_in_the_pool(what, number):
    return asyncio.run(summed(counted(number))) if what == "sum" else squared(number)

class Worker:
    @monitor
    def __init__(self, factor): self.factor = factor

    @monitor
    def times(self, number): return self.factor * number

    @staticmethod
    @monitor
    def named(number, *, name): return f"{name} {number}"

@monitor
def begin(level):
    global started
    started = level

@monitor
def asked():
    return started

@monitor
def through_executor(pool):
    assert list(pool.map(squared, range(12), chunksize=3)) == [number * number for number in range(12)]
    failed = pool.submit(squared, 13)
    assert isinstance(failed.exception(), ValueError) and failed.exception().args == ("unlucky", 13)
    assert pool.submit(run_in_the_pool, "sum", 5).result() == 10
    assert pool.submit(Worker(3).times, 4).result() == 12
    assert pool.submit(Worker.named, 4, name="four").result() == "four 4"
    assert pool.submit(asked).result() == 7

@monitor
async def through_asyncio(pool):
    loop = asyncio.get_running_loop()
    return await asyncio.gather(*[loop.run_in_executor(pool, squared, number) for number in (20, 30)])

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with ProcessPoolExecutor(2, mp_context=context, initializer=begin, initargs=(7,)) as pool:
        through_executor(pool)
        assert asyncio.run(through_asyncio(pool)) == [400, 900]
    process = context.Process(target=squared, args=(50,))
    process.start(); process.join()
    assert process.exitcode == 0
    assert calltape.flush(30)
"""

# Calls by function: `squared` of 0 to 11, 13, 5 by way of nothing, 20, 30 and 50, each but the 13th with a `halved`.
CALLS = {
    "squared": 16,
    "halved": 15,
    "run_in_the_pool": 1,
    "summed": 1,
    "counted": 1,
    "__init__": 1,
    "times": 1,
    "named": 1,
    "begin": 2,
    "asked": 1,
    "through_executor": 1,
    "through_asyncio": 1,
}


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_every_call_of_every_process_is_on_the_one_tape(run_program: RunProgram, method: str) -> None:
    tape = run_program(PROGRAM, method, env={"PYTHONWARNINGS": "default"}).tape
    calls = tape.calls()
    assert Counter(call["function"].rpartition(".")[2] for call in calls) == CALLS
    assert {call["status"] for call in calls if call["function"].endswith(".squared")} == {"ok", "error"}
    assert [call["status"] for call in calls if call["status"] != "ok"] == ["error"]
    [failed] = [call for call in calls if call["status"] == "error"]
    assert json.loads(failed["args"]) == {"number": 13}

    # The main process, up to two workers of the pool, and the process of its own.
    assert 3 <= len({call["pid"] for call in calls}) <= 4
    assert all(row["calls"] == row["stored"] for row in tape.rows("SELECT * FROM accounting"))
    assert {run["ending"] for run in tape.rows("SELECT ending FROM runs")} <= {"exit", "died"}


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_a_call_in_another_process_begins_a_tree_of_its_own(run_program: RunProgram, method: str) -> None:
    tape = run_program(PROGRAM, method, env={"PYTHONWARNINGS": "default"}).tape
    assert tree(tape, "run_in_the_pool", "through_executor", "through_asyncio") == (
        "run_in_the_pool\n  counted\n  summed\nthrough_asyncio\nthrough_executor\n  __init__\n"
    )
