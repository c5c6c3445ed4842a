"""calltape.CircuitBreaker: results and exceptions unchanged, refusals, one try at a time, a clock that a test moves."""

import asyncio
import gc
import pickle
import threading
import traceback
import weakref
from collections.abc import Callable

import pytest

from calltape import CircuitBreaker, CircuitBreakerOpen


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Refusing:
    """A service that fails until it is told not to."""

    def __init__(self) -> None:
        self.works = False
        self.calls = 0

    def __call__(self, *arguments: object, **named: object) -> tuple[object, ...]:
        self.calls += 1
        if not self.works:
            raise ConnectionError("no route")
        return (arguments, named)


def opened(clock: Clock, threshold: int = 3, timeout: float = 60.0) -> tuple[CircuitBreaker, Refusing]:
    """A breaker that has just opened."""
    breaker, service = CircuitBreaker(threshold, timeout, clock=clock), Refusing()
    for _ in range(threshold):
        assert not breaker.is_open
        with pytest.raises(ConnectionError):
            breaker.call(service)
    assert (breaker.state, breaker.is_open, breaker.failure_count, breaker.opens) == ("open", True, threshold, 1)
    return breaker, service


def test_a_call_returns_what_the_function_returns() -> None:
    breaker, service = CircuitBreaker(), Refusing()
    service.works = True
    result = object()
    assert breaker.call(lambda: result) is result
    assert breaker.call(service, 1, func=2, args=3) == ((1,), {"func": 2, "args": 3})
    assert (breaker.state, breaker.failure_count, breaker.opens, breaker.last_error) == ("closed", 0, 0, None)


def test_an_exception_comes_through_as_it_was_raised_with_no_frame_of_calltape() -> None:
    error = KeyError("tea")

    def fail() -> None:
        raise error

    breaker = CircuitBreaker()
    with pytest.raises(KeyError) as caught:
        breaker.call(fail)
    assert caught.value is error
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)][-1] == "fail"
    assert len(traceback.extract_tb(error.__traceback__)) == 2
    assert error.__context__ is None
    assert (breaker.failure_count, breaker.last_error) == (1, "KeyError: 'tea'")


def test_after_the_threshold_calls_are_refused_and_the_function_is_not_called() -> None:
    clock = Clock()
    breaker, service = opened(clock)
    calls = service.calls
    with pytest.raises(CircuitBreakerOpen, match=r"open: after 3 failures .* ConnectionError: no route") as refusal:
        breaker.call(service)
    assert service.calls == calls
    assert 0.0 < refusal.value.retry_after <= 0.1
    assert not isinstance(refusal.value, ConnectionError)
    copy = pickle.loads(pickle.dumps(refusal.value))
    assert (str(copy), copy.retry_after) == (str(refusal.value), refusal.value.retry_after)


def test_the_refusal_says_when_a_call_is_permitted() -> None:
    clock = Clock()
    breaker, service = opened(clock)
    service.works = True
    with pytest.raises(CircuitBreakerOpen) as refusal:
        breaker.call(service)
    clock.seconds += refusal.value.retry_after * 0.9
    with pytest.raises(CircuitBreakerOpen):
        breaker.call(service)
    clock.seconds += refusal.value.retry_after * 0.1 + 1e-6
    assert (breaker.state, breaker.is_open) == ("half-open", False)
    assert breaker.call(service, 1) == ((1,), {})
    assert (breaker.state, breaker.failure_count, breaker.opens) == ("closed", 0, 1)
    assert breaker.last_error == "ConnectionError: no route"


def test_a_try_that_fails_opens_it_again_for_up_to_twice_as_long() -> None:
    clock = Clock()
    breaker, service = opened(clock, timeout=5.0)
    longest = 0.0
    for round_ in range(200):
        clock.seconds += 5.0
        with pytest.raises(ConnectionError):
            breaker.call(service)
        with pytest.raises(CircuitBreakerOpen) as refusal:
            breaker.call(service)
        assert 0.0 < refusal.value.retry_after <= min(0.1 * 2 ** (round_ + 1), 5.0)
        longest = max(longest, refusal.value.retry_after)
    assert longest > 4.0
    assert breaker.opens == 1


def test_one_call_is_tried_at_a_time() -> None:
    clock = Clock()
    breaker, service = opened(clock)
    clock.seconds += 1.0
    trying, go_on = threading.Event(), threading.Event()
    results: list[object] = []

    def slow() -> str:
        trying.set()
        assert go_on.wait(20)
        return "works"

    thread = threading.Thread(target=lambda: results.append(breaker.call(slow)))
    thread.start()
    assert trying.wait(20)
    assert (breaker.state, breaker.is_open) == ("half-open", True)
    with pytest.raises(CircuitBreakerOpen, match="half-open: another call is trying"):
        breaker.call(service)
    go_on.set()
    thread.join(20)
    assert results == ["works"]
    assert breaker.state == "closed"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit])
