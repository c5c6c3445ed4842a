"""Cycles through a decorated function and through what it makes are found and collected as through the bare one."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, finished, pause
from transparency.observation import unraised


def through_a_closure(decorate: Decorate) -> Any:
    def target() -> Any:
        return wrapped

    wrapped = decorate(target)
    return wrapped


def through_an_attribute(decorate: Decorate) -> Any:
    wrapped = decorate(lambda: None)
    wrapped.self = wrapped
    return wrapped


def through_a_default(decorate: Decorate) -> Any:
    held: list[Any] = []
    wrapped = decorate(lambda held=held: held)
    held.append(wrapped)
    return wrapped


def through_an_annotation(decorate: Decorate) -> Any:
    def target() -> None: ...

    wrapped = decorate(target)
    target.__annotations__["self"] = wrapped
    return wrapped


def through_its_globals(decorate: Decorate) -> Any:
    space: dict[str, Any] = {"decorate": decorate}
    exec("@decorate\ndef target(): return target\n", space)  # noqa: S102
    return space["target"]


def through_a_class(decorate: Decorate) -> Any:
    class Holder:
        @decorate
        def method(self) -> Any:
            return Holder

    return Holder


def through_an_instance(decorate: Decorate) -> Any:
    class Holder:
        def __init__(self) -> None:
            self.callback = decorate(lambda: self)

    return Holder().callback


def through_a_generator(decorate: Decorate) -> Any:
    held: list[Any] = []

    @decorate
    def generator() -> Any:
        held.append(generator)
        yield
        yield held

    made = generator()
    held.append(made)
    next(made)
    return made


def through_an_unstarted_generator(decorate: Decorate) -> Any:
    held: list[Any] = []
    made = decorate(lambda _: (yield))(held)
    held.append(made)
    return made


def through_a_coroutine(decorate: Decorate) -> Any:
    held: list[Any] = []

    @decorate
    async def coroutine() -> Any:
        held.append(coroutine)
        await pause()

    made = coroutine()
    held.append(made)
    made.send(None)
    return made


def through_an_async_generator(decorate: Decorate) -> Any:
    held: list[Any] = []

    @decorate
    async def items() -> Any:
        yield held

    made = items()
    held.append(made)
    return made


def through_a_frame(decorate: Decorate) -> Any:
    @decorate
    def generator() -> Any:
        me = frames[0]
        yield me

    frames: list[Any] = []
    made = generator()
    frames += [made.gi_frame, made]
    next(made)
    return made


CYCLES = (
    through_a_closure,
    through_an_attribute,
    through_a_default,
    through_an_annotation,
    through_its_globals,
    through_a_class,
    through_an_instance,
    through_a_generator,
    through_an_unstarted_generator,
    through_a_coroutine,
    through_an_async_generator,
    through_a_frame,
)


@pytest.mark.parametrize("build", CYCLES)
def test_a_cycle_is_collected(build: Callable[[Decorate], Any], decorate: Decorate) -> object:
    reference = weakref.ref(build(decorate))
    before = reference() is not None
    with unraised() as seen:
        gc.collect()
    return before, reference(), seen


@pytest.mark.parametrize("build", CYCLES)
def test_what_is_in_use_is_not_collected(build: Callable[[Decorate], Any], decorate: Decorate) -> object:
    held = build(decorate)
    gc.collect()
    gc.collect()
    return weakref.ref(held)() is held, gc.is_tracked(held)


def test_what_it_refers_to_is_reachable_from_it(decorate: Decorate) -> object:
    marker: list[Any] = []
    subject = decorate(lambda default=marker: default)
    seen, front = set[int](), [subject]
    for _ in range(4):
        front = [it for known in front for it in gc.get_referents(known) if not (id(it) in seen or seen.add(id(it)))]  # type: ignore[func-returns-value]
        if any(it is marker for it in front):
            return "reachable"
    return "not reachable"


def test_finalisers_in_a_cycle_run_once_and_can_call_it(decorate: Decorate) -> object:
    events: list[Any] = []

    class Holder:
        def __init__(self) -> None:
            self.callback = decorate(self.called)
            self.generator = decorate(self.steps)()
            next(self.generator)

        def called(self) -> str:
            return "called"

        def steps(self) -> Any:
            try:
                yield
            finally:
                events.append("generator ends")

        def __del__(self) -> None:
            events.append(self.callback())

    Holder()
    gc.collect()
    gc.collect()
    return sorted(events)


def test_collections_inside_a_call_are_harmless(decorate: Decorate) -> object:
    @decorate
    def function(value: Any) -> Any:
        gc.collect()
        return value

    @decorate
    def generator(value: Any) -> Any:
        gc.collect()
        yield value
        gc.collect()
        yield value

    @decorate
    async def coroutine(value: Any) -> Any:
        gc.collect()
        await pause()
        gc.collect()
        return value

    return [finished(subject([1])) for subject in (function, generator, coroutine)]
