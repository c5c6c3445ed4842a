"""A program whose recording meets the nth failure, for many n: run by the tests of memory pressure, under the shim.

Each round starts a tape of its own, makes calls of every kind, flushes and stops; one of these steps meets the fault.
What the program sees must be as without calltape: results, exceptions, identities. Afterwards each tape is started once
more without a fault, which takes up what a round left behind. Prints one JSON object: what the rounds came to.

    python -m faults.rounds FOLDER STEP WHAT ERRNO once|forever MOST_ROUNDS

The drain works by the clock beside the program, and may leave a step less to ask for than it did in the round that
counted: a round that did not get as far as its fault is made again with one as far from the end.

STEP: start, call, error, flush or stop, or several joined by +. WHAT: alloc, own-alloc (those of the thread that takes
the steps), or names of system calls joined by +.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import calltape
from calltape import monitor
from faults import Faults


class Order:
    """An object whose fields are captured."""

    def __init__(self) -> None:
        self.number = 7
        self.note = "text " * 100


# Rounds until one meets its fault, and the seconds that a flush or stop which cannot end has to meet it.
TRIES = 10
PATIENCE = 2.0

ORDER = Order()
REFUSED = PermissionError("refused", ORDER)


@monitor
def place(order: object, *, rows: list[object], text: str = "") -> tuple[object, list[object]]:
    return order, rows


@monitor
def refuse(order: object) -> None:
    raise REFUSED


@monitor
def around(order: object) -> str:
    try:
        refuse(order)
    except PermissionError as error:
        raise KeyError("around") from error
    return "never"


@monitor
def counted(most: int) -> Iterator[int]:
    yield from range(most)


@monitor
async def awaited(value: object) -> object:
    await asyncio.sleep(0)
    return value


@monitor
async def streamed(most: int) -> AsyncIterator[int]:
    for number in range(most):
        yield number


def ordinary() -> None:
    rows: list[object] = [ORDER, {"key": 1.5}, "y" * 2000, b"z" * 300, {1, 2}, None]
    order, same = place(ORDER, rows=rows, text="é" * 500)
    assert order is ORDER
    assert same is rows
    assert list(counted(3)) == [0, 1, 2]
    with calltape.span("block", number=1):
        calltape.current().set("key", rows)

    async def all_of_it() -> None:
        assert await awaited(ORDER) is ORDER
        assert [number async for number in streamed(2)] == [0, 1]

    asyncio.run(all_of_it())


def raised_by(function: Callable[[object], object]) -> BaseException | None:
    try:
        function(ORDER)
    except Exception as error:
        return error
    return None


def errors() -> None:
    error = raised_by(around)
    assert isinstance(error, KeyError)
    assert error.args == ("around",)
    assert error.__cause__ is REFUSED
    assert raised_by(refuse) is REFUSED
    assert REFUSED.args == ("refused", ORDER)
    assert sys.exc_info() == (None, None, None)
    REFUSED.__traceback__ = None
    REFUSED.__context__ = None


class Rounds:
    """The rounds of one fault."""

    def __init__(self, folder: Path, step: str, what: str, error: int, forever: bool) -> None:
        self.folder, self.step, self.what, self.error, self.forever = folder, step, what, error, forever
        self.is_of_memory = what in ("alloc", "own-alloc")
        self.shim = Faults()
        self.journals: dict[str, int] = {}

    def plan(self, nth: int) -> None:
        if self.is_of_memory:
            threads = "this" if self.what == "own-alloc" else "any"
            self.shim.allocations(nth, forever=self.forever, threads=threads)
        else:
            names = tuple(self.what.split("+"))
            self.shim.calls(nth, self.error, names=names, forever=self.forever)

    def count(self) -> int:
        """How much the step asks for where nothing fails; after a round that has done what only the first does."""
        self.run("-1", -1)
        count, _ = self.run("-2", -1)
        assert count > 0, f"{self.step} asks for nothing"
        return count

    def meet(self, nth: int, count: int) -> bool:
        """Rounds until one has met a fault: the nth of `count`, or as many before the end where it asked for less."""
        planned = nth
        for attempt in range(TRIES):
            name = f"{nth}.{attempt}"
            seen, failed = self.run(name, planned)
            self.take_up(name)
            if failed:
                return True
            planned = max(seen - (count - nth), 0)
        return False

    def wait_for(self, act: Callable[[float], bool], step: str, nth: int) -> None:
        """Flushes or stops; where that may not come to an end, until it has met the fault."""
        endless = self.forever and step == self.step and nth >= 0
        is_done = act(0.1 if endless else 10.0)
        assert is_done or nth >= 0, f"{step} took too long without a fault"
        if is_done:
            return
        patience = time.monotonic() + PATIENCE
        while endless and not self.shim.failed() and time.monotonic() < patience:
            time.sleep(0.001)

    def run(self, name: str, nth: int) -> tuple[int, int]:
        """One round; how much it saw of what was planned, and how much of that failed."""
        steps: dict[str, Callable[[], object]] = {
            "start": lambda: calltape.start(self.folder / name / "calls.db"),
            "call": ordinary,
            "error": errors,
            "flush": lambda: self.wait_for(calltape.flush, "flush", nth),
            "stop": lambda: self.wait_for(calltape.stop, "stop", nth),
        }
        for step, run in steps.items():
            if step == self.step:
                self.plan(nth)
            run()
            if step == self.step:
                # What the step left to the background may meet it too.
                counts = self.shim.off()
            if step == "error":
                journal = calltape.stats().journal
                self.journals[journal] = self.journals.get(journal, 0) + 1
        if self.is_of_memory:
            return counts.allocations, counts.failed_allocations
        return counts.calls, counts.failed_calls

    def take_up(self, name: str) -> None:
        """Stores what a round left in its journal."""
        calltape.start(self.folder / name / "calls.db")
        place(ORDER, rows=[])
        # The thread of a stop that met the fault may still be at work on what it has.
        assert calltape.flush(20.0)
        assert calltape.stop(20.0)


def chosen(count: int, most: int) -> list[int]:
    """Which to let fail: a third from the first on, a third up to the last, the others evenly spread between."""
    if count <= most:
        return list(range(count))
    third = most // 3
    between, spread = count - 2 * third, most - 2 * third
    middle = [third + number * between // spread for number in range(spread)]
    return [*range(third), *middle, *range(count - third, count)]


def main() -> None:
    folder, step, what, error, how_long, most = sys.argv[1:]
    logging.getLogger("calltape").setLevel(logging.CRITICAL)
    seen = failed = made = 0
    journals: dict[str, int] = {}
    for one in step.split("+"):
        rounds = Rounds(Path(folder) / one, one, what, int(error), how_long == "forever")
        count = rounds.count()
        seen += count
        for nth in chosen(count, int(most)):
            failed += rounds.meet(nth, count)
            made += 1
        for journal, times in rounds.journals.items():
            journals[journal] = journals.get(journal, 0) + times
    faults = calltape.stats().faults
    print(json.dumps({"seen": seen, "rounds": made, "failed": failed, "faults": faults, "journals": journals}))


if __name__ == "__main__":
    main()
