"""A generator driven by hand answers `next`, `send`, `throw` and `close` as the bare one."""

import inspect
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from transparency.kinds import Decorate, finished
from transparency.moves import CLOSE, SCRIPTS, SCRIPTS_THROUGH, Move, played, send, throw
from transparency.observation import outcome, portrait

SCRIPT = pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)


def patient(decorate: Decorate) -> Any:
    @decorate
    def subject(events: list[Any]) -> Any:
        events.append("begun")
        try:
            events.append(("got", (yield "first")))
            got = yield "second"
        except LookupError as error:
            events.append(("caught", str(error), sys.exc_info()[1] is error))
            yield "in the handler"
            if str(error) == "again":
                raise
            return "rescued"
        finally:
            events.append("finally")
        return got

    return subject


@SCRIPT
def test_a_script_of_moves(script: list[Move], decorate: Decorate) -> object:
    events: list[Any] = []
    return played(patient(decorate)(events), script), events


@pytest.mark.parametrize("script", SCRIPTS_THROUGH.values(), ids=SCRIPTS_THROUGH)
def test_a_script_of_moves_through_yield_from(script: list[Move], decorate: Decorate) -> object:
    inside = patient(decorate)

    @decorate
    def around(events: list[Any]) -> Any:
        try:
            return "around", (yield from inside(events))
        except ValueError as error:
            raise KeyError("from around") from error

    events: list[Any] = []
    return played(around(events), script), events


@SCRIPT
def test_a_script_of_moves_on_a_stubborn_one(script: list[Move], decorate: Decorate) -> object:
    @decorate
    def stubborn(events: list[Any]) -> Any:
        while len(events) < 6:
            try:
                events.append((yield len(events)))
            except BaseException as error:
                events.append(type(error).__name__)
        return "enough"

    events: list[Any] = []
    generator = stubborn(events)
    seen = played(generator, script)
    while inspect.getgeneratorstate(generator) != "GEN_CLOSED":
        seen.append(outcome(generator.close))
    return seen, events


def test_it_is_iterated_by_everything_that_iterates(decorate: Decorate) -> object:
    @decorate
    def up(stop: int) -> Iterator[int]:
        yield from range(stop)

    first, *rest = up(4)
    return (
        [item for item in up(3)],  # noqa: C416
        list(up(3)),
        tuple(up(3)),
        {*up(3)},
        dict(zip(up(3), up(2), strict=False)),
        sum(up(4)),
        2 in up(4),
        9 in up(4),
        max(up(4)),
        "".join(map(str, up(3))),
        (first, rest),
        next(up(0), "default"),
        outcome(next, up(0)),
        [*up(2), *up(1)],
        list(enumerate(up(2))),
        sorted(up(3), reverse=True),
        any(up(3)),
        all(up(3)),
        bytes(up(3)),
        list(map(lambda a, b: a + b, up(2), up(3))),
    )


def test_next_on_an_exhausted_one(decorate: Decorate) -> object:
    @decorate
    def subject() -> Any:
        yield 1
        return "value"

    generator = subject()
    return [outcome(next, generator) for _ in range(4)], next(generator, "default"), list(generator)


def test_the_value_of_the_stop_is_the_value_returned(decorate: Decorate) -> object:
    @decorate
    def gives(value: Any) -> Any:
        return value
        yield  # type: ignore[unreachable]

    def value_of(generator: Any) -> Any:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value, stop.args

    values: list[Any] = [None, 1, (1, 2), (), [], StopIteration(5), ValueError, ValueError("x"), gives]
    return [(value_of(gives(value))[0] is value, len(value_of(gives(value))[1])) for value in values]


def test_a_stop_raised_in_the_body_becomes_a_runtime_error(decorate: Decorate) -> object:
    @decorate
    def stops(kind: type[BaseException]) -> Any:
        yield 1
        raise kind("inside")

    return [outcome(list, stops(kind)) for kind in (StopIteration, StopAsyncIteration, GeneratorExit, RuntimeError)]


def test_it_sees_itself_running(decorate: Decorate) -> object:
    held: list[Any] = []
    seen: list[Any] = []

    @decorate
    def subject() -> Any:
        seen.append(portrait(held[0]))
        seen.append([outcome(getattr(held[0], method), *arguments()) for method, arguments in (send(), CLOSE)])
        seen.append([outcome(next, held[0]), outcome(list, held[0]), outcome(held[0].throw, LookupError("at itself"))])
        yield 1
        seen.append(portrait(held[0]))

    held.append(subject())
    return finished(held[0]), seen, portrait(held.pop())


def test_two_threads_do_not_run_it_at_a_time(decorate: Decorate) -> object:
    inside, leave = threading.Event(), threading.Event()
    seen: list[Any] = []

    @decorate
    def subject() -> Any:
        inside.set()
        leave.wait(10)
        yield threading.current_thread().name
        yield threading.current_thread().name

    generator = subject()
    other = threading.Thread(target=lambda: seen.append(next(generator)), name="other")
    other.start()
    inside.wait(10)
    refused = outcome(next, generator)
    leave.set()
    other.join()
    return refused, seen, next(generator) == threading.current_thread().name, outcome(next, generator)


def test_what_it_delegates_to_is_seen_from_outside(decorate: Decorate) -> object:
    inside = patient(decorate)
    held: list[Any] = []

    @decorate
    def around() -> Any:
        held.append(inside([]))
        return (yield from held[0])

    generator = around()
    before = generator.gi_yieldfrom
    next(generator)
    during = generator.gi_yieldfrom is held[0], portrait(held[0]), portrait(generator)
    generator.close()
    return before, during, generator.gi_yieldfrom, portrait(held[0])


def test_delegation_to_things_of_all_kinds(decorate: Decorate) -> object:
    class Sendable:
        def __init__(self) -> None:
            self.got: list[Any] = []

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            return "next"

        def send(self, value: Any) -> Any:
            self.got.append(value)
            return "sent"

        def throw(self, *_: Any) -> Any:
            raise StopIteration("thrown")

    @decorate
    def delegates(target: Any) -> Any:
        return (yield from target)

    sendable = delegates(Sendable())
    seen = [outcome(next, sendable), outcome(sendable.send, 1), outcome(sendable.throw, LookupError("x"))]
    plainly = delegates([1, 2])
    seen += [outcome(next, plainly), outcome(plainly.send, 1), outcome(delegates([1]).send, 1)]
    seen += [outcome(list, delegates(it)) for it in ("ab", {1: 2}, range(2), 3, None)]
    return seen


def test_recursive_generators(decorate: Decorate) -> object:
    @decorate
    def permutations(items: list[Any]) -> Any:
        if not items:
            yield []
        for index, item in enumerate(items):
            for rest in permutations(items[:index] + items[index + 1 :]):
                yield [item, *rest]

    return list(permutations([1, 2, 3]))


def test_the_value_that_close_gives(decorate: Decorate) -> object:
    @decorate
    def subject() -> Any:
        try:
            yield 1
        except GeneratorExit:
            return "value of close"

    generator, unstarted = subject(), subject()
    next(generator)
    return outcome(generator.close), outcome(generator.close), outcome(unstarted.close)


def test_a_throw_at_a_deep_delegation_reaches_the_innermost(decorate: Decorate) -> object:
    @decorate
    def deep(level: int) -> Any:
        if level:
            try:
                return (yield from deep(level - 1))
            except LookupError as error:
                error.add_note(f"passed {level}")
                raise
        yield "bottom"

    generator = deep(4)
    return next(generator), played(generator, [throw(lambda: LookupError("down"))])
