# ruff: noqa: ARG002
"""What type checkers see of monitored functions, methods and classes: what they see of bare ones.

Checked by mypy and pyright, never run; `test_type_checkers.py` says how. `above_properties.py` holds the rest.
"""

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, assert_type, overload

from calltape import monitor, unmonitor

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# ------------------------------------------------------------------------------------------------- kinds of functions


@monitor
def plain(order: int, *, dry_run: bool = False) -> str:
    return f"{order}{dry_run}"


@monitor()
def called(order: int, /, *rest: float, **named: bytes) -> list[str]:
    return [str(order), *map(str, rest), *named]


@monitor(name="shop.given", sample_rate=0.5, capture={"args": False})
def given(order: int) -> str:
    return str(order)


@monitor
async def coroutine(order: int) -> str:
    return str(order)


@monitor(group="async", keep_slower_than=timedelta(milliseconds=50))
async def coroutine_called(order: int) -> str:
    return str(order)


@monitor
def generator(order: int) -> Generator[int, str, bool]:
    sent = yield order
    return bool(sent)


@monitor(sample_rate="auto", keep_slower_than="50ms")
def iterator(order: int) -> Iterator[int]:
    yield order


@monitor
async def async_generator(order: int) -> AsyncGenerator[int, str]:
    yield order


@monitor()
async def async_iterator(order: int) -> AsyncIterator[int]:
    yield order


assert_type(plain(1, dry_run=True), str)
assert_type(called(1, 2.0, x=b""), list[str])
assert_type(given(1), str)
assert_type(generator(1), Generator[int, str, bool])
assert_type(iterator(1), Iterator[int])
assert_type(async_generator(1), AsyncGenerator[int, str])
assert_type(async_iterator(1), AsyncIterator[int])
assert_type(monitor(plain)(1), str)
assert_type(monitor(plain, name="x")(1), str)
assert_type(unmonitor(plain)(1), str)
assert_type(monitor(lambda: str(3))(), str)


async def awaited() -> None:
    assert_type(await coroutine(1), str)
    assert_type(await coroutine_called(1), str)
    assert_type(await unmonitor(coroutine)(1), str)
    assert_type(await Shop("kept").coroutine(1), str)
    async for item in async_iterator(1):
        assert_type(item, int)


@contextmanager
@monitor
def resource(order: int) -> Generator[str, None, None]:
    yield str(order)


@asynccontextmanager
@monitor()
async def async_resource(order: int) -> AsyncGenerator[str, None]:
    yield str(order)


async def opened() -> None:
    with resource(1) as resource_opened:
        assert_type(resource_opened, str)
    async with async_resource(1) as resource_opened:
        assert_type(resource_opened, str)


# ------------------------------------------------------------------------------------------------ overloads, generics


@overload
def either(value: int) -> int: ...
@overload
def either(value: str, *, strict: bool) -> str: ...
@monitor
def either(value: int | str, *, strict: bool = False) -> int | str:
    return value


recorded_overloads = monitor(either)
recorded_overloads_called = monitor(group="g")(either)
assert_type(either(1), int)
assert_type(recorded_overloads(1), int)
assert_type(recorded_overloads("x", strict=True), str)
assert_type(recorded_overloads_called("x", strict=True), str)
assert_type(unmonitor(either)(1), int)


@monitor
def first(values: list[T]) -> T:
    return values[0]


