"""A monitored function looks like the function: each check runs on both and compares."""

import copy
import functools
import gc
import inspect
import pickle
import types
import typing
import weakref
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from calltape import monitor


def bare(first: int, second: "str" = "x", /, *rest: float, key: bool = True, **named: Any) -> list[int]:
    """Say what it does."""
    return [first]


bare.mark = "kept"  # type: ignore[attr-defined]
recorded = monitor(bare)


def pickled(function: Callable[..., Any]) -> bool:
    globals()[function.__qualname__] = function
    return all(pickle.loads(pickle.dumps(function, level)) is function for level in range(pickle.HIGHEST_PROTOCOL + 1))


LOOKS: dict[str, Callable[[Any], Any]] = {
    "signature": inspect.signature,
    "isfunction": inspect.isfunction,
    "iscoroutinefunction": inspect.iscoroutinefunction,
    "isgeneratorfunction": inspect.isgeneratorfunction,
    "source": inspect.getsource,
    "source file": inspect.getsourcefile,
    "type hints": typing.get_type_hints,
    "doc": lambda f: f.__doc__,
    "names": lambda f: (f.__name__, f.__qualname__, f.__module__),
    "code": lambda f: f.__code__,
    "defaults": lambda f: (f.__defaults__, f.__kwdefaults__),
    "annotations": lambda f: f.__annotations__,
    "own attribute": lambda f: f.mark,
    "missing attribute": lambda f: hasattr(f, "nothing_here"),
    "dict": lambda f: dict(f.__dict__),
    "isinstance": lambda f: isinstance(f, types.FunctionType),
    "callable": callable,
    "copy": lambda f: copy.copy(f) is f and copy.deepcopy(f) is f,
    "equality": lambda f: (f == f, f != f, hash(f) == hash(f), f == 3),
    "autospec": lambda f: str(inspect.signature(mock.create_autospec(f))),
    "bound": lambda f: (f.__get__(3).__self__, inspect.ismethod(f.__get__(3)), f.__get__(None, int) is f),
    "wraps": lambda f: functools.wraps(f)(lambda: None).__name__,
    "repr": lambda f: repr(f).partition(" at ")[0],
    "globals": lambda f: f.__globals__ is globals(),
}


@pytest.mark.parametrize("look", LOOKS)
def test_it_looks_like_the_function(look: str) -> None:
    assert LOOKS[look](recorded) == LOOKS[look](bare)


def test_it_is_pickled_by_name() -> None:
    original = globals()["bare"]
    try:
        assert pickled(bare)
        assert pickled(recorded)
    finally:
        globals()["bare"] = original


def test_attributes_are_set_on_it_and_the_functions_own_on_the_function() -> None:
    def target() -> int:
        return 1

    wrapped = monitor(target)
    wrapped.extra = 5  # type: ignore[attr-defined]
    assert wrapped.extra == 5  # type: ignore[attr-defined]
    assert not hasattr(target, "extra")
    wrapped.__name__ = "renamed"
    wrapped.__doc__ = "new"
    assert (target.__name__, target.__doc__) == ("renamed", "new")
    del wrapped.extra  # type: ignore[attr-defined]
    assert not hasattr(wrapped, "extra")


def test_cycles_through_it_are_collected_and_it_can_be_referenced_weakly() -> None:
    def make() -> tuple[weakref.ref[Any], weakref.ref[Any]]:
        def target() -> Any:
            return wrapped

        wrapped = monitor(target)
        wrapped.self = wrapped  # type: ignore[attr-defined]
        return weakref.ref(target), weakref.ref(wrapped)

    references = make()
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_making_and_dropping_many_leaves_nothing_behind() -> None:
    def cycle() -> None:
        for _ in range(1000):
            monitor(lambda: None)

    cycle()
    gc.collect()
    before = len(gc.get_objects())
    cycle()
    gc.collect()
    assert len(gc.get_objects()) - before < 50
