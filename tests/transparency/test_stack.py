"""The stack seen from inside holds the frames of the program and no other, as deep as without a decorator."""

import collections
import faulthandler
import inspect
import io
import logging
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, finished, pause
from transparency.observation import callers, outcome, warned

LOOKS: dict[str, Callable[[], Any]] = {
    "callers": lambda: callers("looked"),
    "inspect_stack": lambda: until((frame.function, frame.lineno) for frame in inspect.stack(0)),
    "extracted": lambda: until((frame.name, frame.lineno) for frame in reversed(traceback.extract_stack())),
    "walked": lambda: until((frame.f_code.co_name, line) for frame, line in traceback.walk_stack(None)),
    "caller_s_locals": lambda: sorted(sys._getframe(2).f_locals),
    "depth": lambda: len(inspect.stack(0)),
    "outer_frames": lambda: until((it.function, it.lineno) for it in inspect.getouterframes(sys._getframe())),
    "format_stack": lambda: [line for line in traceback.format_stack() if __file__ in line],
    "caller_s_name": lambda: logging.Logger("own").findCaller(stacklevel=2)[2],
    "named_tuple_s_module": lambda: collections.namedtuple("Pair", "a b").__module__,
    "frame_s_module": lambda: getattr(sys, "_getframemodulename", lambda _: "since 3.12")(1),
    "faulthandler": lambda: dumped(),
}


def until(found: Any) -> list[Any]:
    kept = []
    for entry in found:
        kept.append(entry)
        if entry[0] == "looked":
            break
    return kept


def dumped() -> list[str]:
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=False)
        file.seek(0)
        lines = file.read().decode().splitlines()
    ours = [line.rpartition(" in ")[2] for line in lines if Path(__file__).name in line]
    return ours[: ours.index("looked") + 1]


def looked(decorate: Decorate, look: Callable[[], Any]) -> list[Any]:
    seen: list[Any] = []

    @decorate
    def function() -> None:
        seen.append(look())

    @decorate
    def generator() -> Any:
        function()
        yield 1
        seen.append(look())

    @decorate
    async def coroutine() -> None:
        seen.append(look())
        await pause()
        list(generator())
        seen.append(look())

    @decorate
    async def async_generator() -> Any:
        await coroutine()
        seen.append(look())
        yield 1
        yield 2
        seen.append(look())

    class Held:
        @property
        @decorate
        def value(self) -> None:
            function()

        @decorate
        def __del__(self) -> None:
            function()

    def noting(value: int) -> int:
        seen.append(look())
        return value

    function()
    list(generator())
    finished(coroutine())
    finished(async_generator())
    Held().value  # noqa: B018
    sorted([1, 2], key=decorate(noting))
    return seen


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_at_the_stack_sees_the_same(look: str, decorate: Decorate) -> object:
    return looked(decorate, LOOKS[look])


def test_a_suspended_body_is_not_on_the_stack(decorate: Decorate) -> object:
    @decorate
    def generator() -> Any:
        yield sys._getframe()

    made = generator()
    frame = next(made)
    return frame.f_back, frame is made.gi_frame, frame.f_code.co_name


@pytest.mark.parametrize("level", [1, 2, 3])
def test_warnings_point_to_the_same_line(level: int, decorate: Decorate) -> object:
    @decorate
    def warns() -> None:
        warnings.warn("old", DeprecationWarning, stacklevel=level)

    @decorate
    def generator() -> Any:
        yield warns()
        warnings.warn("from a generator", UserWarning, stacklevel=level)

    @decorate
    async def coroutine() -> None:
        await pause()
        warns()
        warnings.warn("from a coroutine", UserWarning, stacklevel=level)

    with warned() as seen:
        warns()
        list(generator())
        driven(coroutine())
    return seen


def test_a_warning_as_an_error_comes_from_the_same_frames(decorate: Decorate) -> object:
    @decorate
    def warns() -> None:
        warnings.warn("old", DeprecationWarning, stacklevel=2)

    return outcome(warns)


def test_once_is_once_for_each_place(decorate: Decorate) -> object:
    @decorate
    def warns() -> None:
        warnings.warn("repeated", UserWarning, stacklevel=2)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            warns()
        warns()
    globals().pop("__warningregistry__", None)
    return [(note.lineno, Path(note.filename).name) for note in caught]


def limited(depth: int, action: Callable[[], Any]) -> Any:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + depth)
    try:
        return action()
    finally:
        sys.setrecursionlimit(before)


def test_recursion_ends_at_the_same_depth(decorate: Decorate) -> object:
    deepest = 0

    @decorate
    def function(depth: int) -> None:
        nonlocal deepest
        deepest = depth
        function(depth + 1)

    @decorate
    async def coroutine(depth: int) -> None:
        nonlocal deepest
        deepest = depth
        await coroutine(depth + 1)

    @decorate
    def generator(depth: int) -> Any:
        nonlocal deepest
        deepest = depth
        yield from generator(depth + 1)

    @decorate
    async def async_generator(depth: int) -> Any:
        nonlocal deepest
        deepest = depth
        async for item in async_generator(depth + 1):
            yield item

    def overflows(start: Callable[[], Any]) -> Any:
        try:
            start()
        except RecursionError as error:
            return str(error), deepest
        return "no end"

    starts: list[Callable[[], Any]] = [
        lambda: function(0),
        lambda: driven(coroutine(0)),
        lambda: list(generator(0)),
        lambda: finished(async_generator(0)),
    ]
    return [limited(150, lambda start=start: overflows(start)) for start in starts]  # type: ignore[misc]


def test_recursion_within_the_limit_returns(decorate: Decorate) -> object:
    @decorate
    def function(depth: int) -> int:
        return 0 if depth == 0 else 1 + int(function(depth - 1))

    @decorate
    async def coroutine(depth: int) -> int:
        return 0 if depth == 0 else 1 + int(await coroutine(depth - 1))

    @decorate
    def generator(depth: int) -> Any:
        if depth:
            yield from generator(depth - 1)
        yield depth

    return limited(400, lambda: (function(300), driven(coroutine(300)), sum(generator(300))))


def test_after_an_overflow_all_is_well(decorate: Decorate) -> object:
    @decorate
    def endless() -> Any:
        return endless()

    seen = [limited(120, lambda: outcome(endless)[1][0]) for _ in range(5)]
    return seen, finished(decorate(lambda: "well")())


def test_printing_the_stack_prints_the_same(decorate: Decorate) -> object:
    printed = io.StringIO()

    @decorate
    def prints() -> None:
        traceback.print_stack(limit=2, file=printed)

    prints()
    return printed.getvalue()
