"""A coroutine that is dropped before or between its steps warns, tidies up and fails as the bare one."""

import gc
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, pause
from transparency.observation import outcome, portrait, unraised, warned


def test_the_warning_names_it(decorate: Decorate) -> object:
    @decorate
    async def subject() -> None: ...

    class Holder:
        @decorate
        async def method(self) -> None: ...

    with warned() as seen:
        subject()
        Holder().method()
        made = subject()
        made.__qualname__ = "renamed"
        del made
    return seen


def test_the_warning_comes_from_a_collection(decorate: Decorate) -> object:
    @decorate
    async def subject(held: list[Any]) -> None: ...

    with warned() as seen:
        cycle: list[Any] = []
        cycle.append(subject(cycle))
        del cycle
        gc.collect()
    return [note[:2] for note in seen]


@pytest.mark.parametrize("depth", [1, 3])
def test_the_warning_tells_where_it_was_made(depth: int, decorate: Decorate) -> object:
    @decorate
    async def subject() -> None: ...

    def makes() -> Any:
        return subject()

    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(depth)
    try:
        made = makes()
    finally:
        sys.set_coroutine_origin_tracking_depth(before)
    origin = made.cr_origin
    with warned() as seen:
        del made
    return [(line, name) for _, line, name in origin], [
        (note[0], note[1].splitlines()[0], note[1].count("\n")) for note in seen
    ]


def test_the_warning_as_an_error_is_unraisable(decorate: Decorate) -> object:
    @decorate
    async def subject() -> None: ...

    with unraised() as seen, warnings.catch_warnings():
        warnings.simplefilter("error")
        subject()
    return seen


def test_no_warning_once_it_was_closed_or_begun(decorate: Decorate) -> object:
    @decorate
    async def subject() -> None:
        await pause()

    with warned() as seen:
        subject().close()
        begun = subject()
        begun.send(None)
        del begun
        outcome(subject().throw, LookupError("early"))
    return seen, "no warning"


def left(decorate: Decorate, ending: Callable[[], Any]) -> tuple[Any, list[Any]]:
    events: list[Any] = []

    @decorate
    async def subject() -> Any:
        try:
            await pause()
        except BaseException as error:
            events.append((type(error).__name__, str(error)))
            raise
        finally:
            events.append("finally")
            ending()

    made = subject()
    made.send(None)
    return made, events


def fails() -> None:
    raise LookupError("while ending")


@pytest.mark.parametrize("ending", [lambda: None, fails])
def test_one_dropped_half_way_runs_its_finally(ending: Callable[[], Any], decorate: Decorate) -> object:
    made, events = left(decorate, ending)
    with unraised() as seen:
        del made
    return events, seen


@pytest.mark.parametrize("ending", [lambda: None, fails])
def test_one_closed_half_way_runs_its_finally(ending: Callable[[], Any], decorate: Decorate) -> object:
    made, events = left(decorate, ending)
    return outcome(made.close), events


def test_one_that_awaits_while_it_is_dropped(decorate: Decorate) -> object:
    @decorate
    async def subject() -> None:
        try:
            await pause()
        finally:
            await pause()

    made = subject()
    made.send(None)
    with unraised() as seen:
        del made
    return seen


def test_one_dropped_in_a_cycle(decorate: Decorate) -> object:
    events: list[str] = []

    @decorate
    async def subject(held: list[Any]) -> None:
        try:
            await pause()
        finally:
            events.append("finally")

    cycle: list[Any] = []
    cycle.append(subject(cycle))
    cycle[0].send(None)
    del cycle
    events.append("dropped")
    gc.collect()
    return events


def test_one_that_comes_back_to_life(decorate: Decorate) -> object:
    graveyard: list[Any] = []

    @decorate
    async def subject(held: list[Any]) -> None:
        try:
            await pause()
        finally:
            graveyard.append(held[0])

    cycle: list[Any] = []
    cycle.append(subject(cycle))
    cycle[0].send(None)
    del cycle
    gc.collect()
    return portrait(graveyard[0]), outcome(graveyard[0].send, None)
