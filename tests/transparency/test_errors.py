"""Exceptions leave a decorated function with the traceback, chain and state of the bare one, and no other frame."""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, finished, pause
from transparency.observation import frames, outcome, plain, told


def failing(decorate: Decorate, kind: str, act: Callable[[], Any]) -> Callable[[], Any]:
    """A call of a function of a kind whose body acts after its first step."""

    @decorate
    def function() -> Any:
        return act()

    @decorate
    async def coroutine() -> Any:
        await pause()
        return act()

    @decorate
    def generator() -> Any:
        yield 1
        return act()

    @decorate
    async def async_generator() -> Any:
        yield 1
        act()

    made = {f.__name__: f for f in (function, coroutine, generator, async_generator)}[kind]
    return lambda: finished(made())


KIND = pytest.mark.parametrize("kind", ["function", "coroutine", "generator", "async_generator"])


def raises(error: BaseException) -> Callable[[], Any]:
    def act() -> Any:
        raise error

    return act


class OwnError(Exception):
    def __init__(self, code: int, *, detail: str) -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return f"own {self.args[0]} {self.detail}"


ERRORS: dict[str, Callable[[], BaseException]] = {
    "plain": lambda: ValueError("plain"),
    "own": lambda: OwnError(3, detail="detail"),
    "exit": lambda: SystemExit(3),
    "interrupt": lambda: KeyboardInterrupt(),
    "memory": lambda: MemoryError(),
    "generator_exit": lambda: GeneratorExit("text"),
    "stop": lambda: StopIteration("value"),
    "stop_async": lambda: StopAsyncIteration("value"),
    "group": lambda: ExceptionGroup("several", [ValueError(1), ExceptionGroup("inner", [KeyError(2)])]),
    "base_group": lambda: BaseExceptionGroup("several", [KeyboardInterrupt()]),
    "operating_system": lambda: FileNotFoundError(2, "No such file", "name"),
    "unicode": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "reason"),
    "syntax": lambda: SyntaxError("text", ("file.py", 1, 2, "source", 1, 3)),
    "assertion": lambda: AssertionError(),
}


@KIND
@pytest.mark.parametrize("error", ERRORS)
def test_an_exception_comes_out_as_it_went_in(error: str, kind: str, decorate: Decorate) -> object:
    made = ERRORS[error]()
    run = failing(decorate, kind, raises(made))
    try:
        run()
    except BaseException as caught:
        same = caught is made, caught.__context__ is made, caught.__cause__ is made
        return same, told(caught), plain(vars(caught)), repr(caught.args)
    return "nothing came"


@KIND
def test_the_printed_traceback_is_the_same(kind: str, decorate: Decorate) -> object:
    def act() -> Any:
        try:
            return sys.modules["no such module"]
        except KeyError as error:
            raise ValueError("while reading") from error

    try:
        failing(decorate, kind, act)()
    except ValueError:
        return traceback.format_exc()
    return "nothing came"


@KIND
def test_the_last_frame_s_locals_are_there(kind: str, decorate: Decorate) -> object:
    def act() -> Any:
        kept = "local"
        raise ValueError(kept)

    try:
        failing(decorate, kind, act)()
    except ValueError as error:
        summary = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), capture_locals=True)
        return [(frame.name, frame.lineno, sorted(frame.locals or {})) for frame in summary]
    return "nothing came"


@KIND
def test_an_exception_raised_again_grows_alike(kind: str, decorate: Decorate) -> object:
    error = ValueError("again")
    run = failing(decorate, kind, raises(error))
    seen = []
    for _ in range(3):
        try:
            run()
        except ValueError as caught:
            seen.append(len(frames(caught.__traceback__)))
    return seen


def test_a_chain_through_functions_of_all_kinds(decorate: Decorate) -> object:
    @decorate
    def bottom() -> Any:
        raise LookupError("bottom")

    @decorate
    def generator() -> Any:
        yield 1
        bottom()

    @decorate
    async def coroutine() -> Any:
        return list(generator())

    @decorate
    async def async_generator() -> Any:
        yield await coroutine()

    @decorate
    def function() -> Any:
        try:
            return finished(async_generator())
        except LookupError as error:
            raise ValueError("function") from error

    return outcome(function)


