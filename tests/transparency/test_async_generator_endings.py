"""An async generator meets the loop's hooks and ends, dropped or closed, as the bare one."""

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from transparency.kinds import Decorate, driven, pause
from transparency.observation import awaited, outcome, plain, portrait, unraised, warned


@contextmanager
def hooks(events: list[Any], keep: list[Any]) -> Iterator[None]:
    def began(items: Any) -> None:
        events.append(("began", plain(items), items.__class__.__name__, portrait(items)["state"]))

    def dropped(items: Any) -> None:
        events.append(("dropped", plain(items), items.__class__.__name__, portrait(items)["state"]))
        keep.append(items)

    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=began, finalizer=dropped)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*before)


def counting(decorate: Decorate, events: list[Any]) -> Any:
    @decorate
    async def subject() -> Any:
        try:
            yield 1
            yield 2
        except BaseException as error:
            events.append(type(error).__name__)
            raise
        finally:
            events.append("finally")
            await pause("tidying")
            events.append("tidied")

    return subject


def test_the_hooks_get_the_object_itself(decorate: Decorate) -> object:
    events: list[Any] = []
    keep: list[Any] = []
    with hooks(events, keep):
        items = counting(decorate, events)()
        events.append("made")
        driven(items.__anext__())
        driven(items.__anext__())
        address = id(items)
        del items
        events.append(id(keep[0]) == address)
        closed = outcome(lambda: driven(keep[0].aclose()))
    return events, closed


def test_the_hooks_see_each_way_to_begin(decorate: Decorate) -> object:
    events: list[Any] = []
    subject = counting(decorate, events)
    with hooks(events, []):
        for begin in ("__anext__", "asend", "athrow", "aclose"):
            items = subject()
            step = getattr(items, begin)(*{"asend": (None,), "athrow": (LookupError("x"),)}.get(begin, ()))
            events.append(begin)
            outcome(driven, step)
            outcome(lambda items=items: driven(items.aclose()))
    return events


def test_one_that_never_began_meets_no_hook(decorate: Decorate) -> object:
    events: list[Any] = []
    with hooks(events, []), warned() as warnings:
        counting(decorate, events)()
    return events, warnings


def test_one_that_ended_meets_no_hook(decorate: Decorate) -> object:
    events: list[Any] = []

    async def all_of(items: Any) -> Any:
        return [item async for item in items]

    with hooks(events, []):
        events.append(driven(all_of(counting(decorate, events)())))
    return events


def test_a_hook_that_fails(decorate: Decorate) -> object:
    def fails(items: Any) -> None:
        raise LookupError("in a hook")

    before = sys.get_asyncgen_hooks()
    try:
        sys.set_asyncgen_hooks(firstiter=fails)
        first = outcome(lambda: driven(counting(decorate, [])().__anext__()))
        sys.set_asyncgen_hooks(firstiter=None, finalizer=fails)
        with unraised() as seen:
            items = counting(decorate, [])()
            driven(items.__anext__())
            del items
            gc.collect()
    finally:
        sys.set_asyncgen_hooks(*before)
    return first, [(note[0][:2], note[2]) for note in seen]


def test_without_hooks_it_is_dropped(decorate: Decorate) -> object:
    events: list[Any] = []
    items = counting(decorate, events)()
    driven(items.__anext__())
    with unraised() as seen, warned() as warnings:
        del items
        gc.collect()
    return events, seen, warnings


def test_a_loop_left_early_on_asyncio(decorate: Decorate) -> object:
    events: list[Any] = []

    @decorate
    async def subject() -> Any:
        try:
            yield 1
            yield 2
        finally:
            events.append("finally")
            await asyncio.sleep(0)
            events.append("tidied")

    async def main() -> None:
        async for item in subject():
            events.append(item)
            break
        events.append("left")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        events.append("later")

    asyncio.run(main())
    return events


def test_a_loop_that_ends_closes_what_is_left(decorate: Decorate) -> object:
    events: list[Any] = []
    held: list[Any] = []

    @decorate
    async def subject(number: int) -> Any:
        try:
            yield number
        finally:
            await asyncio.sleep(0)
            events.append(("closed", number))

    async def main() -> None:
        for number in range(3):
            held.append(subject(number))
            await anext(held[-1])

    asyncio.run(main())
    return sorted(events), [portrait(items) for items in held]


def test_a_failing_end_is_told_to_the_loop(decorate: Decorate) -> object:
    told: list[Any] = []

    @decorate
    async def subject() -> Any:
        try:
            yield 1
        finally:
            raise LookupError("in finally")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(
            lambda _, context: told.append(
                (plain(context["message"]), repr(context.get("exception")), plain(context.get("asyncgen")))
            )
        )
        held.append(subject())
        await anext(held[0])
        dropped = subject()
        await anext(dropped)
        del dropped
        for _ in range(3):
            await asyncio.sleep(0)
        await loop.shutdown_asyncgens()

    held: list[Any] = []
    asyncio.run(main())
    return [note for note in told if "asyncgen" not in note[0] or note[2]], len(told)


def test_one_begun_after_the_loop_shut_them_down(decorate: Decorate) -> object:
    @decorate
    async def subject() -> Any:
        yield 1

    async def main() -> Any:
        await asyncio.get_running_loop().shutdown_asyncgens()
        with warned() as warnings:
            items = subject()
            seen = await anext(items)
            await items.aclose()
        return seen, [note[:2] for note in warnings]

    return asyncio.run(main())


@pytest.mark.parametrize("ending", [lambda: None, lambda: (_ for _ in ()).throw(LookupError("while ending"))])
def test_one_closed_half_way(ending: Callable[[], Any], decorate: Decorate) -> object:
    events: list[Any] = []

    @decorate
    async def subject() -> Any:
        try:
            yield 1
        finally:
            events.append("finally")
            ending()

    async def main() -> Any:
        items = subject()
        await anext(items)
        return await awaited(items.aclose()), await awaited(items.aclose()), portrait(items)

    return asyncio.run(main()), events


def test_one_that_yields_while_it_is_closed(decorate: Decorate) -> object:
    @decorate
    async def subject() -> Any:
        try:
            yield 1
        finally:
            yield 2

    items = subject()
    driven(items.__anext__())
    return [outcome(lambda: driven(items.aclose())), portrait(items), outcome(lambda: driven(items.aclose()))]


def test_a_cycle_through_it_is_collected(decorate: Decorate) -> object:
    events: list[Any] = []
    keep: list[Any] = []

    @decorate
    async def subject(held: list[Any]) -> Any:
        try:
            yield 1
        finally:
            events.append("finally")

    cycle: list[Any] = []
    with hooks(events, keep):
        cycle.append(subject(cycle))
        driven(cycle[0].__anext__())
        reference = weakref.ref(cycle[0])
        del cycle
        gc.collect()
        closed = outcome(lambda: driven(keep.pop().aclose()))
    gc.collect()
    return events, closed, reference()


def test_items_are_not_kept(decorate: Decorate) -> object:
    class Item:
        pass

    @decorate
    async def subject() -> Any:
        while True:
            yield Item()

    items = subject()
    references = []
    for _ in range(3):
        item, _steps = driven(items.__anext__())
        references.append(weakref.ref(item))
        del item, _steps
    seen = [reference() for reference in references]
    driven(items.aclose())
    return seen
