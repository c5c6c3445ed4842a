"""Classes: the methods that a class defines itself, monitored in place.

Called by the decorator. The class stays the same object, so `isinstance`, subclasses and pickles know it as before;
what it inherits, its nested classes and all its other attributes stay as they are.
"""

from __future__ import annotations

import functools
import inspect
import logging
import types
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from calltape._callables import MONITORED, LruCache, bare, recorded
from calltape._forms import CannotRebuildError, Change, functions_in, rebuilt
from calltape._options import Options

_Class = TypeVar("_Class", bound=type)

_DUNDERS = frozenset({"__init__", "__call__"})

# Py_TPFLAGS_IMMUTABLETYPE and Py_TPFLAGS_HEAPTYPE of CPython's object.h: classes whose attributes cannot be set.
_IMMUTABLE = 1 << 8
_HEAP = 1 << 9

# Modules whose machinery puts functions of its own into the classes that programs define (`Protocol.__init__`,
# `NamedTuple._replace`), some of them found again by identity.
_MACHINERY = frozenset({"collections", "enum", "typing", "typing_extensions"})


def monitor_class(cls: _Class, options: Options) -> _Class:
    """Monitors the methods in a class's own `__dict__`, and returns the class.

    Methods are functions, functions behind `lru_cache`, and the descriptors made of functions; no names with double
    underscores but `__init__` and `__call__`. A name in `options` stands for `module.Class`, before the method's own.

    Raises:
        TypeError: attributes of the class cannot be set (a builtin or extension class).
        ValueError: an argument that is to be left out is one of none of its methods.

    In both cases nothing is changed.
    """
    flags = type.__dict__["__flags__"].__get__(cls)
    if flags & _IMMUTABLE or not flags & _HEAP:
        raise TypeError(
            f"monitor: the class {cls.__qualname__} is built in and cannot be changed; "
            "monitor a subclass with methods of its own, or the functions that call it"
        )
    changes: dict[str, Any] = {}
    made: dict[int, tuple[Any, Any]] = {}  # one wrapper for a function that stands under several names

    def change(attribute: str, function: Any, first: bool | None) -> Any:
        if not _is_function(function):
            return function
        known = made.get(id(function))
        if known is None:
            name = _name_in(cls, function, attribute, options.name)
            known = made[id(function)] = (function, recorded(function, replace(options, name=name), skip_first=first))
        return known[1]

    for attribute, value in _methods(cls):
        changes[attribute] = _rebuilt_in(cls, attribute, value, functools.partial(change, attribute), later=True)
    missing = [name for name in options.left_out if not any(_takes(function, name) for function, _ in made.values())]
    if made and missing:
        raise ValueError(
            f'monitor: capture["args"] names "{missing[0]}", which is no argument of the methods of {cls.__qualname__}'
        )
    _replace(cls, changes)
    return cls


def unmonitor_class(cls: _Class) -> _Class:
    """Puts what was monitored in a class's own `__dict__` back, and returns the class."""
    namespace = list(_namespace(cls).items())
    _replace(cls, {name: _rebuilt_in(cls, name, value, bare, later=False) for name, value in namespace})
    return cls


def _rebuilt_in(cls: type, attribute: str, value: Any, change: Change, *, later: bool) -> Any:
    """As `rebuilt`; one descriptor that cannot be made again is left as it is and named in the log."""
    try:
        return rebuilt(value, change, later=later, first=True)
    except CannotRebuildError as error:
        logging.getLogger("calltape").warning("calltape: %s.%s: %s", cls.__qualname__, attribute, error)
        return value


def _namespace(cls: type) -> types.MappingProxyType[str, Any]:
    """The class's own `__dict__`, past whatever a metaclass makes of that name."""
    namespace: types.MappingProxyType[str, Any] = type.__getattribute__(cls, "__dict__")
    return namespace


def _methods(cls: type) -> Iterator[tuple[str, Any]]:
    for attribute, value in list(_namespace(cls).items()):
        if not _is_left_alone(attribute) and any(_is_own(function) for function in functions_in(value)):
            yield attribute, value


def _is_function(value: Any) -> bool:
    return type(value) in (types.FunctionType, LruCache)


def _takes(function: Any, name: str) -> bool:
    """Whether a method has an argument of this name, or takes any name; True where its code cannot tell."""
    while type(function) is LruCache:
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if type(code) is not types.CodeType or code.co_flags & inspect.CO_VARKEYWORDS:
        return True
    arguments = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    return name in code.co_varnames[:arguments]


def _is_own(value: Any) -> bool:
    """Whether a function is the program's: an enum keeps its `__new__` under another name too."""
    return (
        _is_function(value)
        and not _is_left_alone(getattr(value, "__name__", ""))
        and getattr(value, "__module__", None) not in _MACHINERY
    )


def _is_left_alone(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _DUNDERS


def _name_in(cls: type, function: Any, attribute: str, prefix: str | None) -> str:
    """`module.Class.method`: the method's own name, or its attribute's where it was made elsewhere or has none."""
    owner, _, own = getattr(function, "__qualname__", "").rpartition(".")
    method = own if owner == cls.__qualname__ and own.isidentifier() else attribute
    return f"{prefix or f'{cls.__module__}.{cls.__qualname__}'}.{method}"


def _replace(cls: type, changes: dict[str, Any]) -> None:
    """Sets what differs; all of it or, when an attribute cannot be set, nothing."""
    before = {name: value for name, value in _namespace(cls).items() if changes.get(name, value) is not value}
    done: list[str] = []
    try:
        for name in before:
            _set(cls, name, changes[name])
            done.append(name)
    except BaseException:
        for name in done:
            _set(cls, name, before[name])
        raise
    for name in done:
        _tell_name(cls, name, changes[name])


def _set(cls: type, name: str, value: Any) -> None:
    """By `type` itself: a metaclass's own `__setattr__` is the program's, which sets nothing here."""
    try:
        type.__setattr__(cls, name, value)
    except TypeError:  # a metaclass written in C, as that of ctypes structures, allows only its own
        setattr(cls, name, value)


def _tell_name(cls: type, name: str, value: Any) -> None:
    """What `type.__new__` tells the attributes of a class body; a plain property keeps it, other descriptors have it
    among their attributes."""
    teller: Any = type(value) if type(value) in MONITORED else property if isinstance(value, property) else None
    if teller is not None:
        teller.__set_name__(value, cls, name)
