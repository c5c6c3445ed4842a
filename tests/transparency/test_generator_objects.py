"""A generator is a generator to every question that can be asked of it: its class, its attributes, its refusals."""

import collections.abc
import inspect
import types
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate
from transparency.observation import outcome, plain
from transparency.questions import QUESTIONS, answered

ASKED: dict[str, Callable[[Any], Any]] = QUESTIONS | {
    "frame_set": lambda it: setattr(it, "gi_frame", None),
    "running_set": lambda it: setattr(it, "gi_running", True),
    "iter_method": lambda it: it.__iter__() is it,
    "next_method": lambda it: it.__next__(),
    "next_of_the_class": lambda it: types.GeneratorType.__next__(it),
    "send_of_the_class": lambda it: types.GeneratorType.send(it, None),
    "locals": inspect.getgeneratorlocals,
    "frame_cleared": lambda it: (outcome(it.gi_frame.clear), inspect.getgeneratorstate(it)),
    "code_is_the_frame_s": lambda it: it.gi_code is it.gi_frame.f_code,
    "methods": lambda it: [plain(getattr(it, name)) for name in ("send", "throw", "close", "__next__")],
    "close_of_the_abstract_class": lambda it: collections.abc.Generator.close(it),
}


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("question", ASKED.values(), ids=ASKED)
def test_a_question_has_the_same_answer(question: Callable[[Any], Any], begun: bool, decorate: Decorate) -> object:
    @decorate
    def subject(first: int) -> Any:
        """Body."""
        yield first
        yield 2

    generator = subject(1)
    if begun:
        next(generator)
    return answered(question, generator)


def test_two_calls_make_two(decorate: Decorate) -> object:
    @decorate
    def subject(value: int) -> Any:
        yield value
        yield value + 1

    one, other = subject(1), subject(5)
    order = [next(one), next(other), next(other), next(one)]
    return one is other, one == other, len({one, other}), order


def test_a_generator_expression_beside_it(decorate: Decorate) -> object:
    subject = decorate(lambda items: (item * 2 for item in items))
    made = subject([1, 2])
    return plain(made), list(made), inspect.isgeneratorfunction(subject)


def test_a_lambda_that_yields(decorate: Decorate) -> object:
    subject = decorate(lambda: ((yield 1), (yield 2)))
    made = subject()
    return next(made), made.send("a"), outcome(made.send, "b"), inspect.isgeneratorfunction(subject)


def test_a_function_that_hands_a_generator_on(decorate: Decorate) -> object:
    @decorate
    def inside() -> Any:
        yield 1

    @decorate
    def hands_on() -> Any:
        return inside()

    made = hands_on()
    return plain(made), list(made), inspect.isgeneratorfunction(hands_on)


def test_its_frame_runs_on_after_it_ended(decorate: Decorate) -> object:
    @decorate
    def subject() -> Any:
        kept = "local"
        yield kept

    generator = subject()
    frame = generator.gi_frame
    next(generator)
    before = sorted(frame.f_locals), frame.f_lineno - frame.f_code.co_firstlineno
    list(generator)
    return before, generator.gi_frame, generator.gi_code is frame.f_code, sorted(frame.f_locals)
