"""A coroutine is a coroutine to every question that can be asked of it: its class, its attributes, its refusals."""

import asyncio
import collections.abc
import inspect
import types
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, finished, pause
from transparency.observation import outcome, plain, portrait, warned
from transparency.questions import QUESTIONS, answered

ASKED: dict[str, Callable[[Any], Any]] = QUESTIONS | {
    "frame_set": lambda it: setattr(it, "cr_frame", None),
    "running_set": lambda it: setattr(it, "cr_running", True),
    "code_set": lambda it: setattr(it, "cr_code", None),
    "locals": lambda it: sorted(inspect.getcoroutinelocals(it)),
    "frame_locals": lambda it: sorted(it.cr_frame.f_locals),
    "frame_cleared": lambda it: (outcome(it.cr_frame.clear), inspect.getcoroutinestate(it)),
    "code_is_the_frame_s": lambda it: it.cr_code is it.cr_frame.f_code,
    "origin": lambda it: it.cr_origin,
    "awaited_by_hand": lambda it: (type(it.__await__()).__name__, plain(it.__await__()), it.__await__() is it),
    "methods": lambda it: [plain(getattr(it, name)) for name in ("send", "throw", "close", "__await__")],
    "send_of_the_class": lambda it: types.CoroutineType.send(it, None),
    "slot_of_the_class": lambda it: types.CoroutineType.cr_code.__get__(it).co_name,
    "send_of_the_abstract_class": lambda it: collections.abc.Coroutine.close(it),
}


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("question", ASKED.values(), ids=ASKED)
def test_a_question_has_the_same_answer(question: Callable[[Any], Any], begun: bool, decorate: Decorate) -> object:
    @decorate
    async def subject(first: int) -> Any:
        """Body."""
        return await pause(first)

    coroutine = subject(1)
    if begun:
        coroutine.send(None)
    seen = answered(question, coroutine)
    coroutine.close()
    return seen


def test_every_line_of_misuse_is_refused_alike(decorate: Decorate) -> object:
    @decorate
    async def subject() -> None: ...

    async def loops() -> None:
        async for _ in subject():
            pass

    async def enters() -> None:
        async with subject():
            pass

    async def awaits_function() -> None:
        await subject

    with warned() as warnings:
        seen = [outcome(lambda use=use: finished(use())) for use in (loops, enters, awaits_function)]
    return seen, warnings


def test_it_is_awaited_once(decorate: Decorate) -> object:
    @decorate
    async def subject() -> Any:
        return await pause()

    async def twice(it: Any) -> Any:
        return await it, await it

    unstarted, failed, closed = subject(), subject(), subject()
    failed.send(None)
    outcome(failed.throw, LookupError("x"))
    closed.close()
    return [outcome(driven, twice(it)) for it in (unstarted, failed, closed)]


def test_it_is_not_awaited_by_two_at_a_time(decorate: Decorate) -> object:
    @decorate
    async def subject() -> Any:
        return await pause()

    async def awaits(it: Any) -> Any:
        return await it

    shared = subject()
    first, second = awaits(shared), awaits(shared)
    first.send(None)
    seen = [outcome(second.send, None), portrait(shared), outcome(first.send, 3), portrait(shared)]
    return seen, outcome(driven, shared)


def test_what_a_function_makes_by_types_coroutine(decorate: Decorate) -> object:
    def base(value: int) -> Any:
        return (yield value)

    above, below = decorate(types.coroutine(base)), types.coroutine(decorate(base))

    async def awaits(function: Any) -> Any:
        return await function(3)

    def look(function: Any) -> Any:
        made = function(1)
        asked = [
            ask(made) for ask in (inspect.isgenerator, inspect.iscoroutine, inspect.isawaitable, asyncio.iscoroutine)
        ]
        return [
            driven(awaits(function)),
            asked,
            outcome(list, made),
            inspect.isgeneratorfunction(function),
            inspect.iscoroutinefunction(function),
            bool(function.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE),
            plain(function),
        ]

    return look(above), look(below)


def test_types_coroutine_of_what_makes_a_coroutine(decorate: Decorate) -> object:
    @decorate
    async def subject() -> int:
        return 4

    @decorate
    def returns_coroutine() -> Any:
        return subject()

    def look(function: Any) -> Any:
        return driven(types.coroutine(function)()), inspect.iscoroutinefunction(types.coroutine(function))

    return look(subject), look(returns_coroutine)


def test_a_generator_is_not_awaited(decorate: Decorate) -> object:
    @decorate
    def generator() -> Any:
        yield 1

    async def awaits() -> Any:
        return await generator()

    return outcome(driven, awaits())


def test_a_function_is_called_twice_for_two_coroutines(decorate: Decorate) -> object:
    @decorate
    async def subject(value: int) -> Any:
        return value, await pause()

    one, other = subject(1), subject(2)
    one.send(None)
    other.send(None)
    return [one is other, one == other, len({one, other}), outcome(other.send, "b"), outcome(one.send, "a")]
