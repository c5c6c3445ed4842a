# ruff: noqa: ARG002, ARG004
"""Bare functions, methods and classes of every kind: `monitor` must make things of the same type of them.

Checked by mypy and pyright, never run; `test_type_checkers.py` says how.
"""

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeGuard, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def plain(order: int, /, why: str, *rest: float, dry_run: bool = False, **named: bytes) -> str:
    return f"{order}{why}{rest}{dry_run}{named}"


async def coroutine(order: int, *, why: str = "") -> str:
    return f"{order}{why}"


def generator(order: int) -> Generator[int, str, bool]:
    return bool((yield order))


def iterator(order: int) -> Iterator[int]:
    yield order


async def async_generator(order: int) -> AsyncGenerator[int, str]:
    yield order


async def async_iterator(order: int) -> AsyncIterator[int]:
    yield order


def guard(value: object) -> TypeGuard[int]:
    return isinstance(value, int)


@overload
def either(value: int) -> int: ...
@overload
def either(value: str, *, strict: bool) -> str: ...
def either(value: int | str, *, strict: bool = False) -> int | str:
    return value


@overload
async def either_later(value: int) -> int: ...
@overload
async def either_later(value: str) -> str: ...
async def either_later(value: int | str) -> int | str:
    return value


def generic(values: list[T], default: T | None = None) -> T:
    return default or values[0]


def called(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return function(*args, **kwargs)


async def awaited(function: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    return await function(*args, **kwargs)


def decorator(function: Callable[Concatenate[int, P], R]) -> Callable[P, list[R]]:
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> list[R]:
        return [function(1, *args, **kwargs)]

    return wrapper


@functools.lru_cache
def cached(order: int) -> str:
    return str(order)


partly = functools.partial(cached, 1)


class Shop(Generic[T]):
    def __init__(self, kept: T) -> None:
        self.kept = kept

    def __call__(self, order: int) -> T:
        return self.kept

    def method(self, order: int) -> T:
        return self.kept

    async def coroutine(self, order: int) -> T:
        return self.kept

    def chained(self) -> Self:
        return self

    @staticmethod
    def static(order: int, **named: Any) -> str:
        return str(order)

    @classmethod
    def made(cls, kept: T) -> Self:
        return cls(kept)


shop = Shop(1.5)
