"""Work handed to a pool's thread has the call that handed it over as its parent.

`ThreadPoolExecutor` copies no context, so its work items take the running call along. The standard library makes them
in one place, of a class of its own, which is replaced by one that does this first.
"""

from __future__ import annotations

from concurrent.futures import thread
from typing import Any

from calltape import _native


def install() -> None:
    """Put the class in place. A standard library that makes its work items otherwise is left as it is."""
    original: Any = getattr(thread, "_WorkItem", None)
    if not isinstance(original, type) or original.__module__ != thread.__name__:
        return

    class _WorkItem(original):  # type: ignore[misc]  # private to the standard library
        __slots__ = ()

        def __init__(self, future: Any, work: Any, *rest: Any) -> None:
            # 3.14 puts function, positional and keyword arguments together.
            carried = (_native.carry(work[0]), *work[1:]) if isinstance(work, tuple) else _native.carry(work)
            super().__init__(future, carried, *rest)

    _WorkItem.__module__ = thread.__name__
    _WorkItem.__qualname__ = original.__qualname__
    setattr(thread, original.__name__, _WorkItem)
