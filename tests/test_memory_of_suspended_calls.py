"""A million coroutines and generators that come and go take no more memory than the first hundred thousand.

What is kept of a suspended call beside its object goes with the object, however that ends: awaited, dropped before it
began, dropped half-way. The journal is small, so that it is full long before the first reading, and `on_full="block"`
loses nothing: what the tape says must be exact.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import RunProgram

CALLS = 1_000_000

# Bytes of resident memory; the first reading is taken after a tenth of the calls.
MOST_GROWTH = 8 << 20

PROGRAM = f"""
import asyncio, mmap, sys, warnings
from pathlib import Path
from calltape import monitor, start, stats, stop

warnings.simplefilter("ignore", RuntimeWarning)  # a coroutine was never awaited: a million times
start(on_full="block", block_timeout=60, journal_limit="2MiB")
record = monitor(capture={{"args": False, "result": False}})

class Suspension:
    def __await__(self):
        yield

@record
async def coroutine(number):
    return number

@record
async def suspended(number):
    await Suspension()

@record
def generator(number):
    yield number
    yield number

@record
async def async_generator(number):
    yield number
    yield number

async def awaited(numbers):
    for number in numbers:
        await coroutine(number)

def make(numbers, what):
    match what:
        case "dropped":
            for number in numbers: coroutine(number)
        case "awaited":
            asyncio.run(awaited(numbers))
        case "suspended":
            for number in numbers: suspended(number).send(None)
        case "generator":
            for number in numbers: next(generator(number))
        case "async generator":
            for number in numbers:
                try: async_generator(number).__anext__().send(None)
                except StopIteration: pass

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE

readings = []
for hundred_thousand in range(10):
    make(range({CALLS // 10}), sys.argv[1])
    readings.append(resident())
assert max(readings) - readings[0] < {MOST_GROWTH}, [reading >> 10 for reading in readings]
assert stop(60)
"""


@pytest.fixture(autouse=True)
def _no_big_tape_is_left(tape_path: Path) -> Iterator[None]:
    """pytest keeps the directories of its last runs."""
    yield
    shutil.rmtree(tape_path.parent, ignore_errors=True)


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("dropped", "abandoned"),
        ("awaited", "ok"),
        ("suspended", "closed"),
        ("generator", "closed"),
        ("async generator", "closed"),
    ],
)
def test_a_million_objects_take_no_more_memory_than_the_first(run_program: RunProgram, what: str, status: str) -> None:
    tape = run_program(PROGRAM, what).tape
    assert tape.rows("SELECT status, count(*) AS n FROM calls GROUP BY status") == [{"status": status, "n": CALLS}]
    [book] = tape.rows("SELECT * FROM accounting")
    assert (book["calls"], book["stored"], book["dropped"]) == (CALLS, CALLS, 0)
    assert (book["sampled_out"], book["in_flight"], book["unknown"]) == (0, 0, 0)
