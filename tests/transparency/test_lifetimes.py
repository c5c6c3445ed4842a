"""Arguments, results, items and suspended bodies live exactly as long as they do without a decorator."""

import asyncio
import gc
import operator
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, finished, pause
from transparency.observation import outcome


class Thing:
    """Something that says when it goes."""

    def __init__(self, name: str, events: list[str]) -> None:
        self.name = name
        self.events = events

    def __del__(self) -> None:
        self.events.append(f"{self.name} goes")


def called(subject: Any, *args: Any, **kwargs: Any) -> Any:
    """Call from C, with the arguments of a call from here handed on.

    For a Python function that it calls directly, the interpreter moves its own references to the arguments into the new
    frame; for all else it calls, C functions and decorated ones, it holds them until the call returns. Called from C,
    the bare function's arguments are held as well.
    """
    return operator.call(subject, *args, **kwargs)


def kinds(decorate: Decorate, events: list[str]) -> dict[str, Any]:
    @decorate
    def function(argument: Any, *rest: Any, key: Any = None) -> Any:
        events.append("body")
        return Thing("result", events)

    @decorate
    async def coroutine(argument: Any, *rest: Any, key: Any = None) -> Any:
        events.append("body")
        await pause()
        events.append("resumed")
        return Thing("result", events)

    @decorate
    def generator(argument: Any, *rest: Any, key: Any = None) -> Any:
        events.append("body")
        yield Thing("item", events)
        events.append("resumed")
        return Thing("result", events)

    @decorate
    async def async_generator(argument: Any, *rest: Any, key: Any = None) -> Any:
        events.append("body")
        yield Thing("item", events)
        events.append("resumed")

    return {f.__name__: f for f in (function, coroutine, generator, async_generator)}


KIND = pytest.mark.parametrize("kind", ["function", "coroutine", "generator", "async_generator"])


@KIND
def test_everything_goes_at_the_same_moment(kind: str, decorate: Decorate) -> object:
    events: list[str] = []
    subject = kinds(decorate, events)[kind]
    made = called(subject, Thing("positional", events), Thing("rest", events), key=Thing("named", events))
    events.append("called")
    result = finished(made)
    events.append("finished")
    del made
    events.append("forgotten")
    del result
    return events


@KIND
def test_everything_goes_when_a_call_fails(kind: str, decorate: Decorate) -> object:
    events: list[str] = []
    subject = kinds(decorate, events)[kind]
    outcome(lambda: called(subject, Thing("a", events), key=Thing("b", events), wrong=Thing("c", events)))
    events.append("refused")
    return events


@KIND
def test_everything_goes_when_a_body_is_dropped(kind: str, decorate: Decorate) -> object:
    events: list[str] = []
    subject = kinds(decorate, events)[kind]
    if kind == "function":
        return subject(Thing("positional", events)).name, events
    made = subject(Thing("positional", events))
    step = made.__anext__() if kind == "async_generator" else made
    item = outcome(step.send, None)
    del step
    events.append("begun")
    del item
    events.append("item dropped")
    del made
    events.append("body dropped")
    gc.collect()
    return events


def test_what_an_exception_holds_goes_with_it(decorate: Decorate) -> object:
    events: list[str] = []

    @decorate
    def fails(argument: Any) -> None:
        local = Thing("local", events)
        raise LookupError(local.name)

    @decorate
    async def coroutine(argument: Any) -> None:
        fails(argument)

    for act in (fails, lambda argument: driven(coroutine(argument))):
        try:
            act(Thing("argument", events))
        except LookupError:
            events.append("caught")
        events.append("handled")
    return events


@KIND
def test_reference_counts_of_arguments(kind: str, decorate: Decorate) -> object:
    counts: list[int] = []

    @decorate
    def function(argument: Any, *, key: Any = None) -> None:
        counts.append(sys.getrefcount(argument))
        counts.append(sys.getrefcount(key))

    @decorate
    async def coroutine(argument: Any, *, key: Any = None) -> None:
        counts.append(sys.getrefcount(argument))
        await pause()
        counts.append(sys.getrefcount(key))

    @decorate
    def generator(argument: Any, *, key: Any = None) -> Any:
        counts.append(sys.getrefcount(argument))
        yield
        counts.append(sys.getrefcount(key))

    @decorate
    async def async_generator(argument: Any, *, key: Any = None) -> Any:
        counts.append(sys.getrefcount(argument))
        yield
        counts.append(sys.getrefcount(key))

    subject = {f.__name__: f for f in (function, coroutine, generator, async_generator)}[kind]
    one, other = object(), object()
    made = called(subject, one, key=other)
    counts += [sys.getrefcount(one), sys.getrefcount(other), sys.getrefcount(made) if made else 0]
    finished(made)
    counts += [sys.getrefcount(one), sys.getrefcount(other), sys.getrefcount(made) if made else 0]
    del made
    many = [one] * 10
    finished(called(subject, *many[:1], key=other))
    return [*counts, sys.getrefcount(one), sys.getrefcount(other)]


