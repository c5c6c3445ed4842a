"""Context variables are seen, set and reset in a decorated function and its suspended body as in the bare one."""

import asyncio
import contextvars
import threading
from typing import Any

from transparency.kinds import Decorate, driven, finished, pause
from transparency.observation import outcome, plain

USER: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")
OTHER: contextvars.ContextVar[str] = contextvars.ContextVar("other", default="nobody")


def test_what_is_set_inside_stays_set(decorate: Decorate) -> object:
    @decorate
    def function() -> Any:
        USER.set("function")
        return USER.get()

    @decorate
    def generator() -> Any:
        USER.set("generator")
        yield USER.get()
        yield USER.get()

    @decorate
    async def coroutine() -> Any:
        USER.set("coroutine")
        await pause()
        return USER.get()

    def run() -> Any:
        seen = [USER.get(), function(), USER.get()]
        made = generator()
        seen += [next(made), USER.get()]
        USER.set("between")
        seen += [next(made), USER.get()]
        seen += [driven(coroutine())[0], USER.get()]
        return seen

    return contextvars.Context().run(run)


def test_a_token_is_reset_where_it_was_made(decorate: Decorate) -> object:
    @decorate
    def sets(value: str) -> Any:
        return USER.set(value)

    @decorate
    def resets(token: Any) -> Any:
        USER.reset(token)
        return USER.get()

    @decorate
    def generator() -> Any:
        token = USER.set("generator")
        yield USER.get()
        USER.reset(token)
        yield USER.get()

    def run() -> Any:
        token = sets("one")
        seen = [USER.get(), resets(token), plain(outcome(resets, token))]
        return seen, list(generator()), USER.get()

    return contextvars.Context().run(run)


def test_a_generator_stepped_in_two_contexts(decorate: Decorate) -> object:
    @decorate
    def generator() -> Any:
        while True:
            yield USER.get()

    made = generator()
    one, other = contextvars.Context(), contextvars.Context()
    one.run(USER.set, "one")
    other.run(USER.set, "other")
    return [one.run(next, made), other.run(next, made), contextvars.Context().run(next, made)]


def test_a_context_runs_it(decorate: Decorate) -> object:
    @decorate
    def function(value: str) -> Any:
        USER.set(value)
        return contextvars.copy_context().get(USER)

    context = contextvars.Context()
    return context.run(function, "inside"), context.get(USER), USER.get()


def test_a_copied_context_holds_the_program_s_variables(decorate: Decorate) -> object:
    def names() -> list[str]:
        return sorted(variable.name for variable in contextvars.copy_context() if variable in (USER, OTHER))

    @decorate
    def function() -> Any:
        return names()

    @decorate
    async def coroutine() -> Any:
        await pause()
        return names()

    @decorate
    def generator() -> Any:
        yield names()

    @decorate
    async def spawns() -> Any:
        return await asyncio.gather(coroutine_of_a_task(), coroutine_of_a_task())

    @decorate
    async def coroutine_of_a_task() -> Any:
        await asyncio.sleep(0)
        return names()

    context = contextvars.Context()
    context.run(USER.set, "set")
    seen = [context.run(finished, subject()) for subject in (coroutine, generator)]
    return context.run(function), seen, context.run(asyncio.run, spawns()), len(context), names()


def test_copies_of_a_context_are_equal(decorate: Decorate) -> object:
    @decorate
    def function() -> Any:
        one, other = contextvars.copy_context(), contextvars.copy_context()
        return one == other, len(one) == len(other), list(one.keys()) == list(other.keys()), USER in one

    def run() -> Any:
        USER.set("set")
        return function()

    return contextvars.Context().run(run)


def test_tasks_have_contexts_of_their_own(decorate: Decorate) -> object:
    @decorate
    async def subject(name: str) -> Any:
        before = USER.get()
        USER.set(name)
        await asyncio.sleep(0)
        return before, USER.get()

    async def main() -> Any:
        USER.set("main")
        together = await asyncio.gather(subject("one"), subject("two"))
        given = contextvars.Context()
        alone = await asyncio.get_running_loop().create_task(subject("three"), context=given)
        directly = await subject("four")
        return together, alone, directly, USER.get(), given.get(USER)

    return asyncio.run(main())


def test_threads_and_callbacks_have_theirs(decorate: Decorate) -> object:
    seen: list[Any] = []

    @decorate
    def note() -> None:
        seen.append(USER.get())

    async def main() -> None:
        USER.set("main")
        loop = asyncio.get_running_loop()
        loop.call_soon(note)
        loop.call_soon(note, context=contextvars.Context())
        await asyncio.sleep(0)
        await asyncio.to_thread(note)
        thread = threading.Thread(target=note)
        thread.start()
        thread.join()

    asyncio.run(main())
    return seen[:3], len(seen)


def test_an_async_generator_sees_who_steps_it(decorate: Decorate) -> object:
    @decorate
    async def items() -> Any:
        while True:
            yield USER.get()

    async def steps(made: Any, name: str) -> Any:
        USER.set(name)
        return await anext(made)

    async def main() -> Any:
        made = items()
        seen = [await asyncio.create_task(steps(made, "one")), await asyncio.create_task(steps(made, "two"))]
        await made.aclose()
        return seen

    return asyncio.run(main())
