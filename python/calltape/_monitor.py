"""The decorator and its undoing: checks the arguments with good words and hands on to functions, descriptors, classes.

Runs once a decorated function, never on a call.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Union, overload

from calltape._callables import bare, recorded
from calltape._classes import monitor_class, unmonitor_class
from calltape._forms import rebuilt

# What comes out has the exact type of what went in.
_Subject = TypeVar("_Subject")
_Decorated = TypeVar(
    "_Decorated",
    bound=Union[
        Callable[..., Any],
        "staticmethod[..., Any]",
        "classmethod[Any, ..., Any]",
        property,
        "functools.cached_property[Any]",
        "functools.partialmethod[Any]",
        "functools.singledispatchmethod[Any]",
    ],
)

_CAPTURE = {"args": True, "result": True}
_TRUE = frozenset({"1", "true", "yes", "on"})


@overload
def monitor(function: _Decorated, /) -> _Decorated: ...
@overload
def monitor(
    function: None = None,
    /,
    *,
    name: str | None = None,
    group: str | None = None,
    sample_rate: float = 1.0,
    capture: Mapping[str, bool] | None = None,
    max_repr: int | None = None,
) -> Callable[[_Decorated], _Decorated]: ...
@overload
def monitor(
    function: _Decorated,
    /,
    *,
    name: str | None = None,
    group: str | None = None,
    sample_rate: float = 1.0,
    capture: Mapping[str, bool] | None = None,
    max_repr: int | None = None,
) -> _Decorated: ...
def monitor(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    group: str | None = None,
    sample_rate: float = 1.0,
    capture: Mapping[str, bool] | None = None,
    max_repr: int | None = None,
) -> Any:
    """Record every call of a function. Use as ``@monitor``, ``@monitor(...)`` or ``monitor(function)``.

    A coroutine, generator or async generator function's call lasts until its body has ended. A class is changed in
    place: recorded are the methods it defines itself, none that it inherits, none whose name has double underscores
    but ``__init__`` and ``__call__``, and no nested classes.

    Args:
        function: a function of any kind, method, lambda, builtin, ``functools.partial``, callable object, class, or a
            descriptor made of functions: ``staticmethod``, ``classmethod``, ``property``, ``cached_property``,
            ``partialmethod``, ``singledispatchmethod``, whose functions are then recorded, each by its own name. What
            is monitored already is returned as it is.
        name: how the tape calls it; by default ``module.qualname``. For a class it stands for ``module.Class``, before
            the name of each method.
        group: a word to find several functions by.
        sample_rate: the share of calls to record, from 0.0 to 1.0; the others are counted. Each call is decided by
            itself.
        capture: what to record of a call, ``{"args": True, "result": True}`` by default; a key left out keeps its
            default.
        max_repr: bytes kept of one argument or result; by default the setting ``max_repr`` (1000).

    Returns:
        A callable or descriptor that behaves as ``function``; a class itself. With ``CALLTAPE_DISABLED=1`` in the
        environment ``function`` itself, untouched.

    Raises:
        TypeError: ``function`` is not callable and no descriptor that can be made again, or a class that cannot be
            changed (a builtin or extension class).
        ValueError: an argument has a value that cannot be used.
    """
    options = _checked(name, group, sample_rate, capture, max_repr)
    if function is None:
        return lambda decorated: _decorate(decorated, options)
    return _decorate(function, options)


def unmonitor(function: _Subject, /) -> _Subject:
    """Give back what :func:`monitor` was given: the function, or a descriptor of the same type around bare functions.

    A class gets its own methods back, also those that were monitored one by one, and is returned. What is not monitored
    is returned as it is.

    Raises:
        TypeError: a monitored function stands in a descriptor that cannot be made again.
    """
    subject: Any = function
    is_class = issubclass(type(subject), type)
    given_back: _Subject = unmonitor_class(subject) if is_class else rebuilt(subject, bare, later=False)
    return given_back


def _decorate(subject: Any, options: dict[str, Any]) -> Any:
    if os.environ.get("CALLTAPE_DISABLED", "").strip().lower() in _TRUE:
        return subject
    if issubclass(type(subject), type):
        return monitor_class(subject, options)

    def change(function: Any, first: bool | None) -> Any:
        return recorded(function, options, skip_first=first)

    return rebuilt(subject, change, later=True)


def _checked(
    name: str | None,
    group: str | None,
    sample_rate: float,
    capture: Mapping[str, bool] | None,
    max_repr: int | None,
) -> dict[str, Any]:
    for label, text in (("name", name), ("group", group)):
        if text is not None and (not isinstance(text, str) or not text):
            raise ValueError(f"monitor: {label} must be a str that is not empty, or None, not {text!r}")
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, (int, float)) or not 0.0 <= sample_rate <= 1.0:
        raise ValueError(f"monitor: sample_rate must be a number from 0.0 to 1.0, not {sample_rate!r}")
    if capture is not None and not isinstance(capture, Mapping):
        raise ValueError(f"monitor: capture must be a mapping such as {_CAPTURE}, not {capture!r}")
    wanted = {**_CAPTURE, **(capture or {})}
    for key, value in wanted.items():
        if key not in _CAPTURE:
            raise ValueError(f"monitor: capture knows {', '.join(_CAPTURE)}, not {key!r}")
        if not isinstance(value, bool):
            raise ValueError(f"monitor: capture[{key!r}] must be True or False, not {value!r}")
    if max_repr is not None and (isinstance(max_repr, bool) or not isinstance(max_repr, int) or max_repr < 1):
        raise ValueError(f"monitor: max_repr must be a positive number of bytes, not {max_repr!r}")
    return {
        "name": name,
        "group": group or "",
        "sample_rate": float(sample_rate),
        "capture_args": wanted["args"],
        "capture_result": wanted["result"],
        "max_repr": max_repr,
    }
