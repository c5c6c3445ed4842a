"""The subjects of checks that hold for every kind of function in every place: the same signature, the same text."""

import inspect
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

Decorate = Callable[[Any], Any]
Make = Callable[[Decorate], Any]


@types.coroutine
def pause(value: Any = None) -> Any:
    """Suspend an `async def` with a value for whoever drives it by hand, and give what it sends."""
    return (yield value)


def function() -> Any:
    """A plain function."""

    # What stands above it.
    def subject(first: Any, second: "str" = "x", /, *rest: float, key: bool = True, **named: Any) -> list[int]:
        """Say what it does."""
        return [first, second, rest, key, named]

    return subject


def coroutine() -> Any:
    """A coroutine function."""

    # What stands above it.
    async def subject(first: Any, second: "str" = "x", /, *rest: float, key: bool = True, **named: Any) -> list[int]:
        """Say what it does."""
        await pause(second)
        return [first, second, rest, key, named]

    return subject


def generator() -> Any:
    """A generator function."""

    # What stands above it.
    def subject(first: Any, second: "str" = "x", /, *rest: float, key: bool = True, **named: Any) -> Iterator[Any]:
        """Say what it does."""
        yield from [first, second, rest, key, named]
        return "end"  # type: ignore[return-value]

    return subject


def async_generator() -> Any:
    """An async generator function."""

    # What stands above it.
    async def subject(
        first: Any, second: "str" = "x", /, *rest: float, key: bool = True, **named: Any
    ) -> AsyncIterator[Any]:
        """Say what it does."""
        yield first
        await pause(second)
        for item in (rest, key, named):
            yield item

    return subject


def anonymous() -> Any:
    """A lambda."""
    return lambda first, second="x", /, *rest, key=True, **named: [first, second, rest, key, named]


KINDS: dict[str, Callable[[], Any]] = {
    "function": function,
    "coroutine": coroutine,
    "generator": generator,
    "async_generator": async_generator,
    "lambda": anonymous,
}


def _held(attribute: Any) -> Any:
    return type("Holder", (), {"subject": attribute, "__module__": __name__, "__repr__": lambda _: "<holder>"})


PLACES: dict[str, Callable[[Any, Decorate], Any]] = {
    "function": lambda raw, decorate: decorate(raw),
    "unbound": lambda raw, decorate: _held(decorate(raw)).subject,
    "method": lambda raw, decorate: _held(decorate(raw))().subject,
    "in_staticmethod": lambda raw, decorate: _held(staticmethod(decorate(raw))).subject,
    "on_staticmethod": lambda raw, decorate: _held(decorate(staticmethod(raw))).subject,
    "in_classmethod": lambda raw, decorate: _held(classmethod(decorate(raw))).subject,
    "on_classmethod": lambda raw, decorate: _held(decorate(classmethod(raw)))().subject,
}

SUBJECTS: dict[str, Make] = {
    f"{kind}-{place}": lambda decorate, raw=raw, put=put: put(raw(), decorate)  # type: ignore[misc]
    for kind, raw in KINDS.items()
    for place, put in PLACES.items()
}


def driven(awaitable: Any) -> tuple[Any, list[Any]]:
    """Drive an awaitable by hand: what it returns, and what it suspended with on the way."""
    steps: list[Any] = []
    iterator = awaitable.__await__()
    try:
        while True:
            steps.append(iterator.send(None))
    except StopIteration as stop:
        return stop.value, steps


def finished(made: Any) -> Any:
    """Run what a call gave to its end: the value itself, or all that a suspended body gives."""
    if isinstance(made, AsyncIterator):
        return driven(_all_of(made))
    if inspect.isawaitable(made):
        return driven(made)
    if isinstance(made, Iterator):
        items: list[Any] = []
        while True:
            try:
                items.append(next(made))
            except StopIteration as stop:
                return items, stop.value
    return made


async def _all_of(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]
