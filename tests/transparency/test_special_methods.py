"""Special methods that the interpreter looks up on the type work decorated as bare."""

# A subject takes what the interpreter hands it.
# ruff: noqa: ARG005

import copy
import math
import operator
import pickle
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from transparency.kinds import Decorate, finished
from transparency.observation import outcome

USES: dict[str, tuple[str, Any, Callable[[Any], Any]]] = {
    "repr": ("__repr__", lambda self: "shown", repr),
    "str": ("__str__", lambda self: "shown", str),
    "bytes": ("__bytes__", lambda self: b"b", bytes),
    "format": ("__format__", lambda self, spec: spec, lambda it: f"{it:abc}"),
    "hash": ("__hash__", lambda self: 7, hash),
    "bool": ("__bool__", lambda self: False, bool),
    "eq": ("__eq__", lambda self, other: other == 1, lambda it: (it == 1, it != 1, it == 2, it in [1], it == 1)),
    "ne": ("__ne__", lambda self, other: "ne", lambda it: it != 1),
    "lt": ("__lt__", lambda self, other: "lt", lambda it: (it < 1, it < 1)),
    "le_refuses": ("__le__", lambda self, other: NotImplemented, lambda it: it <= 1),
    "getattr": ("__getattr__", lambda self, name: name, lambda it: it.anything),
    "getattribute": ("__getattribute__", lambda self, name: name, lambda it: it.anything),
    "setattr": ("__setattr__", lambda self, name, value: None, lambda it: setattr(it, "a", 1)),
    "delattr": ("__delattr__", lambda self, name: None, lambda it: delattr(it, "a")),
    "dir": ("__dir__", lambda self: ["b", "a"], dir),
    "len": ("__len__", lambda self: 3, len),
    "len_negative": ("__len__", lambda self: -3, len),
    "len_of_no_number": ("__len__", lambda self: "x", len),
    "length_hint": ("__length_hint__", lambda self: 4, operator.length_hint),
    "getitem": ("__getitem__", lambda self, item: [1, 2][item], lambda it: (it[0], it[1], list(it))),
    "getslice": ("__getitem__", lambda self, item: item, lambda it: it[1:2, ...]),
    "setitem": ("__setitem__", lambda self, item, value: None, lambda it: operator.setitem(it, 0, 1)),
    "delitem": ("__delitem__", lambda self, item: None, lambda it: operator.delitem(it, 0)),
    "contains": ("__contains__", lambda self, item: item == 1, lambda it: (1 in it, 2 in it)),
    "reversed": ("__reversed__", lambda self: iter([2, 1]), lambda it: list(reversed(it))),
    "call": ("__call__", lambda self, *args, **kwargs: (args, kwargs), lambda it: it(1, key=2)),
    "int": ("__int__", lambda self: 3, int),
    "float": ("__float__", lambda self: 3.5, float),
    "complex": ("__complex__", lambda self: 3j, complex),
    "index": ("__index__", lambda self: 1, lambda it: ([5, 6][it], hex(it), range(it))),
    "round": ("__round__", lambda self, digits=None: digits, lambda it: (round(it), round(it, 2))),
    "floor": ("__floor__", lambda self: 2, math.floor),
    "trunc": ("__trunc__", lambda self: 2, math.trunc),
    "abs": ("__abs__", lambda self: 1, abs),
    "neg": ("__neg__", lambda self: 1, lambda it: -it),
    "invert": ("__invert__", lambda self: 1, lambda it: ~it),
    "add": ("__add__", lambda self, other: ("add", other), lambda it: it + 1),
    "radd": ("__radd__", lambda self, other: ("radd", other), lambda it: 1 + it),
    "iadd": ("__iadd__", lambda self, other: ("iadd", other), lambda it: vars(operator)["iadd"](it, 1)),
    "refused_add": ("__add__", lambda self, other: NotImplemented, lambda it: outcome(lambda: it + 1)[1][0]),
    "matmul": ("__matmul__", lambda self, other: "matmul", lambda it: it @ 1),
    "divmod": ("__divmod__", lambda self, other: (1, 2), lambda it: divmod(it, 1)),
    "pow": ("__pow__", lambda self, other, mod=None: (other, mod), lambda it: (it**2, pow(it, 2, 3))),
    "or": ("__or__", lambda self, other: "or", lambda it: it | 1),
    "sizeof": ("__sizeof__", lambda self: 100, lambda it: it.__sizeof__()),
    "copy": ("__copy__", lambda self: "copy", copy.copy),
    "deepcopy": ("__deepcopy__", lambda self, memo: "deep", copy.deepcopy),
    "reduce": ("__reduce__", lambda self: (int, ("3",)), lambda it: pickle.loads(pickle.dumps(it))),
    "reduce_ex": ("__reduce_ex__", lambda self, level: (int, ("4",)), lambda it: pickle.loads(pickle.dumps(it))),
    "getstate": ("__getstate__", lambda self: {"a": 1}, lambda it: it.__reduce_ex__(2)[2]),
    "fspath": ("__fspath__", lambda self: "path", __import__("os").fspath),
    "instancecheck_on_instance": ("__instancecheck__", lambda self, it: True, lambda it: outcome(isinstance, 1, it)[0]),
    "missing": ("__missing__", lambda self, key: key, lambda it: it.__missing__(1)),
    "doc": ("__doc__", lambda self: 1, lambda it: it.__doc__()),
    "match_args": ("__match_args__", lambda self: 1, lambda it: callable(it.__match_args__)),
    "mro_entries": ("__mro_entries__", lambda self, bases: (int,), lambda it: __import__("types").resolve_bases((it,))),
}


