"""A generator that is dropped, collected or left in the middle ends as the bare one, at the same moment."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate
from transparency.observation import outcome, portrait, unraised


def left(decorate: Decorate, ending: Callable[[], Any]) -> tuple[Any, list[Any]]:
    events: list[Any] = []

    @decorate
    def subject() -> Any:
        try:
            yield 1
            yield 2
        except BaseException as error:
            events.append((type(error).__name__, str(error)))
            raise
        finally:
            events.append("finally")
            ending()

    return subject(), events


def fails() -> None:
    raise LookupError("while ending")


ENDING = pytest.mark.parametrize("ending", [lambda: None, fails])


@ENDING
def test_one_dropped_half_way_runs_its_finally(ending: Callable[[], Any], decorate: Decorate) -> object:
    made, events = left(decorate, ending)
    next(made)
    with unraised() as seen:
        del made
        events.append("after")
    return events, seen


@ENDING
def test_one_dropped_before_it_began_runs_nothing(ending: Callable[[], Any], decorate: Decorate) -> object:
    made, events = left(decorate, ending)
    with unraised() as seen:
        del made
    return events, seen


@ENDING
def test_one_closed_half_way(ending: Callable[[], Any], decorate: Decorate) -> object:
    made, events = left(decorate, ending)
    next(made)
    return outcome(made.close), events, portrait(made)


@ENDING
def test_a_loop_left_early(ending: Callable[[], Any], decorate: Decorate) -> object:
    made, events = left(decorate, ending)
    with unraised() as seen:
        for item in made:
            events.append(item)
            break
        events.append("left")
        del made
        events.append("dropped")
    return events, seen


def test_a_loop_over_a_generator_that_nobody_holds(decorate: Decorate) -> object:
    events: list[Any] = []

    @decorate
    def subject() -> Any:
        try:
            yield 1
        finally:
            events.append("finally")

    for item in subject():
        events.append(item)
        break
    events.append("after")
    return events


@ENDING
def test_one_collected_in_a_cycle(ending: Callable[[], Any], decorate: Decorate) -> object:
    events: list[Any] = []

    @decorate
    def subject(held: list[Any]) -> Any:
        try:
            yield 1
        finally:
            events.append("finally")
            ending()

    cycle: list[Any] = []
    cycle.append(subject(cycle))
    next(cycle[0])
    reference = weakref.ref(cycle[0])
    with unraised() as seen:
        del cycle
        events.append("dropped")
        gc.collect()
    return events, seen, reference()


def test_one_that_yields_while_it_is_dropped(decorate: Decorate) -> object:
    @decorate
    def subject() -> Any:
        try:
            yield 1
        finally:
            yield 2

    made = subject()
    next(made)
    with unraised() as seen:
        del made
    closing = subject()
    next(closing)
    return seen, outcome(closing.close), portrait(closing), outcome(closing.close)


def test_one_that_comes_back_to_life(decorate: Decorate) -> object:
    graveyard: list[Any] = []

    @decorate
    def subject(held: list[Any]) -> Any:
        try:
            yield 1
        finally:
            graveyard.append(held[0])

    cycle: list[Any] = []
    cycle.append(subject(cycle))
    next(cycle[0])
    del cycle
    gc.collect()
    return portrait(graveyard[0]), outcome(next, graveyard[0])


def test_a_chain_dropped_from_outside_ends_from_inside(decorate: Decorate) -> object:
    events: list[str] = []

    @decorate
    def chain(level: int) -> Any:
        try:
            if level:
                yield from chain(level - 1)
            yield level
        finally:
            events.append(f"finally {level}")

    made = chain(3)
    next(made)
    del made
    return events


def test_what_it_holds_is_let_go_at_its_end(decorate: Decorate) -> object:
    class Held:
        pass

    events: list[str] = []

    @decorate
    def subject(argument: Any) -> Any:
        local = Held()
        weakref.finalize(local, events.append, "local")
        yield 1
        del argument
        yield 2

    argument = Held()
    weakref.finalize(argument, events.append, "argument")
    made = subject(argument)
    del argument
    next(made)
    events.append("first")
    next(made)
    events.append("second")
    outcome(next, made)
    events.append("ended")
    return events


def test_items_are_not_kept(decorate: Decorate) -> object:
    class Item:
        pass

    @decorate
    def subject() -> Any:
        while True:
            yield Item()

    made = subject()
    references = [weakref.ref(next(made)) for _ in range(3)]
    sent = Item()
    references.append(weakref.ref(sent))
    made.send(sent)
    del sent
    return [reference() for reference in references]


def test_an_error_while_another_is_handled(decorate: Decorate) -> object:
    made, events = left(decorate, fails)
    next(made)

    def handles() -> None:
        nonlocal made
        try:
            raise ValueError("outer")
        except ValueError:
            made.close()

    return outcome(handles), events