def test_what_ends_a_program_or_a_task_counts_neither_way(kind: type[BaseException]) -> None:
    def end() -> None:
        raise kind

    clock = Clock()
    breaker = CircuitBreaker(1, clock=clock)
    with pytest.raises(kind):
        breaker.call(end)
    assert (breaker.state, breaker.failure_count) == ("closed", 0)
    breaker, service = opened(clock)
    clock.seconds += 1.0
    with pytest.raises(kind):
        breaker.call(end)
    assert (breaker.state, breaker.is_open) == ("half-open", False), "the next call may try"
    service.works = True
    breaker.call(service)
    assert breaker.state == "closed"


def test_a_success_that_began_before_it_opened_does_not_close_it() -> None:
    clock = Clock()
    breaker = CircuitBreaker(1, clock=clock)

    def succeeds_in_the_end() -> int:
        with pytest.raises(ConnectionError):
            breaker.call(Refusing())
        return 1

    assert breaker.call(succeeds_in_the_end) == 1
    assert breaker.state == "open"


def test_a_coroutine_function_is_awaited() -> None:
    clock = Clock()

    async def place(order: int, *, fails: bool = False) -> int:
        await asyncio.sleep(0)
        if fails:
            raise ConnectionError("no route")
        return order

    async def program() -> None:
        breaker = CircuitBreaker(2, clock=clock)
        assert await breaker.call_async(place, 7) == 7
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await breaker.call_async(place, 7, fails=True)
        with pytest.raises(CircuitBreakerOpen):
            await breaker.call_async(place, 7)
        clock.seconds += 1.0
        task = asyncio.create_task(breaker.call_async(asyncio.sleep, 60))
        await asyncio.sleep(0)
        assert breaker.is_open
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await breaker.call_async(place, 8) == 8
        assert breaker.state == "closed"

    asyncio.run(program())


def test_many_threads_make_as_many_tries_as_are_permitted() -> None:
    clock = Clock()
    breaker, service = opened(clock)
    refused = [0] * 8

    def ask(place: int) -> None:
        for _ in range(2_000):
            try:
                breaker.call(service)
            except CircuitBreakerOpen:
                refused[place] += 1
            except ConnectionError:
                pass

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(8)]
    calls = service.calls
    clock.seconds += 1.0
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert service.calls == calls + 1, "one try, and then the clock stands still"
    assert sum(refused) == 16_000 - 1


def test_an_exception_whose_text_cannot_be_had_is_counted_by_its_type() -> None:
    class HostileError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    def fail() -> None:
        raise HostileError

    breaker = CircuitBreaker()
    with pytest.raises(HostileError):
        breaker.call(fail)
    assert breaker.last_error == "HostileError"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CircuitBreaker(0), "failure_threshold must be a whole number from 1, not 0"),
        (lambda: CircuitBreaker(True), "failure_threshold must be a whole number from 1, not True"),
        (lambda: CircuitBreaker(2.5), "failure_threshold must be a whole number from 1, not 2.5"),  # type: ignore[arg-type]
        (lambda: CircuitBreaker(timeout=0), "timeout must be a number of seconds above 0, not 0"),
        (lambda: CircuitBreaker(timeout=float("nan")), "timeout must be a number of seconds above 0, not nan"),
        (lambda: CircuitBreaker(timeout=float("inf")), "timeout must be a number of seconds above 0, not inf"),
        (lambda: CircuitBreaker(clock=3), "clock must be a function that returns seconds, not 3"),  # type: ignore[arg-type]
    ],
)
def test_an_argument_that_cannot_be_used_is_named(make: Callable[[], CircuitBreaker], words: str) -> None:
    with pytest.raises(ValueError, match=r"^CircuitBreaker: ") as refusal:
        make()
    assert str(refusal.value) == f"CircuitBreaker: {words}"


def test_what_cannot_be_called_is_no_failure() -> None:
    breaker = CircuitBreaker()
    with pytest.raises(TypeError, match=r"CircuitBreaker.call: func must be callable, not int"):
        breaker.call(3)  # type: ignore[arg-type]
    assert breaker.failure_count == 0


def test_a_breaker_that_its_clock_holds_is_collected() -> None:
    class Holder:
        breaker: CircuitBreaker | None = None

        def __call__(self) -> float:
            return 0.0

    holder = Holder()
    holder.breaker = CircuitBreaker(clock=holder)
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None
