"""What can be asked of a coroutine, a generator and an async generator alike, and how an answer is noted."""

import asyncio
import collections.abc
import copy
import inspect
import operator
import pickle
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

from transparency.observation import outcome, plain, portrait, warned

QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "repr": plain,
    "format": lambda it: plain(f"{it!s:>90}"),
    "class": lambda it: it.__class__.__name__,
    "isinstance": lambda it: [
        isinstance(it, kind) for kind in (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)
    ],
    "type_name": lambda it: (type(it).__name__, type(it).__qualname__, type(it).__module__),
    "type_repr": lambda it: repr(type(it)),
    "base_classes": lambda it: [
        name for name in collections.abc.__all__ if isinstance(it, vars(collections.abc)[name])
    ],
    "inspect": lambda it: [
        ask(it) for ask in (inspect.iscoroutine, inspect.isgenerator, inspect.isasyncgen, inspect.isawaitable)
    ],
    "asyncio": lambda it: [asyncio.iscoroutine(it), asyncio.isfuture(it)],
    "dir": dir,
    "members": lambda it: [name for name, _ in inspect.getmembers(it)],
    "members_of_the_type": lambda it: [name for name, _ in inspect.getmembers(type(it))],
    "mro": lambda it: [kind.__name__ for kind in it.__class__.__mro__],
    "match": lambda it: matched(it),
    "names": lambda it: (it.__name__, it.__qualname__),
    "renamed": lambda it: (it.__setattr__("__qualname__", "a.b"), it.__setattr__("__name__", "b"), plain(it)),
    "name_refused": lambda it: setattr(it, "__name__", 3),
    "name_deleted": lambda it: delattr(it, "__name__"),
    "attribute_set": lambda it: setattr(it, "mark", 1),
    "attribute_missing": lambda it: it.mark,
    "attribute_deleted": lambda it: delattr(it, "mark"),
    "class_set": lambda it: setattr(it, "__class__", int),
    "dictionary": lambda it: hasattr(it, "__dict__"),
    "module": lambda it: getattr(it, "__module__", "none"),
    "doc": lambda it: it.__doc__,
    "hash": lambda it: hash(it) == hash(it),
    "equality": lambda it: (it == it, it != it, it == 1),
    "order": lambda it: it < it,
    "addition": lambda it: it + 1,
    "truth": bool,
    "length": len,
    "length_hint": lambda it: operator.length_hint(it, 7),
    "call": lambda it: it(),
    "index": lambda it: it[0],
    "contains": lambda it: 2 in it,
    "reversed": reversed,
    "iter": lambda it: iter(it) is it,
    "next": next,
    "list": list,
    "unpacked": lambda it: [*it],
    "aiter": lambda it: aiter(it) is it,
    "with": lambda it: entered(it),
    "delegated_to": lambda it: list(delegates(it)),
    "delegated_to_by_a_marked_generator": lambda it: next(marked(it)),
    "size": sys.getsizeof,
    "reference_count": sys.getrefcount,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "reduced": lambda it: it.__reduce_ex__(2),
    "weak_reference": lambda it: weakref.ref(it)() is it,
    "weak_references": weakref.getweakrefcount,
    "subclass": lambda it: type("Sub", (it.__class__,), {}),
    "made_by_hand": lambda it: it.__class__(),
}


def matched(it: object) -> str:
    """How a pattern takes it."""
    match it:
        case types.CoroutineType(__name__=name):
            return "coroutine " + name
        case types.GeneratorType(__name__=name):
            return "generator " + name
        case types.AsyncGeneratorType(__name__=name):
            return "async generator " + name
        case _:
            return "else"


def delegates(it: Any) -> Any:
    """A plain generator that delegates."""
    yield from it


@types.coroutine
def marked(it: Any) -> Any:
    """A generator that may delegate to a coroutine."""
    return (yield from it)


def entered(it: Any) -> None:
    """Use it where it cannot be used."""
    with it:
        pass


def answered(question: Callable[[Any], Any], suspended: Any) -> object:
    """The answer, the warnings on the way, and what is left of the suspended object."""
    with warned() as warnings:
        how, answer = outcome(question, suspended)
    noted = answer if isinstance(answer, (str, tuple, int, list, dict)) else plain(answer)
    return how, noted, warnings, portrait(suspended)
