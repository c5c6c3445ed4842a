"""What is known of one callable before it is called, and the step to the native wrapper.

Asked by the decorator, once a decorated function, never on a call. Nothing here calls the function.
"""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

from calltape import _native
from calltape._options import Options

_Layout = tuple[list[str], int, int, int, bool, bool]

MONITORED = (_native.Monitored, _native.MonitoredCallable)
LruCache = type(functools.lru_cache(len))

_FIRST_OF_A_METHOD = frozenset({"self", "cls", "mcs", "mcls", "metacls"})
_ANY_ARGUMENTS: _Layout = (["args", "kwargs"], 0, 0, 0, True, True)

# A generator that `types.coroutine` marked as awaitable has the generator's flag too, and is one.
_KIND_OF_FLAG = (
    (inspect.CO_COROUTINE, "coroutine"),
    (inspect.CO_ASYNC_GENERATOR, "async_generator"),
    (inspect.CO_GENERATOR | inspect.CO_ITERABLE_COROUTINE, "generator"),
)


def recorded(function: Any, options: Options, *, skip_first: bool | None) -> Any:
    """A native callable that behaves as `function` and records its calls; `function` itself where it is recorded.

    `options` are those of the decorator; `skip_first` tells whether the first parameter is an instance or class, None
    where only the function itself can tell.

    Raises:
        TypeError: `function` is a class or not callable.
    """
    if issubclass(type(function), type):
        raise TypeError(f"monitor: {function.__qualname__} is a class inside a descriptor; monitor the class itself")
    if not callable(function):
        raise TypeError(f"monitor: {function!r} {_why_not(function)}")
    if is_recorded(function):
        return function
    partial = _is_plain_partial(function)
    called = function.func if partial else function
    code = called.__code__ if type(called) is types.FunctionType else None
    return _native.monitored(
        function,
        {
            "name": options.name or name_of(called),
            "group": options.group or "",
            "sample_rate": options.sample_rate,
            "keep_slower_ns": options.keep_slower_ns,
            "capture_args": options.capture_args,
            "capture_result": options.capture_result,
            "left_out": options.left_out,
            "must_have_left_out": options.must_have_left_out,
            "policy": options.policy,
            "kind": kind_of(function),
            # A name that is no text of the file system has lone surrogates.
            "file": code.co_filename.encode("utf-8", "replace").decode() if code else "",
            "line": code.co_firstlineno if code else 0,
            "skip_first": _is_method(called) if skip_first is None or partial else skip_first,
            "partial": partial,
            "layout": None if code else _layout_of(called),
        },
    )


def is_recorded(function: Any) -> bool:
    """Whether each call of it is recorded already: by itself, or by what it hands the call to."""
    while type(function) not in MONITORED:
        function = _handed_to(function)
        if function is None:
            return False
    return True


def bare(function: Any, _first: bool | None = None) -> Any:
    """What a monitored callable, or a bound method of one, was made from; anything else is returned as it is."""
    if type(function) in MONITORED:
        return _native.wrapped(function)
    if type(function) is types.MethodType and type(function.__func__) in MONITORED:
        return types.MethodType(bare(function.__func__), function.__self__)
    return function


def kind_of(function: Any) -> str:
    """What a call of it makes: `function` (its result), `coroutine`, `generator` or `async_generator`."""
    called = function
    while (inner := _handed_to(called)) is not None:
        called = inner
    if type(called) is types.FunctionType:
        for flag, kind in _KIND_OF_FLAG:
            if called.__code__.co_flags & flag:
                return kind
    try:
        return "coroutine" if inspect.iscoroutinefunction(function) else "function"
    except AttributeError:  # a proxy that says it is a function and has no code
        return "function"


def name_of(function: Any) -> str:
    """`module.qualname` of a function, or of an object's class."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{getattr(named, '__module__', None) or 'builtins'}.{named.__qualname__}"


def _why_not(value: object) -> str:
    if hasattr(type(value), "__get__"):
        return "is a descriptor that cannot be taken apart; put @monitor under it, on its function"
    return "is not callable"


def _handed_to(function: Any) -> Any:
    """What a partial, a bound method or a callable object hands its calls to; None for anything else."""
    kind = type(function)
    if kind is types.MethodType:
        return function.__func__
    call = next((vars(base)["__call__"] for base in kind.__mro__ if "__call__" in vars(base)), None)
    if call is vars(functools.partial)["__call__"]:
        return function.func
    if isinstance(call, (staticmethod, classmethod)):
        call = call.__func__
    return call if type(call) in (types.FunctionType, *MONITORED) else None


def _is_plain_partial(function: Any) -> bool:
    """Whether a partial's arguments simply go before the call's: not a subclass, no placeholders (3.14)."""
    if type(function) is not functools.partial:
        return False
    placeholder = getattr(functools, "Placeholder", None)
    return placeholder is None or all(argument is not placeholder for argument in function.args)


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
