"""A method that was taken from a suspended object does the same whenever it is called.

Programs keep `send` or `__next__` of a generator (trampolines, `iter(generator.__next__, None)`) and call it once more:
while the body runs, and after its end, when a recorded object is of its base type again. What stood in for the method
took the object for one of the subtype and followed a null pointer: the process was gone. Each stand-in now asks for the
object's type first.
"""

from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate
from transparency.observation import outcome, unraised

Calls = list[Callable[[], Any]]


def driven(step: Any) -> Any:
    """What an awaitable step gives in the end."""
    while True:
        try:
            step.send(None)
        except StopIteration as end:
            return end.value


def of_generator(it: Any) -> Calls:
    following, send, throw, close, finalise = it.__next__, it.send, it.throw, it.close, it.__del__
    return [following, lambda: send(None), lambda: throw(KeyError("held")), close, finalise]


def of_coroutine(it: Any) -> Calls:
    wait, send, throw, close, finalise = it.__await__, it.send, it.throw, it.close, it.__del__
    return [lambda: driven(wait()), lambda: send(None), lambda: throw(KeyError("held")), close, finalise]


def of_async_generator(it: Any) -> Calls:
    following, send, throw, close, finalise = it.__anext__, it.asend, it.athrow, it.aclose, it.__del__
    return [
        lambda: driven(following()),
        lambda: driven(send(None)),
        lambda: driven(throw(KeyError("held"))),
        lambda: driven(close()),
        finalise,
    ]


def generator(decorate: Decorate, inside: Callable[[], Any]) -> Any:
    @decorate
    def subject() -> Any:
        yield inside()

    return subject()


def coroutine(decorate: Decorate, inside: Callable[[], Any]) -> Any:
    @decorate
    async def subject() -> Any:
        return inside()

    return subject()


def async_generator(decorate: Decorate, inside: Callable[[], Any]) -> Any:
    @decorate
    async def subject() -> Any:
        yield inside()

    return subject()


KINDS = {
    "generator": (generator, of_generator, list),
    "coroutine": (coroutine, of_coroutine, lambda it: driven(it.__await__())),
    "async_generator": (async_generator, of_async_generator, lambda it: [driven(it.__anext__()) for _ in range(2)]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(5))
def test_called_after_the_end(kind: str, number: int, decorate: Decorate) -> object:
    make, methods, run = KINDS[kind]
    subject = make(decorate, lambda: 1)
    held = methods(subject)[number]
    with unraised() as seen:
        return outcome(run, subject), outcome(held), outcome(held), seen


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(5))
def test_called_while_the_body_runs(kind: str, number: int, decorate: Decorate) -> object:
    make, methods, run = KINDS[kind]
    held: Calls = []
    subject = make(decorate, lambda: outcome(held[number]))
    held += methods(subject)
    with unraised() as seen:
        return outcome(run, subject), seen


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["send", "throw", "close", "asend", "athrow", "aclose"])
def test_taken_from_the_type_and_given_an_object_that_is_not_recorded(
    kind: str, name: str, decorate: Decorate
) -> object:
    make = KINDS[kind][0]
    subject, bare = make(decorate, lambda: 1), make(lambda function: function, lambda: 2)
    method = getattr(type(subject), name, None)
    arguments: dict[str, list[Any]] = {
        "send": [None],
        "asend": [None],
        "throw": [KeyError("held")],
        "athrow": [KeyError("held")],
    }
    if method is None:
        subject.close() if hasattr(subject, "close") else None
        bare.close() if hasattr(bare, "close") else None
        return "no such method"
    seen = outcome(method, bare, *arguments.get(name, []))
    if name.startswith("a") and seen[0] == "gave":
        seen = outcome(driven, seen[1])
    for each in (subject, bare):
        each.close() if hasattr(each, "close") else driven(each.aclose())
    return seen