@monitor()
def retried(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return function(*args, **kwargs)


@monitor
def decorator(function: Callable[P, R]) -> Callable[Concatenate[int, P], list[R]]:
    def wrapper(times: int, /, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        return [function(*args, **kwargs) for _ in range(times)]

    return wrapper


@decorator
def repeated(text: str) -> bytes:
    return text.encode()


# One decorator for several functions keeps each one's own type.
orders = monitor(group="orders")


@orders
def placed(order: int) -> str:
    return str(order)


@orders
def cancelled(order: int, why: str) -> bool:
    return bool(order and why)


assert_type(first([1]), int)
assert_type(first(["x"]), str)
assert_type(retried(plain, 1, dry_run=True), str)
assert_type(repeated(3, "x"), list[bytes])
assert_type(placed(1), str)
assert_type(cancelled(1, "x"), bool)

# --------------------------------------------------------------------------------------------- methods and descriptors


class Shop(Generic[T]):
    @monitor
    def __init__(self, kept: T) -> None:
        self.kept = kept

    @monitor
    def method(self, order: int) -> T:
        return self.kept

    @monitor(name="x")
    async def coroutine(self, order: int) -> T:
        return self.kept

    @monitor
    def chained(self) -> Self:
        return self

    @staticmethod
    @monitor
    def static_below(order: int) -> str:
        return str(order)

    @monitor
    @staticmethod
    def static_above(order: int) -> str:
        return str(order)

    @monitor()
    @staticmethod
    def static_called(order: int) -> str:
        return str(order)

    @classmethod
    @monitor
    def class_below(cls, order: int) -> str:
        return cls.__name__ * order

    @monitor
    @classmethod
    def class_above(cls, order: int) -> str:
        return cls.__name__ * order

    @monitor(group="g")
    @classmethod
    def class_called(cls, order: int) -> str:
        return cls.__name__ * order

    @property
    @monitor
    def title(self) -> str:
        return "title"

    @title.setter
    @monitor
    def title(self, value: str) -> None: ...

    @functools.cached_property
    @monitor
    def cached_below(self) -> bytes:
        return b""

    @monitor
    def __len__(self) -> int:
        return 0

    def held(self, order: int, why: str) -> bool:
        return bool(order and why)

    partly = monitor(functools.partialmethod(held, 1))


shop = Shop(1.5)
assert_type(shop, Shop[float])
assert_type(shop.method(1), float)
assert_type(shop.chained(), Shop[float])
assert_type(shop.static_below(1), str)
assert_type(Shop.static_above(1), str)
assert_type(shop.static_called(1), str)
assert_type(Shop.class_below(1), str)
assert_type(Shop.class_above(1), str)
assert_type(shop.class_called(1), str)
assert_type(shop.title, str)
assert_type(shop.cached_below, bytes)
assert_type(len(shop), int)
assert_type(monitor(shop.method)(1), float)
assert_type(unmonitor(shop.method)(1), float)
shop.title = "new"

# ------------------------------------------------------------------------------------------------------------ classes


@monitor
class Basket:
    def __init__(self, size: int) -> None:
        self.size = size

    def fill(self, order: str) -> int:
        return self.size + len(order)


@monitor
class Crate(Generic[T]):
    def __init__(self, kept: T) -> None:
        self.kept = kept

    def swapped(self, kept: T) -> "Crate[T]":
        return Crate(kept)


@monitor(group="data")
@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0

    def moved(self, by: int) -> "Point":
        return Point(self.x + by, self.y)


@monitor
class Sized(Protocol):
    def fill(self, order: str) -> int: ...


def takes_sized(sized: Sized) -> int:
    return sized.fill("")


assert_type(Basket(1), Basket)
assert_type(Basket(1).fill("x"), int)
assert_type(Crate("x").swapped("y"), Crate[str])
assert_type(Point(1).moved(2), Point)
assert_type(Point(1, y=2).x, int)
assert_type(monitor(Basket), type[Basket])
assert_type(unmonitor(Basket), type[Basket])
assert_type(takes_sized(Basket(1)), int)

# ---------------------------------------------------------------------------------------------------- other callables

assert_type(monitor(len)([1]), int)
assert_type(monitor(functools.partial(plain, 1))(dry_run=True), str)
assert_type(monitor(functools.lru_cache(maxsize=3)(given)).cache_info().hits, int)
assert_type(unmonitor(3), int)
