"""The circuit breaker as a tool: calls to what keeps failing are refused for a while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from calltape import _native

__all__ = ["CircuitBreaker", "CircuitBreakerOpen"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class CircuitBreakerOpen(Exception):  # noqa: N818 - it names a state, as the breaker's own properties do
    """A call was refused, because what it would call keeps failing.

    ``retry_after`` is in seconds: how long until a call may be permitted.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return str(self.args[0])


class CircuitBreaker(_native.Breaker):
    """Stop calling what keeps failing, and try it again now and then.

    This is the breaker that stands between calltape's own background thread and its database. ``closed``: every call
    is made. After ``failure_threshold`` failures in a row it is ``open``: calls are refused with
    :class:`CircuitBreakerOpen`. When the delay is over it is ``half-open``: one call is made, from whichever thread,
    and others are refused until that has ended; if it succeeds the breaker is closed, else it is open again. The delay
    is drawn anew each time, from nothing up to a ceiling that is 100 ms at first and doubles with each try that fails,
    up to ``timeout``; so that programs that failed together do not try together.

    >>> breaker = CircuitBreaker(failure_threshold=2)
    >>> breaker.call(int, "7")
    7
    >>> breaker.state, breaker.is_open, breaker.failure_count
    ('closed', False, 0)

    Results and exceptions of what is called are its own, unchanged. An ``Exception`` is a failure; what is none
    (``KeyboardInterrupt``, ``SystemExit``, ``asyncio.CancelledError``) counts neither way and lets the next call try. A
    coroutine function given to :meth:`call` succeeds at once, with its coroutine as the result: use :meth:`call_async`.
    Any number of threads may share a breaker; it cannot be pickled.

    ``state`` is ``"closed"``, ``"open"`` or ``"half-open"``; ``is_open`` says whether a call now would be refused;
    ``failure_count`` counts failures in a row, ``opens`` how often it opened; ``last_error`` is the last failure's type
    and text.

    Args:
        failure_threshold: failures in a row after which it opens, from 1.
        timeout: seconds, the longest delay between two tries.
        clock: seconds of a clock that does not go back; for tests.

    Raises:
        ValueError: an argument has a value that cannot be used; the message names it.
    """

    __slots__ = ()

    def __new__(
        cls, failure_threshold: int = 5, timeout: float = 60.0, *, clock: Callable[[], float] = time.monotonic
    ) -> CircuitBreaker:
        if (
            isinstance(failure_threshold, bool)
            or not isinstance(failure_threshold, int)
            or not 1 <= failure_threshold < 2**32
        ):
            raise ValueError(
                f"CircuitBreaker: failure_threshold must be a whole number from 1, not {failure_threshold!r}"
            )
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0.0 < timeout < float("inf"):
            raise ValueError(f"CircuitBreaker: timeout must be a number of seconds above 0, not {timeout!r}")
        if not callable(clock):
            raise ValueError(f"CircuitBreaker: clock must be a function that returns seconds, not {clock!r}")
        return super().__new__(cls, failure_threshold, float(timeout), clock, CircuitBreakerOpen)

    async def call_async(
        self,
        func: Callable[_Parameters, Awaitable[_Result]],
        /,
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> _Result:
        """Await what ``func`` returns, as :meth:`call` calls a function: for coroutine functions.

        Raises:
            CircuitBreakerOpen: the breaker is open; ``func`` is not called.
        """
        permit = self._begin()
        try:
            result = await func(*args, **kwargs)
        except BaseException as exception:
            self._raised(permit, exception)
            raise
        self._succeeded(permit)
        return result
