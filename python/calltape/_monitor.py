"""The decorator and its undoing: checks the arguments with good words and hands on to functions, descriptors, classes.

Runs once a decorated function, never on a call.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, Union, overload

from calltape._callables import bare, recorded
from calltape._classes import monitor_class, unmonitor_class
from calltape._forms import rebuilt
from calltape._options import CaptureOption, Duration, Options, SampleRate, checked

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
    sample_rate: SampleRate = 1.0,
    keep_slower_than: Duration | None = None,
    capture: Mapping[str, CaptureOption] | None = None,
    max_repr: int | None = None,
    sensitive_fields: Iterable[str] | None = None,
) -> Callable[[_Decorated], _Decorated]: ...
@overload
def monitor(
    function: _Decorated,
    /,
    *,
    name: str | None = None,
    group: str | None = None,
    sample_rate: SampleRate = 1.0,
    keep_slower_than: Duration | None = None,
    capture: Mapping[str, CaptureOption] | None = None,
    max_repr: int | None = None,
    sensitive_fields: Iterable[str] | None = None,
) -> _Decorated: ...
def monitor(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    group: str | None = None,
    sample_rate: SampleRate = 1.0,
    keep_slower_than: Duration | None = None,
    capture: Mapping[str, CaptureOption] | None = None,
    max_repr: int | None = None,
    sensitive_fields: Iterable[str] | None = None,
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
        sample_rate: the share of calls to record, from 0.0 to 1.0, or ``"auto"``: every call up to 10 calls a second of
            this function, then fewer, 10 % from 100 to 1,000 a second and 1 % from 10,000. Decided for a tree of calls,
            by the outermost function with a rate below 1: what it calls is recorded if it is, whatever the rates below.
            A call that raises is recorded at any rate, with its arguments as they are when it ends. The others are
            counted and timed.
        keep_slower_than: calls that take longer are recorded at any rate too: seconds, a text such as ``"50ms"``, or a
            ``timedelta``; None for no such limit.
        capture: what to record of a call; a key left out keeps its default. ``{"args": True, "result": True, "locals":
            False, "repr": False}`` are switches: ``locals`` adds the variables of the innermost 8 frames to a failure,
            ``repr`` shows objects by their own ``repr()``, which then runs within the call. ``{"args": {"user":
            False}}`` leaves one argument out. ``max_call_bytes``, ``max_items``, ``max_depth``, ``max_attributes`` and
            ``max_capture_time`` (seconds) are budgets, by default the settings of these names.
        max_repr: bytes of JSON kept of one argument or result, 48 KiB at most; by default the setting ``max_repr``
            (1000).
        sensitive_fields: names whose values are withheld, beside the usual ones and those of the setting of this name:
            ``["badge", "*pin"]``; ``"-token"`` takes one away, ``"-*"`` all usual ones. Case and separators do not
            matter.

    Returns:
        A callable or descriptor that behaves as ``function``; a class itself. With ``CALLTAPE_DISABLED=1`` in the
        environment ``function`` itself, untouched.

    Raises:
        TypeError: ``function`` is not callable and no descriptor that can be made again, or a class that cannot be
            changed (a builtin or extension class).
        ValueError: an argument has a value that cannot be used.
    """
    options = checked(name, group, sample_rate, keep_slower_than, capture, max_repr, sensitive_fields)
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


def _decorate(subject: Any, options: Options) -> Any:
    if os.environ.get("CALLTAPE_DISABLED", "").strip().lower() in _TRUE:
        return subject
    if issubclass(type(subject), type):
        return monitor_class(subject, replace(options, must_have_left_out=False))
    if not callable(subject):  # a property's functions need not all have an argument that is left out
        options = replace(options, must_have_left_out=False)

    def change(function: Any, first: bool | None) -> Any:
        return recorded(function, options, skip_first=first)

    return rebuilt(subject, change, later=True)
