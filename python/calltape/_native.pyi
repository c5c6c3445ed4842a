import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, Self, TypeVar, final

from typing_extensions import disjoint_base

__all__ = [
    "Breaker",
    "CurrentCall",
    "Monitored",
    "MonitoredCallable",
    "OpenSpan",
    "Permit",
    "Serializer",
    "Suppression",
    "begin_span",
    "carry",
    "cli_main",
    "current",
    "end",
    "flush",
    "is_name_rule",
    "monitored",
    "register",
    "start",
    "stats",
    "stop",
    "suppress",
    "wrapped",
]

_Callable = TypeVar("_Callable", bound=Callable[..., Any])
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

@disjoint_base
class Breaker:
    def __new__(
        cls,
        /,
        failure_threshold: int,
        timeout: float,
        clock: Callable[[], float],
        refusal: Callable[[str, float], BaseException],
    ) -> Self: ...
    def call(
        self, func: Callable[_Parameters, _Result], /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def state(self) -> str: ...
    @property
    def failure_count(self) -> int: ...
    @property
    def opens(self) -> int: ...
    @property
    def last_error(self) -> str | None: ...
    def _begin(self, /) -> Permit: ...
    def _succeeded(self, /, leave: Permit) -> None: ...
    def _raised(self, /, leave: Permit, exception: BaseException) -> None: ...

@final
class Permit: ...

@final
class CurrentCall:
    """The call that runs where :func:`current` was called.

    Outside of any call, and in a tree that sampling leaves out, ``id`` is None and ``set`` does nothing.
    """

    @property
    def id(self) -> int | None:
        """The call's id on the tape; None outside of any call."""
    def set(self, /, key: str, value: object) -> None:
        """Add a value to the call: ``args ->> '$."(set)".key'`` on the tape. A later value of the same key replaces it.

        The value is captured and masked as an argument is.

        Raises:
            TypeError: ``key`` is no str.
        """

@final
class OpenSpan:
    @property
    def id(self) -> int | None: ...
    def end(self, /, exception: BaseException | None, values: dict[str, Any]) -> None: ...

@final
class Serializer:
    def __new__(cls, /, policy: dict[str, Any]) -> Serializer: ...
    def serialize(self, /, value: object) -> str: ...

@final
class Suppression:
    def end(self, /) -> None: ...

@final
class Monitored:
    # A function's own, each read from and written to the function that is wrapped.
    __code__: types.CodeType
    __defaults__: tuple[Any, ...] | None
    __kwdefaults__: dict[str, Any] | None
    __name__: str
    __qualname__: str
    if sys.version_info >= (3, 12):
        __type_params__: tuple[Any, ...]
    @property
    def __builtins__(self) -> dict[str, Any]: ...
    @property
    def __closure__(self) -> tuple[types.CellType, ...] | None: ...
    @property
    def __globals__(self) -> dict[str, Any]: ...
    __weakref__: Any
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any: ...
    def __get__(self, instance: Any, owner: Any = None, /) -> Any: ...
    def __set_name__(self, owner: type, name: str, /) -> None: ...

@final
class MonitoredCallable:
    __weakref__: Any
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any: ...
    def __get__(self, instance: Any, owner: Any = None, /) -> Any: ...
    def __set_name__(self, owner: type, name: str, /) -> None: ...

def monitored(function: Callable[..., Any], options: dict[str, Any]) -> Any: ...
def wrapped(function: object) -> Any: ...
def is_name_rule(entry: str) -> bool: ...
def begin_span(name: str, values: dict[str, Any]) -> OpenSpan | None: ...
def current() -> CurrentCall:
    """The running call: its ``id`` on the tape, and ``set`` to add a value to it."""

def suppress() -> Suppression: ...
def carry(function: _Callable) -> _Callable: ...
def register(kind: type, function: Callable[[Any], object] | None) -> None: ...
def start(settings: Sequence[tuple[str, str]]) -> None: ...
def flush(timeout: float) -> bool: ...
def stop(timeout: float) -> bool: ...
def end() -> None: ...
def stats() -> dict[str, Any]: ...
def cli_main(arguments: Sequence[str]) -> int: ...
