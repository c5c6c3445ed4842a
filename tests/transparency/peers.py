"""Decorators to compare with: none at all, and the two that programs mostly use."""

import functools
import inspect
from typing import Any


def bare(function: Any) -> Any:
    """No decorator: with `--decorator transparency.peers:bare` the suite checks itself, and all is the same."""
    return function


def wraps(function: Any) -> Any:
    """The wrapper of most recipes, the same for every kind of function."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def wraps_by_kind(function: Any) -> Any:
    """The careful recipe: a wrapper of the function's own kind."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

        return coroutine
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            async for item in function(*args, **kwargs):
                yield item

        return asynchronous
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            return (yield from function(*args, **kwargs))

        return generator
    return wraps(function)
