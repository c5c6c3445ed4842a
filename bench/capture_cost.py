"""What capturing a value costs: a recorded call with the value over the same recorded call with None.

A worker for calltape and one for VizTracer; the rounds go from one to the other in turn. Within a round, slices with
the value and slices with None alternate, through one loop and one function. The value's own `repr()` stands beside
them: what a recorder that calls it pays at least. The drain writes meanwhile, and each value's calls are in the
database before the next value's are made.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

from bench.captured_values import ODD, USUAL
from bench.figures import Measured
from bench.processes import Scale, Worker, measured, scratch

# Slices of a round with the value, and as many with None; the median slice counts.
SLICES = 5

# Nanoseconds a slice may take about, where a thousand calls take longer: a repr of ten million ints takes a second.
SLICE_NS = 3_000_000
MOST_CALLS = 1000

# A call that takes so many nanoseconds is measured once in a run: rounds would take minutes and add no precision.
SLOW_NS = 20_000_000

# The value that has a goal of its own.
FIVE_FIELDS = "dict of 5 fields"


def keep(value: object) -> None:
    """The function that is called."""


def ns_per_call(function: Callable[[Any], Any], value: object, calls: int) -> float:
    """Nanoseconds a call of a plain loop, the loop included."""
    turns = repeat(None, calls)
    began = time.perf_counter_ns()
    for _ in turns:
        function(value)
    return (time.perf_counter_ns() - began) / calls


class Stopwatch:
    """What a call of a function with a value takes; the slow ones it remembers."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._slow: dict[str, float] = {}

    def added(self, name: str, value: object) -> float:
        """Nanoseconds that the value adds to a call, over None."""
        if name in self._slow:
            return self._slow[name]
        once = ns_per_call(self._function, value, 1)
        if once > SLOW_NS:
            return self._slow.setdefault(name, once)
        calls = max(1, min(MOST_CALLS, int(SLICE_NS / once)))
        differences = []
        for _ in range(SLICES):
            with_none = ns_per_call(self._function, None, calls)
            differences.append(ns_per_call(self._function, value, calls) - with_none)
        return statistics.median(differences)


def work_calltape(db: Path) -> None:
    """The worker: for each line of input what each value adds, and what its `repr` takes."""
    import calltape

    calltape.start(db)
    recorded = Stopwatch(calltape.monitor()(keep))
    shown = Stopwatch(repr)
    values = {name: make() for name, make in (*USUAL.items(), *ODD.items())}
    for _ in sys.stdin:
        costs = {}
        for name, value in values.items():
            costs[name] = recorded.added(name, value)
            if not calltape.flush(timeout=60) or calltape.stats().dropped:
                raise RuntimeError(f"calls were lost while the capture of {name} was measured")
        # Over repr(None), which is as good as nothing.
        print(
            json.dumps({"calltape": costs, "repr": {name: shown.added(name, values[name]) for name in USUAL}}),
            flush=True,
        )


def work_viztracer() -> None:
    """The worker: for each line of input what each value adds to a call that VizTracer logs with its arguments."""
    from viztracer import VizTracer

    tracer = VizTracer(log_func_args=True, verbose=0)
    logged = Stopwatch(keep)
    values = {name: make() for name, make in USUAL.items()}
    for _ in sys.stdin:
        costs = {}
        for name, value in values.items():
            tracer.start()
            costs[name] = logged.added(name, value)
            tracer.stop()
            tracer.clear()
        print(json.dumps({"viztracer": costs}), flush=True)


def ns(value: float) -> str:
    """A time in the unit it is read best in."""
    for limit, unit, by in ((10_000, "ns", 1), (10_000_000, "us", 1000), (float("inf"), "ms", 1_000_000)):
        if value < limit:
            return f"{value / by:,.0f} {unit}"
    raise AssertionError(value)


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """The dearest usual value and the dict of five fields, and the table of all."""
    rounds: list[dict[str, dict[str, float]]] = []
    with scratch() as directory:
        workers = [
            Worker("bench.capture_cost", "calltape", directory / "calls.db"),
            Worker("bench.capture_cost", "viztracer"),
        ]
        try:
            for turn in range(scale.rounds + 1):
                got = {key: figures for worker in workers for key, figures in worker.ask("round").items()}
                if turn > 0:  # the first round warms up
                    rounds.append(got)
        finally:
            for worker in workers:
                worker.end()

    def median(way: str, name: str) -> float:
        return statistics.median(one[way][name] for one in rounds)

    lines = ["| value | captured | `repr` | VizTracer |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {' | '.join(ns(median(way, name)) for way in ('calltape', 'repr', 'viztracer'))} |"
        for name in USUAL
    ]
    odd = ["| value | captured |", "|---|---|"] + [f"| {name} | {ns(median('calltape', name))} |" for name in ODD]
    dearest = max(USUAL, key=lambda name: median("calltape", name))
    figures = [
        measured("capture, 5 fields", [one["calltape"][FIVE_FIELDS] for one in rounds]),
        measured("capture, dearest", [one["calltape"][dearest] / 1000 for one in rounds]),
    ]
    return figures, [f"the dearest usual value: {dearest}", "\n".join(lines), "\n".join(odd)]


if __name__ == "__main__":
    if sys.argv[1] == "calltape":
        work_calltape(Path(sys.argv[2]))
    else:
        work_viztracer()
