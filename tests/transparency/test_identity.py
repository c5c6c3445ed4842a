"""Equality, hash, order, repr, weak references and the refusals of a decorated function are the function's."""

import gc
import json
import operator
import types
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, function
from transparency.observation import each, outcome, plain

USES: dict[str, Callable[[Any], Any]] = {
    "repr": repr,
    "text": str,
    "formatted": lambda f: f"{f}",
    "formatted_with_width": lambda f: f"{f:>10}",
    "truth": bool,
    "in_a_list": lambda f: [f].index(f),
    "in_a_dict": lambda f: {f: 1}[f],
    "in_a_set": lambda f: f in {f},
    "equal_to_itself": lambda f: (f == f, f != f),
    "equal_to_others": lambda f: (f == 3, f != 3, f == len, len == f, f is None),
    "hash": lambda f: hash(f) == hash(f),
    "less_than": lambda f: f < f,
    "less_than_a_number": lambda f: f < 3,
    "added": lambda f: f + 1,
    "multiplied": lambda f: 2 * f,
    "negated": lambda f: -f,
    "indexed": lambda f: f[0],
    "assigned_at": lambda f: operator.setitem(f, 0, 1),
    "length": len,
    "iterated": iter,
    "advanced": next,
    "contains": lambda f: 1 in f,
    "joined": lambda f: "".join([f]),
    "number": int,
    "index": operator.index,
    "json": json.dumps,
    "entered": lambda f: f.__enter__,
    "unpacked": lambda f: [*f],
    "unpacked_by_name": lambda f: dict(**f),
    "awaited": lambda f: f.__await__,
    "buffer": memoryview,
    "class_set": lambda f: setattr(f, "__class__", int),
    "subclassed": lambda f: type("Sub", (f,), {}),
    "isinstance_of_it": lambda f: isinstance(1, f),
    "class_is_a_function's": lambda f: issubclass(f.__class__, types.FunctionType),
}


@pytest.mark.parametrize("use", USES)
def test_a_use_gives_or_refuses_the_same(use: str, decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        given = USES[use](subject)
        return plain(given) if isinstance(given, str) else given

    return each(seen, decorate)


def test_a_pattern_matches_its_class(decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        match subject:
            case types.FunctionType(__name__=name):
                return "function", name
            case types.MethodType(__name__=name):
                return "method", name
            case _:
                return "else"

    return each(seen, decorate)


def test_weak_references_end_with_it(decorate: Decorate) -> object:
    events: list[str] = []
    subject = decorate(function())
    reference = weakref.ref(subject, lambda _: events.append("called back"))
    weakref.finalize(subject, events.append, "finalised")
    by_key, by_value = weakref.WeakKeyDictionary({subject: 1}), weakref.WeakValueDictionary({1: subject})
    proxy = weakref.proxy(subject)
    before = (reference() is subject, by_key[subject], by_value[1] is subject, proxy(1))
    del subject
    gc.collect()
    return before, reference(), len(by_key), len(by_value), events, outcome(lambda: proxy.__name__)[0]


def test_methods_are_equal_as_the_function_s_are(decorate: Decorate) -> object:
    class Holder:
        @decorate
        def method(self) -> int:
            return 1

    one, other = Holder(), Holder()
    return (
        one.method == one.method,
        one.method == other.method,
        one.method is one.method,
        hash(one.method) == hash(one.method),
        len({one.method, one.method, other.method}),
        one.method.__self__ is one,
        one.method.__func__ is Holder.method,
        Holder.method is Holder.__dict__["method"],
        plain(one.method),
    )


def test_a_method_can_be_referenced_weakly(decorate: Decorate) -> object:
    class Holder:
        @decorate
        def method(self) -> int:
            return 1

    holder = Holder()
    reference: Any = weakref.WeakMethod(holder.method)
    before = reference()()
    del holder
    return before, reference()
