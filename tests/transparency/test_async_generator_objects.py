"""An async generator is one to every question that can be asked of it: its class, its attributes, its refusals."""

import inspect
import types
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, pause
from transparency.observation import outcome, plain, portrait, warned
from transparency.questions import QUESTIONS, answered


def closed_state(items: Any) -> object:
    ask = getattr(inspect, "getasyncgenlocals", lambda it: it.ag_frame.f_locals)
    return sorted(ask(items))


ASKED: dict[str, Callable[[Any], Any]] = QUESTIONS | {
    "frame_set": lambda it: setattr(it, "ag_frame", None),
    "running_set": lambda it: setattr(it, "ag_running", True),
    "locals": closed_state,
    "frame_cleared": lambda it: (outcome(it.ag_frame.clear), plain(it.ag_frame)),
    "code_is_the_frame_s": lambda it: it.ag_code is it.ag_frame.f_code,
    "methods": lambda it: [
        plain(getattr(it, name)) for name in ("asend", "athrow", "aclose", "__anext__", "__aiter__")
    ],
    "anext_of_the_class": lambda it: driven(types.AsyncGeneratorType.__anext__(it)),
    "asend_of_the_class": lambda it: driven(types.AsyncGeneratorType.asend(it, None)),
    "aiter_method": lambda it: it.__aiter__() is it,
    "steps": lambda it: [
        (type(step).__name__, plain(step), inspect.isawaitable(step), step.close())
        for step in (it.asend(None), it.__anext__())
    ],
}


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("question", ASKED.values(), ids=ASKED)
def test_a_question_has_the_same_answer(question: Callable[[Any], Any], begun: bool, decorate: Decorate) -> object:
    @decorate
    async def subject(first: int) -> Any:
        """Body."""
        yield first
        await pause()
        yield 2

    items = subject(1)
    if begun:
        driven(items.__anext__())
    seen = answered(question, items)
    driven(items.aclose())
    return seen


def test_every_line_of_misuse_is_refused_alike(decorate: Decorate) -> object:
    @decorate
    async def subject() -> Any:
        yield 1

    async def awaits() -> Any:
        return await subject()

    async def enters() -> Any:
        async with subject():
            pass

    def loops() -> Any:
        for _ in subject():
            pass

    with warned() as warnings:
        seen = [outcome(driven, awaits()), outcome(driven, enters()), outcome(loops)]
    return seen, warnings


def test_steps_that_are_never_awaited(decorate: Decorate) -> object:
    @decorate
    async def subject() -> Any:
        yield 1

    items = subject()
    with warned() as warnings:
        items.asend(None)
        items.__anext__()
        items.athrow(LookupError("x"))
        items.aclose()
    return warnings, portrait(items)


def test_what_it_awaits_is_seen_from_outside(decorate: Decorate) -> object:
    @decorate
    async def inside() -> Any:
        return await pause("inside")

    held: list[Any] = []

    @decorate
    async def subject() -> Any:
        held.append(inside())
        yield await held[0]

    items = subject()
    before = items.ag_await
    step = items.__anext__()
    step.send(None)
    during = items.ag_await is held[0], items.ag_running, portrait(items), portrait(held[0])
    return before, during, outcome(step.send, "value"), items.ag_await, outcome(lambda: driven(items.aclose()))


def test_two_calls_make_two(decorate: Decorate) -> object:
    @decorate
    async def subject(value: int) -> Any:
        yield value
        yield value + 1

    one, other = subject(1), subject(5)
    order = [driven(step.__anext__()) for step in (one, other, other, one)]
    return one is other, one == other, len({one, other}), order


def test_an_async_generator_expression_beside_it(decorate: Decorate) -> object:
    @decorate
    async def numbers() -> Any:
        yield 1
        yield 2

    subject = decorate(lambda: (item * 2 async for item in numbers()))

    async def uses() -> Any:
        return [item async for item in subject()]

    return driven(uses()), inspect.isasyncgenfunction(subject)
