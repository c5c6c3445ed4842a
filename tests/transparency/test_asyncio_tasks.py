"""Tasks, groups, timeouts and all else that `asyncio` runs take a decorated coroutine function as the bare one."""

import asyncio
import concurrent.futures
import contextlib
import importlib
import inspect
import io
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate
from transparency.observation import awaited, frames, outcome, plain, portrait, warned

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop] | None] = {"asyncio": None}
with contextlib.suppress(ImportError):
    LOOPS["uvloop"] = importlib.import_module("uvloop").new_event_loop


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Runs a coroutine on a loop of its own, of each kind that is installed."""

    def on_a_loop(main: Any) -> Any:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            return runner.run(main)

    return on_a_loop


Run = Callable[[Any], Any]


def worker(decorate: Decorate, events: list[Any]) -> Any:
    @decorate
    async def subject(name: str, steps: int = 1, fail: bool = False) -> Any:
        events.append((name, "begins"))
        try:
            for step in range(steps):
                await asyncio.sleep(0)
                events.append((name, step))
            if fail:
                raise LookupError(name)
        except asyncio.CancelledError as error:
            events.append((name, "cancelled", error.args))
            raise
        finally:
            events.append((name, "ends"))
        return name

    return subject


def test_a_function_of_a_program_is_run(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)
    return run(subject("main", 3)), outcome(run, subject("fails", fail=True)), events


def test_tasks_interleave(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    async def main() -> Any:
        tasks = [asyncio.create_task(subject(name, 3)) for name in "abc"]
        return [await task for task in tasks]

    return run(main()), events


def test_gather(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    async def main() -> Any:
        together = await asyncio.gather(subject("a"), subject("b", 2), subject("c", fail=True), return_exceptions=True)
        failed = await awaited(asyncio.gather(subject("d", fail=True), subject("e", 5)))
        same = subject("f")
        twice = await asyncio.gather(same, same)
        return [plain(it) for it in together], failed, twice

    return run(main()), events


def test_a_task_group(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    @decorate
    async def grouped(fail: bool) -> Any:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(subject("a", 9)), group.create_task(subject("b", fail=fail))]
        return [task.result() for task in tasks]

    async def main() -> Any:
        return await awaited(grouped(False)), await awaited(grouped(True))

    return run(main()), events


def test_wait_for_and_timeout(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    @decorate
    async def late(name: str) -> Any:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            events.append((name, "cancelled"))
            raise

    @decorate
    async def limited() -> Any:
        async with asyncio.timeout(0.001):
            await late("timeout")

    async def main() -> Any:
        return (
            await asyncio.wait_for(subject("quick"), 10),
            await awaited(asyncio.wait_for(late("wait_for"), 0.001)),
            await awaited(limited()),
            await awaited(asyncio.wait_for(subject("fails", fail=True), 10)),
        )

    return run(main()), events


def test_shield(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    async def main() -> Any:
        inside = asyncio.ensure_future(subject("shielded", 4))
        around = asyncio.shield(inside)
        await asyncio.sleep(0)
        around.cancel()
        return await awaited(around), await awaited(inside)

    return run(main()), events


def test_waiting_for_several(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    async def main() -> Any:
        tasks = [asyncio.create_task(subject(name, steps)) for name, steps in (("a", 5), ("b", 1), ("c", 3))]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = "b" in [task.result() for task in done]
        together = sorted([await it for it in asyncio.as_completed([subject("d", 4), subject("e", 1)])])
        return first, together, await asyncio.gather(*tasks)

    # Both take their awaitables out of a set, so the order among equals is any.
    return run(main()), sorted(events, key=repr)


@pytest.mark.parametrize("steps_before", [0, 1, 2])
def test_cancellation(steps_before: int, run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    @decorate
    async def around() -> Any:
        try:
            return await subject("inside", 9)
        except asyncio.CancelledError as error:
            events.append(("around", error.args))
            raise

    async def main() -> Any:
        task = asyncio.create_task(around())
        for _ in range(steps_before):
            await asyncio.sleep(0)
        asked = task.cancel("the reason"), task.cancelling()
        seen = await awaited(task)
        return asked, seen, task.cancelled(), task.cancelling(), outcome(task.result), task.cancel()

    return run(main()), events


def test_cancellation_that_is_refused(run: Run, decorate: Decorate) -> object:
    @decorate
    async def refuses() -> Any:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            task: Any = asyncio.current_task()
            return "refused", task.cancelling(), task.uncancel()

    @decorate
    async def replaces() -> Any:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            raise LookupError("instead") from None

    async def main() -> Any:
        seen = []
        for subject in (refuses, replaces):
            task = asyncio.create_task(subject())
            await asyncio.sleep(0)
            task.cancel()
            seen.append((await awaited(task), task.cancelled()))
        return seen

    return run(main())


def test_a_task_shows_its_coroutine(run: Run, decorate: Decorate) -> object:
    @decorate
    async def inside() -> None:
        await asyncio.sleep(0)

    @decorate
    async def subject() -> None:
        await inside()

    async def main() -> Any:
        coroutine = subject()
        task = asyncio.create_task(coroutine, name="named")
        before = plain(task), [frame.f_code.co_name for frame in task.get_stack()], task.get_coro() is coroutine
        await asyncio.sleep(0)
        printed = io.StringIO()
        task.print_stack(file=printed)
        during = (
            plain(task),
            [frame.f_code.co_name for frame in task.get_stack()],
            printed.getvalue(),
            portrait(coroutine),
        )
        await task
        return before, during, plain(task), task.get_stack(), portrait(coroutine)

    return run(main())


def test_the_current_task_inside_it(run: Run, decorate: Decorate) -> object:
    @decorate
    async def subject() -> Any:
        task: Any = asyncio.current_task()
        inside = task.get_name(), task.get_coro().cr_running, portrait(task.get_coro()), len(asyncio.all_tasks())
        await asyncio.sleep(0)
        return inside

    async def main() -> Any:
        return await asyncio.create_task(subject(), name="named")

    return run(main())


def test_what_runs_in_a_thread(run: Run, decorate: Decorate) -> object:
    @decorate
    def blocking(value: int, *, fail: bool = False) -> Any:
        if fail:
            raise LookupError(value)
        return value + 1

    @decorate
    async def subject() -> Any:
        loop = asyncio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return (
                await asyncio.to_thread(blocking, 1),
                await loop.run_in_executor(pool, blocking, 2),
                (await awaited(asyncio.to_thread(blocking, 3, fail=True)))[1][:2],
            )

    return run(subject())


def test_it_is_run_from_another_thread(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(subject("far"), loop).result(10))

    return run(main()), events


def test_callbacks_of_the_loop(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    called = decorate(lambda *args: events.append([plain(arg)[:12] for arg in args]))

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        loop.call_soon(called, 1)
        loop.call_later(0.001, called, 2)
        loop.call_soon_threadsafe(called, 3)
        handle = loop.call_later(30, called, 4)
        handle.cancel()
        task = asyncio.create_task(asyncio.sleep(0.05))
        task.add_done_callback(called)
        await task
        await asyncio.sleep(0)
        future = loop.create_future()
        future.add_done_callback(called)
        removed = future.remove_done_callback(called)
        future.set_result(None)
        await asyncio.sleep(0)
        return removed, asyncio.iscoroutinefunction(called) if sys.version_info < (3, 14) else False

    return run(main()), sorted(events)


def test_a_coroutine_where_a_callback_belongs_is_refused(decorate: Decorate) -> object:
    @decorate
    async def subject() -> None: ...

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        with warned() as warnings:
            seen = [
                outcome(loop.call_soon, subject),
                outcome(asyncio.create_task, subject),
                outcome(asyncio.ensure_future, subject),
            ]
            refused = outcome(loop.run_until_complete, subject)
        return [(how, told[:2]) for how, told in [*seen, refused]], warnings

    return asyncio.run(main())


def test_an_exception_nobody_asked_for(run: Run, decorate: Decorate) -> object:
    told: list[Any] = []

    @decorate
    async def fails() -> Any:
        raise LookupError("unasked")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: told.append((context["message"], repr(context["exception"]), plain(context["future"])))
        )
        task = asyncio.create_task(fails(), name="named")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        told.append(frames(task._exception.__traceback__) if hasattr(task, "_exception") and task._exception else None)
        del task

    run(main())
    return told


def test_locks_and_queues_between_tasks(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []

    @decorate
    async def producer(queue: Any, lock: Any) -> None:
        for item in range(3):
            async with lock:
                await queue.put(item)
                events.append(("put", item))

    @decorate
    async def consumer(queue: Any, lock: Any) -> Any:
        return [await queue.get() for _ in range(3)]

    async def main() -> Any:
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        lock = asyncio.Lock()
        return await asyncio.gather(producer(queue, lock), consumer(queue, lock))

    return run(main()), events


def test_an_async_generator_and_an_async_comprehension_in_tasks(run: Run, decorate: Decorate) -> object:
    @decorate
    async def ticks(stop: int) -> Any:
        for number in range(stop):
            await asyncio.sleep(0)
            yield number

    @decorate
    async def collects(stop: int) -> Any:
        return [number async for number in ticks(stop)]

    async def main() -> Any:
        return await asyncio.gather(collects(3), collects(2), anext(ticks(1)))

    return run(main())


@pytest.mark.parametrize("eager", ["create_eager_task_factory", "eager_task_factory"])
def test_eager_tasks(eager: str, decorate: Decorate) -> object:
    if not hasattr(asyncio, eager):
        return "since 3.12"
    events: list[Any] = []
    subject = worker(decorate, events)
    at_once = decorate(lambda: 1)

    @decorate
    async def never_waits() -> Any:
        task: Any = asyncio.current_task()
        events.append((plain(task.get_name())[:5], at_once()))
        return "done"

    async def main() -> Any:
        factory: Any = getattr(asyncio, eager)
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory if eager == "eager_task_factory" else factory(asyncio.Task))
        eager_one = asyncio.create_task(never_waits())
        events.append(eager_one.done())
        later = asyncio.create_task(subject("later", 2))
        failed = asyncio.create_task(subject("failed", 0, True))
        events.append(("made", later.done(), failed.done()))
        return await eager_one, await later, await awaited(failed)

    return asyncio.run(main()), events


def test_debug_mode(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    @decorate
    async def forgotten() -> None: ...

    async def main() -> Any:
        asyncio.get_running_loop().set_debug(True)
        with warned() as seen, warnings.catch_warnings():
            made = forgotten()
            origin = made.cr_origin and [(line, name) for _, line, name in made.cr_origin]
            del made
        tracking = sys.get_coroutine_origin_tracking_depth()
        return await subject("a"), await awaited(subject("b", 1, True)), origin, len(seen), tracking

    return run(main()), events


def test_iscoroutine_and_the_loop_agree(run: Run, decorate: Decorate) -> object:
    events: list[Any] = []
    subject = worker(decorate, events)

    async def main() -> Any:
        coroutine = subject("a")
        kinds = asyncio.iscoroutine(coroutine), inspect.isawaitable(coroutine), asyncio.isfuture(coroutine)
        future = asyncio.ensure_future(coroutine)
        return kinds, type(future).__name__ in ("Task", "_Task"), asyncio.isfuture(future), await future

    return run(main())
