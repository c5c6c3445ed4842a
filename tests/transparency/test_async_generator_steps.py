"""An async generator driven by hand answers `asend`, `athrow` and `aclose` as the bare one, step by step."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, pause
from transparency.moves import UnmakeableError, caused, raised
from transparency.observation import outcome, portrait, unraised, warned

Call = tuple[str, Callable[[], tuple[Any, ...]]]

NEXT: Call = ("__anext__", tuple)
CLOSE: Call = ("aclose", tuple)


def asend(value: Any) -> Call:
    return "asend", lambda: (value,)


def athrow(*make: Callable[[], Any]) -> Call:
    return "athrow", lambda: tuple(each() for each in make)


SCRIPTS: dict[str, list[Call]] = {
    "to_the_end": [NEXT, asend("one"), asend("two"), NEXT, NEXT],
    "value_at_once": [asend("early"), NEXT, CLOSE],
    "none_at_once": [asend(None), CLOSE],
    "thrown_into_unstarted": [athrow(lambda: LookupError("early")), NEXT],
    "thrown_and_caught": [NEXT, athrow(lambda: LookupError("caught")), asend("more"), NEXT],
    "thrown_and_raised_again": [NEXT, athrow(lambda: LookupError("again")), NEXT, CLOSE],
    "thrown_and_not_caught": [NEXT, NEXT, athrow(lambda: ValueError("missed")), CLOSE],
    "thrown_after_the_end": [NEXT, athrow(lambda: ValueError("first")), athrow(lambda: LookupError("late")), NEXT],
    "a_class_thrown": [NEXT, athrow(lambda: LookupError), CLOSE],
    "a_class_that_fails": [NEXT, athrow(lambda: UnmakeableError), CLOSE],
    "no_exception_thrown": [NEXT, athrow(lambda: "text"), CLOSE],
    "nothing_thrown": [NEXT, athrow(), CLOSE],
    "three_arguments_thrown": [NEXT, athrow(lambda: LookupError, lambda: LookupError("old"), lambda: None), CLOSE],
    "with_a_cause": [NEXT, athrow(caused), CLOSE],
    "raised_before": [NEXT, athrow(raised), CLOSE],
    "stop_thrown": [NEXT, athrow(lambda: StopIteration(3)), NEXT],
    "stop_asynchronously_thrown": [NEXT, athrow(StopAsyncIteration), NEXT],
    "exit_thrown": [NEXT, athrow(GeneratorExit), NEXT],
    "interrupt_thrown": [NEXT, athrow(KeyboardInterrupt), NEXT],
    "closed_unstarted": [CLOSE, NEXT, CLOSE],
    "closed": [NEXT, CLOSE, CLOSE, NEXT, athrow(lambda: LookupError("late"))],
    "closed_after_the_end": [NEXT, NEXT, NEXT, NEXT, CLOSE],
    "too_much_sent": [("asend", lambda: (1, 2)), CLOSE],
}
SCRIPT = pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)


def played(items: Any, script: list[Call]) -> list[Any]:
    seen: list[Any] = [portrait(items)]
    for method, arguments in script:
        with warned() as warnings:
            seen.append((method, outcome(stepped, items, method, arguments())))
        seen += [warnings, portrait(items), sys.exc_info()]
    return seen


def stepped(items: Any, method: str, arguments: tuple[Any, ...]) -> Any:
    return driven(getattr(items, method)(*arguments))


def patient(decorate: Decorate) -> Any:
    @decorate
    async def subject(events: list[Any]) -> Any:
        events.append("begun")
        try:
            events.append(("paused", await pause("first pause")))
            events.append(("got", (yield "first")))
            yield "second"
        except LookupError as error:
            events.append(("caught", str(error), sys.exc_info()[1] is error))
            yield "in the handler"
            if str(error) == "again":
                raise
        finally:
            events.append("finally")
            await pause("last pause")

    return subject


@SCRIPT
def test_a_script_of_steps(script: list[Call], decorate: Decorate) -> object:
    events: list[Any] = []
    with unraised() as left:
        seen = played(patient(decorate)(events), script)
    return seen, left, events


@SCRIPT
def test_a_script_of_steps_through_another(script: list[Call], decorate: Decorate) -> object:
    inside = patient(decorate)

    @decorate
    async def around(events: list[Any]) -> Any:
        async for item in inside(events):
            try:
                events.append(("around", (yield item)))
            except ValueError as error:
                raise KeyError("from around") from error

    events: list[Any] = []
    with unraised() as left:
        seen = played(around(events), script)
    return seen, left, events


@SCRIPT
def test_a_script_of_steps_on_a_stubborn_one(script: list[Call], decorate: Decorate) -> object:
    @decorate
    async def stubborn(events: list[Any]) -> Any:
        while len(events) < 8:
            try:
                events.append((yield len(events)))
            except BaseException as error:
                events.append(type(error).__name__)

    events: list[Any] = []
    items = stubborn(events)
    seen = played(items, script)
    with unraised() as left:
        closed = [outcome(driven, items.aclose()) for _ in range(10)]
        del items
    return seen, closed, left, events


def test_it_is_iterated_by_everything_that_iterates(decorate: Decorate) -> object:
    @decorate
    async def up(stop: int) -> Any:
        for number in range(stop):
            await pause(number)
            yield number

    async def uses() -> Any:
        return (
            [item async for item in up(3)],
            {item async for item in up(3)},
            {item: 1 async for item in up(2)},
            [item async for item in (each async for each in up(2))],
            await anext(up(1)),
            await anext(up(0), "default"),
            await aiter(up(1)).__anext__(),
        )

    return outcome(driven, uses())


def test_anext_on_an_exhausted_one(decorate: Decorate) -> object:
    @decorate
    async def subject() -> Any:
        yield 1

    items = subject()
    seen = [outcome(lambda: driven(anext(items))) for _ in range(3)]

    async def default() -> Any:
        return await anext(items, "default")

    return seen, driven(default())


def test_a_stop_raised_in_the_body_becomes_a_runtime_error(decorate: Decorate) -> object:
    @decorate
    async def stops(kind: type[BaseException]) -> Any:
        yield 1
        raise kind("inside")

    async def all_of(items: Any) -> Any:
        return [item async for item in items]

    kinds = (StopIteration, StopAsyncIteration, GeneratorExit, RuntimeError)
    return [outcome(driven, all_of(stops(kind))) for kind in kinds]


def test_it_sees_itself_running(decorate: Decorate) -> object:
    held: list[Any] = []
    seen: list[Any] = []

    @decorate
    async def subject() -> Any:
        seen.append(portrait(held[0]))
        seen.append([outcome(lambda call=call: driven(getattr(held[0], call)())) for call in ("__anext__", "aclose")])
        await pause()
        yield 1
        seen.append(portrait(held[0]))

    held.append(subject())

    async def all_of() -> Any:
        return [item async for item in held[0]]

    return driven(all_of()), seen, portrait(held.pop())


def test_two_steps_at_a_time_are_refused(decorate: Decorate) -> object:
    items = patient(decorate)([])
    first = items.__anext__()
    first.send(None)
    others = [items.asend(1), items.athrow(LookupError("x")), items.aclose(), items.__anext__()]
    with warned():
        refused = [outcome(other.send, None) for other in others]
    during = portrait(items)
    return refused, during, outcome(first.send, 3), portrait(items), outcome(lambda: driven(items.aclose()))


@pytest.mark.parametrize("call", [NEXT, asend(None), athrow(lambda: LookupError("x")), CLOSE])
def test_a_step_is_awaited_once(call: Call, decorate: Decorate) -> object:
    items = patient(decorate)([])
    driven(items.__anext__())
    step = getattr(items, call[0])(*call[1]())
    seen = [outcome(driven, step), outcome(driven, step), outcome(step.send, None), outcome(step.close)]
    return seen, outcome(lambda: driven(items.aclose()))


@pytest.mark.parametrize("call", [NEXT, asend(None), athrow(lambda: LookupError("x")), CLOSE])
def test_a_step_is_driven_by_hand(call: Call, decorate: Decorate) -> object:
    items = patient(decorate)([])
    driven(items.__anext__())
    seen = []
    for moves in (["close"], ["throw"], ["send", "throw"], ["send", "close"]):
        step = getattr(items, call[0])(*call[1]())
        for move in moves:
            given = {"send": (None,), "throw": (ValueError("by hand"),), "close": ()}[move]
            with warned() as warnings:
                seen.append((move, outcome(getattr(step, move), *given), warnings, portrait(items)))
    return seen, outcome(lambda: driven(items.aclose()))
