"""How a check notes what it saw: outcomes, tracebacks, warnings, unraisable errors, suspended objects, as plain tuples.

Nothing noted keeps what it was noted of alive, and no address is in it.
"""

import inspect
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from transparency.kinds import SUBJECTS, Decorate

PREFIXES = ("cr", "gi", "ag")


def plain(text: object) -> str:
    """A text without addresses."""
    return re.sub(r"0x[0-9a-fA-F]+", "0x", str(text))


def outcome(action: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """What a call gave, or all there is to see of what it raised."""
    try:
        return ("gave", action(*args, **kwargs))
    except BaseException as error:
        return ("raised", told(error))


def each(look: Callable[[Any], Any], decorate: Decorate) -> dict[str, tuple[Any, ...]]:
    """What a look gives on every subject: each kind in each place."""
    return {name: outcome(look, make(decorate)) for name, make in SUBJECTS.items()}


async def awaited(awaitable: Any) -> tuple[Any, ...]:
    """What an await gave, or all there is to see of what it raised."""
    try:
        return ("gave", await awaitable)
    except BaseException as error:
        return ("raised", told(error))


def told(error: BaseException | None) -> tuple[Any, ...] | None:
    """An exception: type, message, frames, notes, chain, and the members of a group."""
    if error is None:
        return None
    return (
        type(error).__name__,
        plain(error),
        frames(error.__traceback__),
        getattr(error, "__notes__", None),
        error.__suppress_context__,
        told(error.__cause__),
        told(error.__context__) if error.__context__ is not error.__cause__ else "the cause",
        [told(member) for member in error.exceptions] if isinstance(error, BaseExceptionGroup) else [],
    )


def frames(traceback: TracebackType | None) -> list[tuple[str, int]]:
    """The frames of a traceback, outermost first: function and line."""
    found = []
    while traceback is not None:
        found.append((traceback.tb_frame.f_code.co_name, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found


def callers(until: str) -> list[tuple[str, int]]:
    """The functions and lines on the stack above whoever asks, innermost first, as far as the check named `until`."""
    found: list[tuple[str, int]] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        found.append((frame.f_code.co_name, frame.f_lineno))
        if frame.f_code.co_name == until:
            break
        frame = frame.f_back
    return found


@contextmanager
def warned() -> Iterator[list[tuple[str, str, str, int]]]:
    """The warnings of a block: category, text, file and line. Filled in when the block ends."""
    seen: list[tuple[str, str, str, int]] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield seen
    seen += [(note.category.__name__, plain(note.message), Path(note.filename).name, note.lineno) for note in caught]


@contextmanager
def unraised() -> Iterator[list[tuple[Any, ...]]]:
    """The errors that nobody could be given: the error, the interpreter's words, and what it says it happened in."""
    seen: list[tuple[Any, ...]] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda args: seen.append((told(args.exc_value), args.err_msg, plain(repr(args.object))))
    try:
        yield seen
    finally:
        sys.unraisablehook = before


def portrait(suspended: Any) -> dict[str, Any]:
    """All that a coroutine, a generator or an async generator says of itself now."""
    prefix = next((prefix for prefix in PREFIXES if hasattr(suspended, f"{prefix}_code")), "")
    frame = getattr(suspended, f"{prefix}_frame", None)
    inner = getattr(suspended, f"{prefix}_{'yieldfrom' if prefix == 'gi' else 'await'}", None)
    return {
        "state": state(suspended),
        "names": (suspended.__name__, suspended.__qualname__),
        "repr": plain(repr(suspended)),
        "kind": type(inner).__name__,
        "code": getattr(suspended, f"{prefix}_code").co_name,
        "running": getattr(suspended, f"{prefix}_running"),
        "suspended": getattr(suspended, f"{prefix}_suspended", None),
        "frame": frame and (frame.f_code.co_name, frame.f_lineno, frame.f_lasti, sorted(frame.f_locals)),
        "above": frame and frame.f_back and frame.f_back.f_code.co_name,
    }


def state(suspended: Any) -> str:
    """The state that `inspect` reads, by the object's own kind; 3.11 has no word for async generators."""
    if hasattr(suspended, "cr_code"):
        return inspect.getcoroutinestate(suspended)
    if hasattr(suspended, "gi_code"):
        return inspect.getgeneratorstate(suspended)
    ask: Callable[[Any], str] = getattr(inspect, "getasyncgenstate", lambda _: "unknown")
    return ask(suspended)
