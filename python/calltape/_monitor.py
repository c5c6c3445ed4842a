"""The decorator: checks its arguments with good words and hands the function to the native wrapper.

Runs once a decorated function, never on a call.
"""

from __future__ import annotations

import functools
import inspect
import os
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from calltape import _native

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])
_Layout = tuple[list[str], int, int, int, bool, bool]

_CAPTURE = {"args": True, "result": True}
_FIRST_OF_A_METHOD = frozenset({"self", "cls", "mcs", "mcls", "metacls"})
_TRUE = frozenset({"1", "true", "yes", "on"})
_ANY_ARGUMENTS: _Layout = (["args", "kwargs"], 0, 0, 0, True, True)


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

    Args:
        function: a function, method, lambda, builtin, ``functools.partial``, callable object, ``staticmethod`` or
            ``classmethod``. What is monitored already is returned as it is.
        name: how the tape calls it; by default ``module.qualname``.
        group: a word to find several functions by.
        sample_rate: the share of calls to record, from 0.0 to 1.0; the others are counted. Each call is decided by
            itself.
        capture: what to record of a call, ``{"args": True, "result": True}`` by default; a key left out keeps its
            default.
        max_repr: bytes kept of one argument or result; by default the setting ``max_repr`` (1000).

    Returns:
        A callable that behaves as ``function``; ``function`` itself where nothing is recorded: with
        ``CALLTAPE_DISABLED=1`` in the environment, and for coroutine functions and generators, which this version does
        not record (a warning is logged).

    Raises:
        TypeError: ``function`` is a class or not callable.
        ValueError: an argument has a value that cannot be used.
    """
    options = _checked(name, group, sample_rate, capture, max_repr)
    if function is None:
        return lambda decorated: _decorate(decorated, options)
    return _decorate(function, options)


def _checked(
    name: str | None,
    group: str | None,
    sample_rate: float,
    capture: Mapping[str, bool] | None,
    max_repr: int | None,
) -> dict[str, Any]:
    for label, text in (("name", name), ("group", group)):
        if text is not None and (not isinstance(text, str) or not text):
            raise ValueError(f"monitor: {label} must be a word or None, not {text!r}")
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


def _decorate(function: Any, options: dict[str, Any]) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        kind = type(function)
        inner = _decorate_callable(function.__func__, options, skip_first=kind is classmethod)
        return function if inner is function.__func__ else kind(inner)
    return _decorate_callable(function, options, skip_first=None)


def _decorate_callable(function: Any, options: dict[str, Any], *, skip_first: bool | None) -> Any:
    if isinstance(function, type):
        raise TypeError(f"monitor: {function.__qualname__} is a class; decorate its methods")
    if not callable(function):
        raise TypeError(f"monitor: {function!r} is not callable")
    if os.environ.get("CALLTAPE_DISABLED", "").strip().lower() in _TRUE or isinstance(function, _MONITORED):
        return function
    partial = _is_plain_partial(function)
    called = function.func if partial else function
    code = called.__code__ if type(called) is types.FunctionType else None
    return _native.monitored(
        function,
        {
            **options,
            "name": options["name"] or _name_of(called),
            "kind": _kind_of(called),
            "file": code.co_filename if code else "",
            "line": code.co_firstlineno if code else 0,
            "skip_first": _is_method(called) if skip_first is None else skip_first,
            "partial": partial,
            "layout": None if code else _layout_of(called),
        },
    )


_MONITORED = (_native.Monitored, _native.MonitoredCallable)


def _is_plain_partial(function: Any) -> bool:
    """Whether a partial's arguments simply go before the call's: not a subclass, no placeholders (3.14)."""
    if type(function) is not functools.partial:
        return False
    placeholder = getattr(functools, "Placeholder", None)
    return placeholder is None or all(argument is not placeholder for argument in function.args)


def _kind_of(function: Any) -> str:
    flags = function.__code__.co_flags if type(function) is types.FunctionType else 0
    if flags & 0x200:
        return "async_generator"
    if flags & 0x20:
        return "generator"
    return "coroutine" if flags & 0x80 else "function"


def _name_of(function: Any) -> str:
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{getattr(named, '__module__', None) or 'builtins'}.{named.__qualname__}"


def _is_method(function: Any) -> bool:
    """Whether the first parameter is an instance or class, as far as a function tells before its class is made."""
    if type(function) is not types.FunctionType:
        return False
    owner = function.__qualname__.rpartition(".")[0]
    first = function.__code__.co_varnames[:1]
    return bool(owner) and not owner.endswith("<locals>") and first != () and first[0] in _FIRST_OF_A_METHOD


def _layout_of(function: Any) -> _Layout:
    """Names and counts of a callable's parameters, as the native side wants them; any where none are known."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError, AttributeError):
        return _ANY_ARGUMENTS
    kinds = inspect.Parameter
    positional_only = [p.name for p in parameters if p.kind is kinds.POSITIONAL_ONLY]
    either = [p.name for p in parameters if p.kind is kinds.POSITIONAL_OR_KEYWORD]
    keyword_only = [p.name for p in parameters if p.kind is kinds.KEYWORD_ONLY]
    args = [p.name for p in parameters if p.kind is kinds.VAR_POSITIONAL]
    kwargs = [p.name for p in parameters if p.kind is kinds.VAR_KEYWORD]
    return (
        [*positional_only, *either, *keyword_only, *args, *kwargs],
        len(positional_only),
        len(positional_only) + len(either),
        len(keyword_only),
        bool(args),
        bool(kwargs),
    )