def test_reference_counts_of_results(decorate: Decorate) -> object:
    held = object()

    @decorate
    def gives() -> Any:
        return held

    @decorate
    def yields() -> Any:
        yield held
        return held

    @decorate
    async def returns() -> Any:
        await pause(held)
        return held

    counts = []
    for subject in (gives, yields, returns):
        for _ in range(10):
            finished(subject())
        counts.append(sys.getrefcount(held))
    kept = [gives() for _ in range(5)]
    return counts, sys.getrefcount(held), len(kept)


def test_reference_counts_of_exceptions(decorate: Decorate) -> object:
    error = LookupError("held")

    @decorate
    def fails() -> None:
        raise error

    @decorate
    async def coroutine() -> None:
        await pause()
        raise error

    counts = []
    for act in (fails, lambda: driven(coroutine())):
        for _ in range(10):
            outcome(act)
            error.__traceback__ = None
        counts.append(sys.getrefcount(error))
    return counts


def test_reference_counts_of_the_function(decorate: Decorate) -> object:
    @decorate
    def generator() -> Any:
        yield

    before = sys.getrefcount(generator)
    held = [generator() for _ in range(5)]
    started = [next(made) for made in held]
    held.clear()
    return started, sys.getrefcount(generator) - before


def test_a_suspended_body_does_not_need_its_function(decorate: Decorate) -> object:
    @decorate
    def generator() -> Any:
        yield 1
        yield 2

    @decorate
    async def coroutine() -> Any:
        await pause(1)
        return 2

    one, other = generator(), coroutine()
    references = [weakref.ref(generator), weakref.ref(coroutine)]
    del generator, coroutine
    gc.collect()
    seen = list(one), driven(other)
    del one, other
    return seen, [reference() for reference in references]


def test_a_method_s_instance_lives_as_long(decorate: Decorate) -> object:
    events: list[str] = []

    class Holder(Thing):
        @decorate
        def method(self) -> None:
            events.append("method")

        @decorate
        def generator(self) -> Any:
            yield "step"

        @decorate
        async def coroutine(self) -> None:
            await pause()

    Holder("first", events).method()
    events.append("called")
    made: Any = Holder("second", events).generator()
    events.append("made")
    next(made)
    made.close()
    events.append("closed")
    made = Holder("third", events).coroutine()
    made.send(None)
    made.close()
    events.append("closed")
    bound = Holder("fourth", events).method
    bound()
    del bound
    events.append("unbound")
    return events


def test_a_task_lets_go_of_what_it_ran(decorate: Decorate) -> object:
    events: list[str] = []

    @decorate
    async def subject(argument: Any) -> Any:
        await asyncio.sleep(0)
        events.append("resumed")
        return Thing("result", events)

    async def main() -> None:
        task = asyncio.create_task(subject(Thing("argument", events)))
        await asyncio.sleep(0)
        events.append("begun")
        await task
        events.append("awaited")
        del task
        await asyncio.sleep(0)
        events.append("forgotten")

    asyncio.run(main())
    return events


def test_an_argument_deleted_inside_goes_inside(decorate: Decorate) -> object:
    events: list[str] = []

    @decorate
    def function(argument: Any) -> None:
        del argument
        events.append("deleted")

    @decorate
    async def coroutine(argument: Any) -> None:
        await pause()
        del argument
        events.append("deleted")

    @decorate
    def generator(argument: Any) -> Any:
        yield
        del argument
        events.append("deleted")

    for subject in (function, coroutine, generator):
        finished(called(subject, Thing("argument", events)))
        finished(called(subject, argument=Thing("named", events)))
    return events


@pytest.mark.parametrize("many", [1, 200])
def test_objects_do_not_add_up(many: int, decorate: Decorate) -> object:
    events: list[str] = []
    subjects = kinds(decorate, events)

    def cycle() -> None:
        for _ in range(many):
            for subject in subjects.values():
                finished(subject(1))
        events.clear()

    cycle()
    gc.collect()
    before = len(gc.get_objects())
    cycle()
    gc.collect()
    return len(gc.get_objects()) - before < 10


def test_objects_left_halfway_do_not_add_up(decorate: Decorate) -> object:
    @decorate
    def generator() -> Any:
        yield []

    @decorate
    async def coroutine() -> None:
        await pause([])

    def cycle() -> None:
        for _ in range(100):
            next(generator())
            generator()
            coroutine().send(None)
            coroutine().close()

    cycle()
    gc.collect()
    before = len(gc.get_objects())
    cycle()
    gc.collect()
    return len(gc.get_objects()) - before < 10


def test_results_are_not_copied(decorate: Decorate) -> object:
    given: dict[str, Callable[[], Any]] = {"list": list, "dict": dict, "object": object}
    same = []
    for make in given.values():
        value = make()
        subject = decorate(lambda value=value: value)
        same.append(subject() is value)
    return same
