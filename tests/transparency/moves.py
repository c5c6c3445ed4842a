"""What is done to a suspended coroutine or generator by hand, move by move, and what is seen after each."""

import sys
from collections.abc import Callable
from typing import Any

from transparency.observation import outcome, portrait, warned

Move = tuple[str, Callable[[], tuple[Any, ...]]]


def send(value: Any = None) -> Move:
    """Resume with a value."""
    return "send", lambda: (value,)


def throw(make: Callable[[], Any]) -> Move:
    """Raise at the point of suspension."""
    return "throw", lambda: (make(),)


CLOSE: Move = ("close", tuple)


class UnmakeableError(Exception):
    """Cannot be made without an argument."""

    def __init__(self, needed: int) -> None:
        super().__init__(needed)


SCRIPTS: dict[str, list[Move]] = {
    "to_the_end": [send(), send("one"), send("two"), send()],
    "value_at_once": [send("early"), send(), CLOSE],
    "thrown_into_unstarted": [throw(lambda: LookupError("early")), send()],
    "thrown_and_caught": [send(), throw(lambda: LookupError("caught")), send("more"), send()],
    "thrown_and_raised_again": [send(), throw(lambda: LookupError("again")), send(), CLOSE],
    "thrown_and_not_caught": [send(), send("one"), throw(lambda: ValueError("missed")), CLOSE],
    "thrown_after_the_end": [send(), throw(lambda: ValueError("first")), throw(lambda: LookupError("late")), send()],
    "a_class_thrown": [send(), throw(lambda: LookupError), CLOSE],
    "a_class_that_fails": [send(), throw(lambda: UnmakeableError), CLOSE],
    "no_exception_thrown": [send(), throw(lambda: "text"), CLOSE],
    "thrown_with_a_cause": [send(), throw(lambda: caused()), CLOSE],
    "thrown_from_outside_the_body": [send(), throw(lambda: raised()), CLOSE],
    "stop_thrown": [send(), throw(lambda: StopIteration(3)), send()],
    "stop_asynchronously_thrown": [send(), throw(lambda: StopAsyncIteration()), send()],
    "exit_thrown": [send(), throw(lambda: GeneratorExit()), send()],
    "exit_thrown_into_unstarted": [throw(lambda: GeneratorExit()), send()],
    "interrupt_thrown": [send(), throw(lambda: KeyboardInterrupt()), send()],
    "three_arguments_thrown": [send(), ("throw", lambda: (LookupError, LookupError("old"), None)), CLOSE],
    "two_arguments_thrown": [send(), ("throw", lambda: (LookupError, "text")), CLOSE],
    "too_much_thrown": [send(), ("throw", lambda: (LookupError("x"), "text")), CLOSE],
    "nothing_thrown": [send(), ("throw", tuple), CLOSE],
    "nothing_sent": [("send", tuple), CLOSE],
    "closed_unstarted": [CLOSE, send(), CLOSE],
    "closed": [send(), CLOSE, CLOSE, send(), throw(lambda: LookupError("late"))],
    "closed_with_too_much": [send(), ("close", lambda: (1,)), CLOSE],
    "closed_after_the_end": [send(), send(), send(), CLOSE],
}

# What goes through another body. A deprecated call warns once a body on 3.12 and later, as through any object that is
# not of the interpreter's exact type: docs/unsupported-patterns.md.
DEPRECATED = (
    {"three_arguments_thrown", "two_arguments_thrown", "too_much_thrown"} if sys.version_info >= (3, 12) else set()
)
SCRIPTS_THROUGH = {name: script for name, script in SCRIPTS.items() if name not in DEPRECATED}


def caused() -> Exception:
    """An exception with a cause and a note."""
    error = LookupError("with a cause")
    error.__cause__ = ValueError("the cause")
    error.add_note("a note")
    return error


def raised() -> Exception:
    """An exception that was raised before, with the traceback of that."""
    try:
        raise ArithmeticError("raised before")
    except ArithmeticError as error:
        return error


def played(suspended: Any, script: list[Move], on: Any = None) -> list[Any]:
    """Plays a script on a suspended object, or on an iterator over it, and notes what each move gave and left."""
    seen: list[Any] = [portrait(suspended)]
    for method, arguments in script:
        with warned() as warnings:
            seen.append((method, outcome(getattr(on or suspended, method), *arguments())))
        seen += [warnings, portrait(suspended), sys.exc_info()]
    return seen
