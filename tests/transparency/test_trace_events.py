"""Tracers, profilers and monitoring tools see the events of the program and no other."""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, pause
from transparency.observation import outcome, plain
from transparency.peers import bare


def end_early(closed: Any, thrown: Any) -> None:
    """Leaves one generator half-way by `close`, the other by an exception."""
    next(closed)
    closed.close()
    next(thrown)
    with suppress(ValueError):
        thrown.throw(ValueError("thrown"))


def scenarios(decorate: Decorate) -> dict[str, Callable[[], Any]]:
    @decorate
    def function(value: int) -> int:
        return value + 1

    @decorate
    def fails() -> None:
        raise LookupError("traced")

    @decorate
    def generator() -> Any:
        yield function(1)
        yield 2
        return 3

    # What is delegated to returns nothing: a value comes as a StopIteration that a tracer sees on 3.12 and later, as
    # from any object that is not of the interpreter's exact type: docs/unsupported-patterns.md.
    @decorate
    def returns_nothing() -> Any:
        yield function(1)

    @decorate
    async def awaits_nothing() -> None:
        await pause(1)

    @decorate
    def delegates() -> Any:
        yield from returns_nothing()
        return 3

    @decorate
    async def coroutine() -> Any:
        await pause(1)
        return function(2)

    @decorate
    async def awaits() -> Any:
        await awaits_nothing()
        return function(2)

    @decorate
    async def async_generator() -> Any:
        yield 1
        await pause(2)
        yield 2

    @decorate
    async def loops() -> Any:
        return [item async for item in async_generator()]

    class Holder:
        @decorate
        def __init__(self) -> None:
            self.value = function(3)

        @decorate
        def method(self) -> int:
            return int(function(self.value))

    def functions() -> None:
        function(0)
        with suppress(LookupError):
            fails()
        Holder().method()
        list(map(function, [1, 2]))

    def generators() -> None:
        list(generator())
        end_early(generator(), generator())

    return {
        "functions": functions,
        "generators": generators,
        "delegation": lambda: list(delegates()),
        "coroutines": lambda: driven(coroutine()),
        "awaits": lambda: driven(awaits()),
        "async_generators": lambda: driven(async_generator().__anext__()),
        "async_loops": lambda: driven(loops()),
    }


def warm(decorate: Decorate, part: str) -> Callable[[], Any]:
    """A scenario that ran once: what the standard library remembers of classes is then the same for all."""
    run = scenarios(decorate)[part]
    run()
    return run


PART = pytest.mark.parametrize("part", list(scenarios(bare)))


@PART
def test_a_tracer_sees_the_same_events(part: str, decorate: Decorate) -> object:
    events: list[Any] = []
    run = warm(decorate, part)

    def trace(frame: Any, event: str, argument: Any) -> Any:
        frame.f_trace_opcodes = False
        events.append((event, frame.f_code.co_name, frame.f_lineno, shown(argument)))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return events


def shown(argument: Any) -> Any:
    return argument[0].__name__ if isinstance(argument, tuple) and len(argument) == 3 else plain(argument)


@PART
@pytest.mark.parametrize("c_calls", [False, True])
def test_a_profiler_sees_the_same_events(part: str, c_calls: bool, decorate: Decorate) -> object:
    events: list[Any] = []
    run = warm(decorate, part)

    def profile(frame: Any, event: str, argument: Any) -> None:
        if event.startswith("c_") == c_calls:
            seen = getattr(argument, "__name__", None) if c_calls else plain(argument)
            events.append((event, frame.f_code.co_name, seen))

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(before)
    return events


@PART
def test_a_profiler_that_counts_calls(part: str, decorate: Decorate) -> object:
    import cProfile
    import pstats

    profiler = cProfile.Profile()
    run = warm(decorate, part)
    outcome(profiler.runcall, run)
    stats: Any = pstats.Stats(profiler)
    return sorted((place[1:], entry[0], entry[1]) for place, entry in stats.stats.items())


BODIES = (
    "PY_START",
    "PY_RESUME",
    "PY_RETURN",
    "PY_YIELD",
    "PY_THROW",
    "PY_UNWIND",
    "RAISE",
    "RERAISE",
    "STOP_ITERATION",
)


def monitored(run: Callable[[], Any], names: tuple[str, ...]) -> list[Any]:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    events: list[Any] = []
    tool = 4
    monitoring.use_tool_id(tool, "transparency")
    wanted = 0
    for name in names:
        event = getattr(monitoring.events, name)
        wanted |= event

        def note(code: Any, place: int, *rest: Any, name: str = name) -> None:
            seen = [getattr(it, "__name__", type(it).__name__) for it in rest]
            events.append((name, code.co_name, place if name == "LINE" else None, *seen))

        monitoring.register_callback(tool, event, note)
    monitoring.set_events(tool, wanted)
    try:
        run()
    finally:
        monitoring.set_events(tool, 0)
        for name in names:
            monitoring.register_callback(tool, getattr(monitoring.events, name), None)
        monitoring.free_tool_id(tool)
    return events


@PART
@pytest.mark.parametrize("names", [BODIES, ("LINE",), ("CALL",)], ids=["bodies", "lines", "calls"])
def test_a_monitoring_tool_sees_the_same_events(part: str, names: tuple[str, ...], decorate: Decorate) -> object:
    if not hasattr(sys, "monitoring"):
        return "since 3.12"
    return monitored(warm(decorate, part), names)


@PART
def test_a_thread_is_traced_from_its_start(part: str, decorate: Decorate) -> object:
    events: list[Any] = []

    def profile(frame: Any, event: str, argument: Any) -> None:
        events.append((event, frame.f_code.co_name))

    run = warm(decorate, part)
    threading.setprofile(profile)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.setprofile(None)
    return [event for event in events if not event[0].startswith("c_")]


def test_a_tracer_can_change_lines_and_locals_inside(decorate: Decorate) -> object:
    @decorate
    def subject() -> Any:
        value = 1
        value += 1
        return value

    def trace(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_name != "subject":
            return None
        if event == "line" and frame.f_lineno == frame.f_code.co_firstlineno + 3:
            frame.f_lineno += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return subject()
    finally:
        sys.settrace(before)