@KIND
def test_the_error_that_is_handled_is_seen_inside(kind: str, decorate: Decorate) -> object:
    seen: list[Any] = []
    run = failing(decorate, kind, lambda: seen.append((told(sys.exc_info()[1]) or ("none",))[0]))
    run()
    try:
        raise ValueError("handled")
    except ValueError as error:
        run()
        seen.append(sys.exc_info()[1] is error)
        try:
            raise LookupError("inner")
        except LookupError:
            run()
        seen.append(sys.exc_info()[1] is error)
    return seen, sys.exc_info()


@KIND
def test_the_error_that_is_handled_becomes_the_context(kind: str, decorate: Decorate) -> object:
    run = failing(decorate, kind, raises(LookupError("inside")))

    def handles() -> None:
        try:
            raise ValueError("handled")
        except ValueError:
            run()

    def suppresses() -> None:
        try:
            raise ValueError("handled")
        except ValueError:
            try:
                run()
            except LookupError as error:
                raise error from None

    return outcome(handles), outcome(suppresses)


@KIND
def test_a_bare_raise_inside_raises_what_the_caller_handles(kind: str, decorate: Decorate) -> object:
    def again() -> Any:
        raise

    run = failing(decorate, kind, again)

    def handles() -> None:
        try:
            raise ValueError("handled")
        except ValueError:
            run()

    return outcome(run), outcome(handles)


def test_a_suspended_handler_keeps_its_error_to_itself(decorate: Decorate) -> object:
    @decorate
    def generator() -> Any:
        try:
            raise ValueError("inside")
        except ValueError:
            yield sys.exc_info()[0]
            yield sys.exc_info()[0]
        yield sys.exc_info()[0]

    @decorate
    async def coroutine() -> Any:
        try:
            raise ValueError("inside")
        except ValueError:
            await pause(sys.exc_info()[0])
            await pause(sys.exc_info()[0])
        await pause(sys.exc_info()[0])

    seen: list[Any] = []
    for made in (generator(), coroutine()):
        seen += [made.send(None), sys.exc_info()[0]]
        try:
            raise LookupError("outside")
        except LookupError:
            seen += [made.send(None), sys.exc_info()[0], made.send(None), sys.exc_info()[0]]
        made.close()
    return seen


def test_a_logged_exception_is_the_same_text(decorate: Decorate) -> object:
    records: list[logging.LogRecord] = []
    logger = logging.Logger("own")
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[assignment,method-assign]
    logger.addHandler(handler)

    @decorate
    def logs() -> None:
        try:
            raise ValueError("logged")
        except ValueError:
            logger.exception("it failed", stacklevel=1)
        logger.warning("from the caller", stacklevel=2)

    logs()
    return [(it.funcName, it.lineno, logging.Formatter().format(it)) for it in records]


@KIND
def test_an_assertion_of_a_test_is_told_alike(kind: str, decorate: Decorate) -> object:
    def act() -> Any:
        with pytest.raises(ValueError, match="inner") as caught:
            failing(decorate, kind, raises(ValueError("inner")))()
        return [entry.name for entry in caught.traceback], caught.exconly()

    return outcome(act)


@KIND
def test_an_exit_code_passes(kind: str, decorate: Decorate) -> object:
    try:
        failing(decorate, kind, lambda: sys.exit("leaving"))()
    except SystemExit as error:
        return error.code, frames(error.__traceback__)
    return "nothing came"


def test_an_exception_is_caught_by_its_star_clause(decorate: Decorate) -> object:
    @decorate
    async def fails() -> None:
        raise ExceptionGroup("several", [ValueError(1), KeyError(2)])

    seen: list[Any] = []
    try:
        try:
            driven(fails())
        except* ValueError as group:
            seen.append(told(group))
    except ExceptionGroup as rest:
        seen.append(told(rest))
    return seen
