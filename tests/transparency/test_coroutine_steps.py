"""A coroutine driven by hand answers `send`, `throw` and `close` as the bare one, and shows the same after each."""

import inspect
import sys
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, pause
from transparency.moves import CLOSE, SCRIPTS, SCRIPTS_THROUGH, Move, played, send, throw
from transparency.observation import outcome, portrait

SCRIPT = pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)


def patient(decorate: Decorate) -> Any:
    @decorate
    async def subject(events: list[Any]) -> Any:
        events.append("begun")
        try:
            events.append(("got", await pause("first")))
            got = await pause("second")
        except LookupError as error:
            events.append(("caught", str(error), sys.exc_info()[1] is error))
            await pause("in the handler")
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


@SCRIPT
def test_a_script_of_moves_on_what_await_gives(script: list[Move], decorate: Decorate) -> object:
    events: list[Any] = []
    coroutine = patient(decorate)(events)
    return played(coroutine, script, on=coroutine.__await__()), events


@pytest.mark.parametrize("script", SCRIPTS_THROUGH.values(), ids=SCRIPTS_THROUGH)
def test_a_script_of_moves_through_another(script: list[Move], decorate: Decorate) -> object:
    inside = patient(decorate)

    @decorate
    async def around(events: list[Any]) -> Any:
        try:
            return "around", await inside(events)
        except ValueError as error:
            raise KeyError("from around") from error

    events: list[Any] = []
    return played(around(events), script), events


@SCRIPT
def test_a_script_of_moves_on_a_stubborn_one(script: list[Move], decorate: Decorate) -> object:
    @decorate
    async def stubborn(events: list[Any]) -> Any:
        while len(events) < 6:
            try:
                events.append(await pause(len(events)))
            except BaseException as error:
                events.append(type(error).__name__)
        return "enough"

    events: list[Any] = []
    coroutine = stubborn(events)
    seen = played(coroutine, script)
    while inspect.getcoroutinestate(coroutine) != "CORO_CLOSED":
        seen.append(outcome(coroutine.close))
    return seen, events


def test_it_sees_itself_running(decorate: Decorate) -> object:
    held: list[Any] = []
    seen: list[Any] = []

    @decorate
    async def subject() -> Any:
        seen.append(portrait(held[0]))
        seen.append([outcome(getattr(held[0], method), *arguments()) for method, arguments in (send(), CLOSE)])
        seen.append(outcome(held[0].throw, LookupError("at itself")))
        await pause()
        seen.append(portrait(held[0]))

    held.append(subject())
    result = driven(held[0])
    return result, seen, portrait(held.pop())


def test_what_it_awaits_is_seen_from_outside(decorate: Decorate) -> object:
    inside = patient(decorate)
    held: list[Any] = []

    @decorate
    async def around() -> Any:
        held.append(inside([]))
        return await held[0]

    coroutine = around()
    before = coroutine.cr_await
    coroutine.send(None)
    during = (
        coroutine.cr_await is held[0],
        type(coroutine.cr_await).__name__,
        type(held[0].cr_await).__name__,
        portrait(held[0]),
        held[0].cr_frame.f_code.co_name,
        coroutine.cr_frame.f_locals.keys(),
    )
    coroutine.close()
    return before, during, coroutine.cr_await, held[0].cr_await, portrait(held[0])


def test_the_value_of_an_await_is_the_value_returned(decorate: Decorate) -> object:
    @decorate
    async def gives(value: Any) -> Any:
        return value

    values: list[Any] = [None, 1, (1, 2), [], StopIteration(5), ValueError, ValueError("x"), gives]
    return [driven(gives(value))[0] is value for value in values]


def test_a_stop_raised_in_the_body_becomes_a_runtime_error(decorate: Decorate) -> object:
    @decorate
    async def stops(kind: type[BaseException]) -> Any:
        await pause()
        raise kind("inside")

    return [outcome(driven, stops(kind)) for kind in (StopIteration, StopAsyncIteration, GeneratorExit, RuntimeError)]


def test_a_throw_at_a_deep_await_reaches_the_innermost(decorate: Decorate) -> object:
    @decorate
    async def deep(level: int) -> Any:
        if level:
            try:
                return await deep(level - 1)
            except LookupError as error:
                error.add_note(f"passed {level}")
                raise
        return await pause("bottom")

    coroutine = deep(4)
    return coroutine.send(None), played(coroutine, [throw(lambda: LookupError("down"))])
