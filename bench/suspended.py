"""What an await and a yield cost: a coroutine that returns at once, and a generator that gives out item after item.

One worker process, the rounds one after the other. Within a round it measures the bare coroutine, the same in an empty
async `functools.wraps` wrapper, and monitored, in alternating slices by the same loop, inside `asyncio.run`; then the
bare and the monitored generator. What is added over the bare one is free of the loop's own cost, and the ratio is of
figures from one round.

The coroutine takes two ints and returns one; arguments, result, and the record of its start are kept, and the drain
writes to the database meanwhile. Between rounds the worker waits until all is in the database, unmeasured.
"""

import asyncio
import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from itertools import repeat
from pathlib import Path
from types import FunctionType
from typing import Any

from bench.figures import Measured
from bench.processes import Scale, Worker, measured, scratch

CoroutineFunction = Callable[[int, int], Coroutine[Any, Any, int]]
GeneratorFunction = Callable[[int], Iterator[None]]

# Slices of a round; the median slice counts, so that one interruption of a slice leaves no trace.
SLICES = 5

# Items of one generator: the call of the generator function itself has no part in the cost of an item.
ITEMS = 10_000


async def bare(a: int, b: int) -> int:
    """The coroutine function that is called, undecorated."""
    return a + b


def stepped(count: int) -> Iterator[None]:
    """The generator function that is called, undecorated; its body runs for each item."""
    for _ in repeat(None, count):
        yield


def wraps(function: CoroutineFunction) -> CoroutineFunction:
    """The empty decorator: what the cheapest Python wrapper costs."""

    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> int:
        return await function(*args, **kwargs)

    return wrapper


async def ns_per_await(function: CoroutineFunction, calls: int) -> float:
    """Nanoseconds an await of a plain loop, the loop included."""
    turns = repeat(None, calls)
    began = time.perf_counter_ns()
    for _ in turns:
        await function(3, 4)
    return (time.perf_counter_ns() - began) / calls


def ns_per_item(function: GeneratorFunction, count: int) -> float:
    """Nanoseconds an item of a plain loop, the loop included."""
    generators = [function(ITEMS) for _ in range(max(1, count // ITEMS))]
    began = time.perf_counter_ns()
    for generator in generators:
        for _ in generator:
            pass
    return (time.perf_counter_ns() - began) / (len(generators) * ITEMS)


def loop_of_its_own(loop: Callable[..., Any], variant: str) -> Callable[..., Any]:
    """A copy of a loop: the interpreter adapts a loop to what it calls, so each variant gets its own."""
    return FunctionType(loop.__code__.replace(co_name=f"{loop.__name__}_{variant}"), globals())


def work(db: Path) -> None:
    """The worker: a round for each line of input, which says how many calls."""
    import calltape

    calltape.start(db)
    coroutines = {"bare": bare, "wraps": wraps(bare), "monitored": calltape.monitor(bare)}
    generators = {"bare": stepped, "monitored": calltape.monitor(stepped)}
    awaits = {variant: loop_of_its_own(ns_per_await, variant) for variant in coroutines}
    steps = {variant: loop_of_its_own(ns_per_item, variant) for variant in generators}

    async def slice_of_awaits(calls: int) -> dict[str, float]:
        return {variant: await awaits[variant](coroutines[variant], calls) for variant in coroutines}

    for line in sys.stdin:
        calls = int(line) // SLICES
        awaited = [asyncio.run(slice_of_awaits(calls)) for _ in range(SLICES)]
        stepping = [{name: steps[name](generators[name], calls) for name in generators} for _ in range(SLICES)]
        figures = {
            "await": {name: statistics.median(one[name] for one in awaited) for name in coroutines},
            "yield": {name: statistics.median(one[name] for one in stepping) for name in generators},
        }
        flushed = calltape.flush(timeout=120)
        print(json.dumps(figures | {"lost": calltape.stats().dropped, "flushed": flushed}), flush=True)


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """The ratio and the nanoseconds, and what is behind them as a line of text."""
    rounds = []
    with scratch() as directory:
        worker = Worker("bench.suspended", directory / "calls.db")
        try:
            for turn in range(scale.rounds + 1):
                got = worker.ask(scale.calls)
                if got["lost"] or not got["flushed"]:
                    raise RuntimeError(f"calls were lost while the cost of an await was measured: {got}")
                if turn > 0:  # the first round warms up
                    rounds.append(got)
        finally:
            worker.end()

    added = [got["await"]["monitored"] - got["await"]["bare"] for got in rounds]
    wrapper = [got["await"]["wraps"] - got["await"]["bare"] for got in rounds]
    yielded = [got["yield"]["monitored"] - got["yield"]["bare"] for got in rounds]
    figures = [
        measured("await / async wraps", [above / below for above, below in zip(added, wrapper, strict=True)]),
        measured("yield", yielded),
    ]
    bare_await, bare_yield = (statistics.median(got[what]["bare"] for got in rounds) for what in ("await", "yield"))
    note = (
        f"bare await with its loop {bare_await:,.0f} ns; added on top of it: empty async wrapper"
        f" {statistics.median(wrapper):,.0f} ns, monitored {statistics.median(added):,.0f} ns; an item of a bare"
        f" generator with its loop {bare_yield:,.0f} ns"
    )
    return figures, [note]


if __name__ == "__main__":
    work(Path(sys.argv[1]))