@pytest.mark.parametrize("use", USES)
def test_it_is_found_on_the_type(use: str, decorate: Decorate) -> object:
    name, function, act = USES[use]
    return outcome(act, type("Special", (), {name: decorate(function)})())


@pytest.mark.parametrize("use", USES)
def test_its_error_comes_through(use: str, decorate: Decorate) -> object:
    def failing(*args: Any, **kwargs: Any) -> Any:
        raise LookupError("special")

    name, _, act = USES[use]
    return outcome(act, type("Special", (), {name: decorate(failing)})())


def test_iteration(decorate: Decorate) -> object:
    class Up:
        @decorate
        def __init__(self) -> None:
            self.number = 0

        @decorate
        def __iter__(self) -> Any:
            return self

        @decorate
        def __next__(self) -> int:
            self.number += 1
            if self.number > 3:
                raise StopIteration
            return self.number

    class Generated:
        @decorate
        def __iter__(self) -> Any:
            yield 1
            yield 2

    # Bounded: a decorator that answers each call with the first one's answer makes an iterator without an end.
    pairs = islice(zip(Generated(), Up(), strict=False), 9)
    return list(islice(Up(), 9)), [*islice(Generated(), 9)], dict(pairs), outcome(next, Generated())


def test_context_managers(decorate: Decorate) -> object:
    events: list[Any] = []

    class Managed:
        @decorate
        def __enter__(self) -> Any:
            events.append("enter")
            return "entered"

        @decorate
        def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
            events.append((kind and kind.__name__, str(error), traceback and traceback.tb_lineno))
            return kind is LookupError

    def swallowed() -> Any:
        with Managed() as entered:
            events.append(entered)
            raise LookupError("swallowed")
        return "after"  # type: ignore[unreachable]

    def unswallowed() -> None:
        with Managed():
            raise ValueError("not swallowed")

    return outcome(swallowed), outcome(unswallowed), events


def test_asynchronous_special_methods(decorate: Decorate) -> object:
    events: list[Any] = []

    class Managed:
        @decorate
        async def __aenter__(self) -> Any:
            return "entered"

        @decorate
        async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> bool:
            events.append(kind and kind.__name__)
            return True

        @decorate
        def __aiter__(self) -> Any:
            self.number = 0
            return self

        @decorate
        async def __anext__(self) -> int:
            self.number += 1
            if self.number > 2:
                raise StopAsyncIteration
            return self.number

        @decorate
        def __await__(self) -> Any:
            return (yield "awaited")

    async def use() -> Any:
        manager: Any = Managed()
        async with manager as entered:
            events.append(entered)
            raise LookupError("swallowed")
        return [item async for item in Managed()], await Managed()  # type: ignore[unreachable]

    return finished(use()), events
