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


def test_attributes_are_those_of_the_function_set_on_either() -> None:
    def target() -> int:
        return 1

    wrapped = monitor(target)
    wrapped.extra = 5  # type: ignore[attr-defined]
    assert wrapped.extra == 5  # type: ignore[attr-defined]
    assert target.extra == 5  # type: ignore[attr-defined]
    wrapped.__name__ = "renamed"
    wrapped.__doc__ = "new"
    assert (target.__name__, target.__doc__) == ("renamed", "new")
    del wrapped.extra  # type: ignore[attr-defined]
    assert not hasattr(wrapped, "extra")
    target.later = 6  # type: ignore[attr-defined]
    assert wrapped.later == 6  # type: ignore[attr-defined]
    del wrapped.later  # type: ignore[attr-defined]
    assert not hasattr(wrapped, "later")


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


class Ruled:
    """A callable that binds by a rule of its own."""

    def __call__(self, value: int) -> int:
        return value

    def __get__(self, instance: object, owner: type | None = None) -> Callable[[int], int]:
        return lambda value: value + 100


def test_callables_bind_by_their_own_rule_and_builtins_not_at_all() -> None:
    class Holder:
        largest = monitor(max)
        ruled = monitor(Ruled())
        cached = monitor(functools.lru_cache(lambda _, value: value + 1))

    holder: Any = Holder()
    assert holder.largest(1, 2) == 2
    assert holder.ruled(1) == 101
    assert holder.cached(1) == 2


def test_a_proxy_of_a_function_is_decorated_as_the_callable_it_is() -> None:
    def call(_: object, value: int) -> int:
        return value * 2

    # Made by type(): its class answers as a function's, which no annotation allows.
    proxy = type("Proxy", (), {"__class__": property(lambda _: types.FunctionType), "__call__": call})()
    assert isinstance(proxy, types.FunctionType)
    assert monitor(proxy)(4) == 8


def test_a_monitored_callable_is_pickled_and_copied_with_what_it_wraps() -> None:
    wrapped = monitor(functools.partial(divmod, 9))
    for clone in (pickle.loads(pickle.dumps(wrapped)), copy.copy(wrapped), copy.deepcopy(wrapped)):
        assert clone(4) == (2, 1)
        assert type(clone) is type(wrapped)
