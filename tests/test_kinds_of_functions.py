"""What a call of a function makes is known before the call: a result, a coroutine, a generator, an async generator."""

import functools
import inspect
import types
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any
from unittest import mock

import pytest
from bare_and_recorded import run_both
from conftest import RunProgram

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


EACH_FORM = """
import asyncio, functools, inspect
from calltape import monitor
class Shop:
    @monitor
    async def method(self, value): return value
    @staticmethod
    @monitor
    async def below(value): return value
    @monitor
    @staticmethod
    async def above(value): return value
    @monitor
    @classmethod
    def made(cls, count): yield from range(count)
    @monitor
    @property
    async def title(self): return "title"
    @monitor
    @functools.cached_property
    def items(self): yield 1
    held = monitor(functools.partialmethod(lambda self, value: (yield value), 3))
    @monitor
    @functools.singledispatchmethod
    async def show(self, value): return "any"
    @show.register
    async def _(self, value: int): return "int"
    @monitor
    async def __aenter__(self): return self
    @monitor
    async def __aexit__(self, *failure): pass
    @monitor
    async def __aiter__(self): yield 1
    @monitor
    def __await__(self): yield from asyncio.sleep(0).__await__()
@monitor
class Whole:
    async def coroutine(self): return 1
    def generator(self): yield 1
    async def async_generator(self): yield 1
class Called:
    async def __call__(self, value): return value
    def generator(self): yield 1
async def main():
    shop = Shop()
    print(await shop.method(1), await Shop.below(2), await Shop.above(3), list(Shop.made(2)), await shop.title)
    print(list(shop.items), list(shop.held()), await shop.show("x"), await shop.show(1))
    async with shop as entered:
        print([item async for item in entered])
    await shop
    whole = Whole()
    print(await whole.coroutine(), list(whole.generator()), [item async for item in whole.async_generator()])
    print(await monitor(Called())(4), list(monitor(Called().generator)()))
    print(await monitor(functools.partial(Called(), 5))())
    for function in (shop.method, Shop.below, Shop.above, monitor(Called()), monitor(functools.partial(Called(), 5))):
        print(inspect.iscoroutinefunction(function), end=" ")
    print(inspect.isgeneratorfunction(Shop.made), inspect.isasyncgenfunction(whole.async_generator))
asyncio.run(main())
"""


def test_each_form_is_recorded_once_with_its_kind(run_program: RunProgram) -> None:
    calls = run_both(run_program, EACH_FORM).tape.calls()
    recorded = [(call["function"].removeprefix("__main__."), call["kind"]) for call in calls]
    assert recorded == [
        ("Shop.method", "coroutine"),
        ("Shop.below", "coroutine"),
        ("Shop.above", "coroutine"),
        ("Shop.made", "generator"),
        ("Shop.title", "coroutine"),
        ("Shop.items", "generator"),
        ("Shop.<lambda>", "generator"),
        ("Shop.show", "coroutine"),
        ("Shop._", "coroutine"),
        ("Shop.__aenter__", "coroutine"),
        ("Shop.__aiter__", "async_generator"),
        ("Shop.__aexit__", "coroutine"),
        ("Shop.__await__", "generator"),
        ("Whole.coroutine", "coroutine"),
        ("Whole.generator", "generator"),
        ("Whole.async_generator", "async_generator"),
        ("Called", "coroutine"),
        ("Called.generator", "generator"),
        ("Called", "coroutine"),
    ]
    assert {call["status"] for call in calls} == {"ok"}
