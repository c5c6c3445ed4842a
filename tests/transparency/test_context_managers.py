"""`contextlib` makes context managers of decorated generator functions, and closes decorated things, alike."""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, pause
from transparency.observation import outcome, plain

ERRORS: dict[str, Callable[[], BaseException] | None] = {
    "nothing": None,
    "swallowed": lambda: LookupError("swallowed"),
    "missed": lambda: ValueError("missed"),
    "replaced": lambda: KeyError("replaced"),
    "stop": lambda: StopIteration("stop"),
    "stop_async": lambda: StopAsyncIteration("stop"),
    "runtime": lambda: RuntimeError("runtime"),
    "interrupt": lambda: KeyboardInterrupt(),
    "exit": lambda: GeneratorExit(),
}


def managers(decorate: Decorate, events: list[Any]) -> tuple[Any, Any]:
    def synchronous(name: str = "default") -> Any:
        """Managed."""
        events.append("enter")
        try:
            yield name
        except LookupError as error:
            events.append(str(error))
            if isinstance(error, KeyError):
                raise ArithmeticError("instead") from error
        finally:
            events.append("exit")

    async def asynchronous(name: str = "default") -> Any:
        """Managed."""
        events.append("enter")
        await pause("entering")
        try:
            yield name
        except LookupError as error:
            events.append(str(error))
            if isinstance(error, KeyError):
                raise ArithmeticError("instead") from error
        finally:
            await pause("leaving")
            events.append("exit")

    return synchronous, asynchronous


ORDER = pytest.mark.parametrize("under", [True, False], ids=["decorated_under", "decorated_above"])


@ORDER
@pytest.mark.parametrize("error", ERRORS)
def test_a_context_manager_of_a_generator(error: str, under: bool, decorate: Decorate) -> object:
    events: list[Any] = []
    raw, _ = managers(decorate, events)
    manager = contextlib.contextmanager(decorate(raw)) if under else decorate(contextlib.contextmanager(raw))
    make = ERRORS[error]

    def use() -> Any:
        with manager("given") as entered:
            events.append(entered)
            if make:
                raise make()
        return "left"

    return outcome(use), events, manager.__name__, manager.__doc__, str(inspect.signature(manager))


@ORDER
@pytest.mark.parametrize("error", ERRORS)
def test_a_context_manager_of_an_async_generator(error: str, under: bool, decorate: Decorate) -> object:
    events: list[Any] = []
    _, raw = managers(decorate, events)
    manager = contextlib.asynccontextmanager(decorate(raw)) if under else decorate(contextlib.asynccontextmanager(raw))
    make = ERRORS[error]

    async def use() -> Any:
        async with manager("given") as entered:
            events.append(entered)
            if make:
                raise make()
        return "left"

    return outcome(driven, use()), events, manager.__name__, str(inspect.signature(manager))


def test_a_context_manager_decorates(decorate: Decorate) -> object:
    events: list[Any] = []
    raw, asynchronous = managers(decorate, events)
    manager = contextlib.contextmanager(decorate(raw))
    async_manager = contextlib.asynccontextmanager(decorate(asynchronous))

    @manager("around")
    @decorate
    def function() -> str:
        """Inside."""
        events.append("body")
        return "result"

    @decorate
    @async_manager("around")
    async def coroutine() -> str:
        events.append("body")
        return "result"

    return function(), function(), function.__name__, function.__doc__, driven(coroutine()), events


def test_a_generator_that_does_not_yield_once(decorate: Decorate) -> object:
    @contextlib.contextmanager
    @decorate
    def never() -> Any:
        return
        yield

    @contextlib.contextmanager
    @decorate
    def twice() -> Any:
        yield 1
        yield 2

    @contextlib.contextmanager
    @decorate
    def stubborn() -> Any:
        try:
            yield 1
        except LookupError:
            yield 2

    def use(manager: Any, error: BaseException | None = None) -> None:
        with manager():
            if error:
                raise error

    return outcome(use, never), outcome(use, twice), outcome(use, stubborn, LookupError("x"))


def test_an_exit_stack(decorate: Decorate) -> object:
    events: list[Any] = []
    raw, asynchronous = managers(decorate, events)
    manager = contextlib.contextmanager(decorate(raw))
    async_manager = contextlib.asynccontextmanager(decorate(asynchronous))

    @decorate
    def called(name: str) -> None:
        events.append(name)

    @decorate
    def leaves(kind: Any, error: Any, traceback: Any) -> bool:
        events.append((kind and kind.__name__, str(error)))
        return kind is ValueError

    @decorate
    async def called_later(name: str) -> None:
        await pause(name)
        events.append(name)

    def use() -> Any:
        with contextlib.ExitStack() as stack:
            stack.callback(called, "callback")
            stack.push(leaves)
            stack.enter_context(manager("one"))
            stack.enter_context(manager("two"))
            raise ValueError("swallowed")
        return "left"  # type: ignore[unreachable]

    async def use_async() -> Any:
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(called, "callback")
            stack.push_async_callback(called_later, "later")
            stack.push(leaves)
            await stack.enter_async_context(async_manager("one"))
            stack.enter_context(manager("two"))
            raise ValueError("swallowed")
        return "left"  # type: ignore[unreachable]

    return outcome(use), outcome(driven, use_async()), events


def test_closing(decorate: Decorate) -> object:
    events: list[Any] = []

    @decorate
    def generator() -> Any:
        try:
            yield 1
            yield 2
        finally:
            events.append("closed")

    @decorate
    async def async_generator() -> Any:
        try:
            yield 1
            yield 2
        finally:
            await pause()
            events.append("closed")

    with contextlib.closing(generator()) as items:
        events.append(next(items))

    async def use() -> None:
        async with contextlib.aclosing(async_generator()) as more:
            async for item in more:
                events.append(item)
                break

    driven(use())
    return events


def test_redirection_and_suppression_around_it(decorate: Decorate) -> object:
    import io

    @decorate
    def prints() -> None:
        print("printed")
        raise LookupError("after printing")

    text = io.StringIO()
    with contextlib.suppress(LookupError), contextlib.redirect_stdout(text):
        prints()
    return text.getvalue()


def test_its_names(decorate: Decorate) -> object:
    raw, asynchronous = managers(decorate, [])
    made = [contextlib.contextmanager(decorate(raw)), contextlib.asynccontextmanager(decorate(asynchronous))]
    return [
        (it.__name__, it.__doc__, plain(it.__qualname__), inspect.isgeneratorfunction(it), str(inspect.signature(it)))
        for it in made
    ]
