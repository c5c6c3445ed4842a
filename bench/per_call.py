"""What one call costs: recorded, sampled out, and as the rivals do it, each over the bare call.

A worker process a subject, so that none disturbs another; the rounds go from worker to worker in turn. Within a round a
worker measures the bare function, an empty `functools.wraps` wrapper and its subject, in alternating slices, by the
same loop: what is added over the bare call is free of the loop's own cost, and every ratio is of figures from one
round.

The recorded call takes two ints and returns one; arguments, result, and the record of its start are kept, and the
drain writes to the database meanwhile. Between rounds the worker waits until all is in the database, unmeasured.
"""

import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from types import FunctionType
from typing import Any

from bench.figures import Measured
from bench.processes import Scale, Worker, measured, scratch

Function = Callable[[int, int], int]

# Slices of a round; the median slice counts, so that one interruption of a slice leaves no trace.
SLICES = 5

# Each subject's share of a round's calls: the slow ones reach the same precision with fewer.
SHARES: Mapping[str, float] = {"calltape": 1.0, "sampled_out": 2.0, "viztracer": 0.25, "otel": 0.02}


def bare(a: int, b: int) -> int:
    """The function that is called, undecorated."""
    return a + b


def wraps(function: Function) -> Function:
    """The empty decorator: what the cheapest Python wrapper costs."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> int:
        return function(*args, **kwargs)

    return wrapper


def ns_per_call(function: Function, calls: int) -> float:
    """Nanoseconds a call of a plain loop, the loop included."""
    turns = repeat(None, calls)
    began = time.perf_counter_ns()
    for _ in turns:
        function(3, 4)
    return (time.perf_counter_ns() - began) / calls


def loop_of_its_own(variant: str) -> Callable[[Function, int], float]:
    """A copy of `ns_per_call`: the interpreter adapts a loop to what it calls, so each variant gets its own."""
    return FunctionType(ns_per_call.__code__.replace(co_name=f"ns_per_call_{variant}"), globals())


# ------------------------------------------------------------------------------------------------------- the subjects


class Subject:
    """A way to observe `bare`: the function to call, and what is done around slices and rounds."""

    function: Function

    @contextmanager
    def observing(self) -> Iterator[None]:
        """Around each measured slice."""
        yield

    def settle(self) -> dict[str, Any]:
        """After each round, unmeasured; what the driver should know."""
        return {}


class Calltape(Subject):
    """`@monitor()`, with everything captured, or with every call sampled out."""

    def __init__(self, db: Path, sample_rate: float) -> None:
        import calltape

        self._calltape = calltape
        calltape.start(db)
        self.function = calltape.monitor(sample_rate=sample_rate)(bare)

    def settle(self) -> dict[str, Any]:
        flushed = self._calltape.flush(timeout=120)
        return {"lost": self._calltape.stats().dropped, "flushed": flushed}


class Viztracer(Subject):
    """VizTracer, set to log arguments and return values."""

    def __init__(self) -> None:
        from viztracer import VizTracer

        self.function = bare
        self._tracer = VizTracer(log_func_args=True, log_func_retval=True, verbose=0)

    @contextmanager
    def observing(self) -> Iterator[None]:
        self._tracer.start()
        try:
            yield
        finally:
            self._tracer.stop()

    def settle(self) -> dict[str, Any]:
        self._tracer.clear()
        return {}


class OpenTelemetry(Subject):
    """A span a call with the arguments and the result as attributes, batched, to an exporter that throws them away."""

    def __init__(self) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

        class Nowhere(SpanExporter):  # type: ignore[misc]
            def export(self, spans: object) -> Any:  # noqa: ARG002
                return SpanExportResult.SUCCESS

        self._provider = TracerProvider()
        self._provider.add_span_processor(BatchSpanProcessor(Nowhere()))
        tracer = self._provider.get_tracer("bench")

        @functools.wraps(bare)
        def traced(a: int, b: int) -> int:
            with tracer.start_as_current_span("bare") as span:
                span.set_attribute("a", a)
                span.set_attribute("b", b)
                result = bare(a, b)
                span.set_attribute("result", result)
                return result

        self.function = traced

    def settle(self) -> dict[str, Any]:
        self._provider.force_flush()
        return {}


def subject_named(name: str, db: Path) -> Subject:
    """The subject that a worker measures."""
    match name:
        case "calltape":
            return Calltape(db, sample_rate=1.0)
        case "sampled_out":
            return Calltape(db, sample_rate=0.0)
        case "viztracer":
            return Viztracer()
        case "otel":
            return OpenTelemetry()
    raise ValueError(f"no subject is named {name}")


def work(name: str, db: Path) -> None:
    """The worker: a round for each line of input, which says how many calls."""
    subject = subject_named(name, db)
    wrapped = wraps(bare)
    loops = {variant: loop_of_its_own(variant) for variant in ("bare", "wraps", "subject")}
    for line in sys.stdin:
        calls = int(line) // SLICES
        slices: dict[str, list[float]] = {variant: [] for variant in loops}
        for _ in range(SLICES):
            slices["bare"].append(loops["bare"](bare, calls))
            slices["wraps"].append(loops["wraps"](wrapped, calls))
            with subject.observing():
                slices["subject"].append(loops["subject"](subject.function, calls))
        medians = {variant: statistics.median(values) for variant, values in slices.items()}
        print(json.dumps(medians | subject.settle()), flush=True)


# ------------------------------------------------------------------------------------------------------- the driver


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """The four ratios, and the nanoseconds behind them as lines of text."""
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in SHARES}
    with scratch() as directory:
        workers = {name: Worker("bench.per_call", name, directory / f"{name}.db") for name in SHARES}
        try:
            for turn in range(scale.rounds + 1):
                for name, worker in workers.items():
                    got = worker.ask(int(scale.calls * SHARES[name]))
                    if got.get("lost") or not got.get("flushed", True):
                        raise RuntimeError(f"calls were lost while the cost of a call was measured: {got}")
                    if turn > 0:  # the first round warms up
                        rounds[name].append(got)
        finally:
            for worker in workers.values():
                worker.end()

    added = {name: [got["subject"] - got["bare"] for got in rounds[name]] for name in SHARES}
    wrapper = {name: [got["wraps"] - got["bare"] for got in rounds[name]] for name in SHARES}

    def ratios(upper: list[float], lower: list[float]) -> list[float]:
        return [above / below for above, below in zip(upper, lower, strict=True)]

    figures = [
        measured("recorded / wraps", ratios(added["calltape"], wrapper["calltape"])),
        measured("recorded / viztracer", ratios(added["calltape"], added["viztracer"])),
        measured("recorded / otel", ratios(added["calltape"], added["otel"])),
        measured("sampled out / wraps", ratios(added["sampled_out"], wrapper["sampled_out"])),
    ]
    everywhere = [got["bare"] for got_all in rounds.values() for got in got_all]
    all_wrapped = [value for values in wrapper.values() for value in values]
    notes = [
        f"bare call with its loop {statistics.median(everywhere):,.0f} ns; added on top of it:"
        f" empty wrapper {statistics.median(all_wrapped):,.0f} ns,"
        f" recorded {statistics.median(added['calltape']):,.0f} ns,"
        f" sampled out {statistics.median(added['sampled_out']):,.0f} ns,"
        f" VizTracer {statistics.median(added['viztracer']):,.0f} ns,"
        f" OpenTelemetry {statistics.median(added['otel']):,.0f} ns"
    ]
    return figures, notes


if __name__ == "__main__":
    work(sys.argv[1], Path(sys.argv[2]))
