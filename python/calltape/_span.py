"""Blocks as calls, the running call, and blocks in which nothing is recorded."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from calltape import _native
from calltape._native import CurrentCall, current

__all__ = ["CurrentCall", "current", "span", "suppressed"]


class span:  # noqa: N801 - a context manager that reads as a word, like `contextlib.suppress`
    """Record a block as if it were a call: ``with span("load", rows=3) as block: ...``, or ``async with``.

    Its kind on the tape is ``span``, its name ``name`` and its arguments the ``values``; the calls made inside are its
    children. An exception that leaves the block is recorded and goes on. ``as`` gives the running call, for its ``id``
    and ``set``. A span object may be used again, also inside itself and by several tasks or threads.

    Args:
        name: what the tape calls it. Names are kept like functions: let them be few, and put what varies in values.
        values: recorded as arguments are, and masked by the same names.

    Raises:
        TypeError: ``name`` is not a str.
        ValueError: ``name`` is empty.
    """

    __slots__ = ("_name", "_open", "_values")

    def __init__(self, name: str, /, **values: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"span: the name must be a str, not {name!r}")
        if not name:
            raise ValueError("span: the name must not be empty")
        self._name = name
        self._values = values
        self._open: list[_native.OpenSpan | None] = []

    def __enter__(self) -> CurrentCall:
        self._open.append(_native.begin_span(self._name, self._values))
        return _native.current()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        # Several tasks may be inside one span object: the block that ends is the one that runs here, or else the last
        # that is not recorded.
        running = _native.current().id
        ids = [None if opened is None else opened.id for opened in reversed(self._open)]
        ends = running if running in ids else None
        opened = self._open.pop(-1 - ids.index(ends) if ends in ids else -1)
        if opened is not None:
            opened.end(exception, self._values)

    async def __aenter__(self) -> CurrentCall:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.__exit__(kind, exception, traceback)


class suppressed:  # noqa: N801 - as `span`
    """Record nothing inside: ``with suppressed(): ...``, or ``async with``.

    Calls made inside are not counted either. What the block starts (tasks, work for a pool) is not recorded, also when
    it outlasts the block; a coroutine that was called before goes on being recorded. An object serves one task or
    thread at a time: give each its own.
    """

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[_native.Suppression] = []

    def __enter__(self) -> None:
        self._open.append(_native.suppress())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self._open.pop().end()

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.__exit__(kind, exception, traceback)
