"""What a call of a function makes is known before the call: a result, a coroutine, a generator, an async generator."""

import functools
import inspect
import types
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any
from unittest import mock

import pytest

from calltape._callables import kind_of


def function() -> None: ...


async def coroutine() -> None: ...


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


@types.coroutine
def awaitable_generator() -> Generator[None, None, None]:
    yield


class Called:
    def __init__(self) -> None: ...

    async def __call__(self) -> None: ...

    def generator(self) -> Iterator[int]:
        yield 1

    @classmethod
    async def coroutine(cls) -> None: ...


class CalledStatically:
    @staticmethod
    def __call__() -> Iterator[int]:
        yield 1


@functools.wraps(coroutine)
def wrapper() -> Any:
    return coroutine()


SUBJECTS: dict[str, tuple[Any, str]] = {
    "function": (function, "function"),
    "coroutine": (coroutine, "coroutine"),
    "generator": (generator, "generator"),
    "async generator": (async_generator, "async_generator"),
    "types.coroutine": (awaitable_generator, "generator"),
    "lambda": (lambda: (yield), "generator"),
    "builtin": (len, "function"),
    "partial": (functools.partial(functools.partial(coroutine)), "coroutine"),
    "bound method": (Called().generator, "generator"),
    "bound to the class": (Called.coroutine, "coroutine"),
    "partial of a bound method": (functools.partial(Called().generator), "generator"),
    "callable object": (Called(), "coroutine"),
    "callable object with a static call": (CalledStatically(), "generator"),
    "cache": (functools.lru_cache(coroutine), "function"),
    "a plain wrapper of a coroutine function": (wrapper, "function"),
    "mock": (mock.Mock(), "function"),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_kind_of_a_callable_is_what_a_call_makes(name: str) -> None:
    subject, kind = SUBJECTS[name]
    assert kind_of(subject) == kind


@pytest.mark.skipif(not hasattr(inspect, "markcoroutinefunction"), reason="Python 3.12 and later")
def test_a_function_marked_as_a_coroutine_function_is_one() -> None:
    mark: Any = inspect.markcoroutinefunction  # type: ignore[attr-defined]
    assert kind_of(mark(lambda: coroutine())) == "coroutine"
    assert kind_of(functools.partial(mark(lambda: coroutine()))) == "coroutine"

    class Marked:
        def __call__(self) -> Any:
            return coroutine()

    assert kind_of(mark(Marked())) == "coroutine"
