"""Errors and slow calls are on the tape whatever the sample rate, and say when their arguments were taken."""

import json
from typing import Any

from conftest import RunProgram, Tape

LATE = "(taken at end)"


def arguments(call: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(call["args"])
    return loaded


def assert_the_books_balance(tape: Tape) -> None:
    for book in tape.accounting().values():
        assert book["calls"] == book["stored"] + book["sampled_out"], book
        assert (book["dropped"], book["in_flight"], book["unknown"]) == (0, 0, 0), book


def test_an_error_of_a_function_that_is_left_out_is_kept_with_its_arguments(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor
def main():
    for n in range(10):
        try: work(n, [n], word="w")
        except ValueError: pass
@monitor(sample_rate=0)
def work(n, items, /, *more, word, password="secret", extra=1):
    items.append("changed")
    if n % 5 == 0: raise ValueError(f"bad {n}")
main()
"""
    tape = run_program(program).tape
    [main], failed = tape.calls("main"), tape.calls("work")
    assert [arguments(call)["n"] for call in failed] == [0, 5]
    expected = {"n": 5, "items": [5, "changed"], "word": "w", "password": "***", "extra": 1}
    assert arguments(failed[1]) == {**expected, "(defaults)": ["password", "extra"], LATE: True}
    for call in failed:
        assert (call["status"], call["weight"], call["error_type"]) == ("error", 1.0, "ValueError")
        assert (call["parent_id"], call["root_id"]) == (main["id"], main["id"])
        assert main["started_ns"] <= call["started_ns"]
        assert call["duration_ns"] > 0
        assert json.loads(call["traceback"])[0]["frames"]
    assert_the_books_balance(tape)


def test_an_error_that_passes_through_several_left_out_calls_is_kept_of_each(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor(sample_rate=0)
def outer(n): inner(n)
@monitor
def inner(n): [].pop()
try: outer(1)
except IndexError: pass
"""
    outer, inner = sorted(run_program(program).tape.calls(), key=lambda call: str(call["function"]), reverse=True)
    assert (outer["status"], inner["status"]) == ("error", "error")
    assert (outer["parent_id"], inner["parent_id"]) == (None, None)
    assert (outer["root_id"], inner["root_id"]) == (outer["id"], inner["id"])


def test_errors_of_every_kind_of_function_are_kept(run_program: RunProgram) -> None:
    program = """
import asyncio, functools
from concurrent.futures import ThreadPoolExecutor
import calltape
from calltape import monitor, span
left_out = monitor(sample_rate=0)

@left_out
def plain(a): raise ValueError
@left_out
async def coroutine(a):
    await asyncio.sleep(0)
    raise ValueError
@left_out
def generator(a):
    yield 1
    raise ValueError
@left_out
async def async_generator(a):
    yield 1
    raise ValueError
class Shop:
    @left_out
    def method(self, a): raise ValueError
    @left_out
    @staticmethod
    def static(a): raise ValueError
    @left_out
    @classmethod
    def of_class(cls, a): raise ValueError
    @property
    @left_out
    def value(self): raise ValueError
class Callable:
    def __call__(self, a): raise ValueError
def bare(b, a): raise ValueError
callable_object = monitor(Callable(), sample_rate=0, name="x.callable_object")
partial = monitor(functools.partial(bare, 7), sample_rate=0, name="x.partial")
builtin = monitor(len, sample_rate=0, name="x.builtin")

def fails(call):
    try: call()
    except (ValueError, TypeError): return
    raise AssertionError(call)

fails(lambda: plain(1)); fails(lambda: asyncio.run(coroutine(1))); fails(lambda: list(generator(1)))
async def iterate():
    async for _ in async_generator(1): pass
fails(lambda: asyncio.run(iterate()))
shop = Shop()
fails(lambda: shop.method(1)); fails(lambda: shop.static(1)); fails(lambda: shop.of_class(1)); fails(lambda: shop.value)
fails(lambda: callable_object(1)); fails(lambda: partial(1)); fails(lambda: builtin(1))

@left_out
def with_a_span():
    with span("block", a=1): raise ValueError
fails(with_a_span)
@left_out
def in_a_pool():
    with ThreadPoolExecutor(1) as pool: pool.submit(undecided, 1).result()
@monitor
def undecided(a): raise ValueError
fails(in_a_pool)
@left_out
async def with_a_task(a): await asyncio.create_task(task(a))
@monitor
async def task(a): raise ValueError
fails(lambda: asyncio.run(with_a_task(1)))
"""
    tape = run_program(program).tape
    calls = {call["function"].rpartition(".")[2]: call for call in tape.calls()}
    whole: dict[str, Any] = {"a": 1, LATE: True}
    assert {name: arguments(call) for name, call in calls.items()} == {
        "plain": whole,
        "coroutine": whole,
        "generator": whole,
        "async_generator": whole,
        "method": whole,
        "static": whole,
        "of_class": whole,
        "value": {LATE: True},
        "callable_object": whole,
        "partial": {"b": 7, **whole},
        "builtin": {"obj": 1, LATE: True},
        "with_a_span": {LATE: True},
        "block": whole,
        "in_a_pool": {LATE: True},
        "undecided": whole,
        "with_a_task": whole,
        "task": whole,
    }
    assert {(call["status"], call["weight"]) for call in calls.values()} == {("error", 1.0)}
    assert (calls["generator"]["yields"], calls["coroutine"]["yields"]) == (1, None)
    assert calls["coroutine"]["task"].startswith("Task-")
    assert calls["coroutine"]["active_ns"] > 0
    assert_the_books_balance(tape)


def test_arguments_of_a_body_are_what_its_frame_holds_at_the_error(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor(sample_rate=0, capture={"args": {"hidden": False}})
def generator(given, hidden, token, deleted, *rest, captured, **others):
    yield lambda: captured
    given = "rebound"
    del deleted
    raise ValueError
body = generator("first", "no", "secret", 3, 4, 5, captured=6, word="w", pin=1)
next(body)
try: next(body)
except ValueError: pass
"""
    [call] = run_program(program).tape.calls()
    whole = {"given": "rebound", "token": "***", "rest": [4, 5], "captured": 6}
    kept = arguments(call)
    assert {key: kept[key] for key in whole} == whole
    assert kept[LATE] is True
    assert "hidden" not in kept
    assert "deleted" not in kept


def test_an_error_thrown_into_a_body_that_has_no_frame_of_its_own_in_it_has_no_arguments(
    run_program: RunProgram,
) -> None:
    program = """
from calltape import monitor
class Throws:
    def __iter__(self): return self
    def __next__(self): return 1
@monitor(sample_rate=0)
def generator(a): yield a
body = generator(1)
try: body.throw(ValueError("before it began"))
except ValueError: pass
"""
    [call] = run_program(program).tape.calls()
    assert (call["status"], call["error_type"]) == ("error", "ValueError")
    assert call["args"] is None or arguments(call) == {"a": 1, LATE: True}


def test_cancelled_and_closed_bodies_are_no_errors(run_program: RunProgram) -> None:
    program = """
import asyncio
from calltape import monitor
@monitor(sample_rate=0)
async def waits(): await asyncio.sleep(60)
@monitor(sample_rate=0)
def generator(): yield 1
@monitor(sample_rate=0)
async def never(): pass
async def main():
    task = asyncio.create_task(waits())
    await asyncio.sleep(0); task.cancel()
    try: await task
    except asyncio.CancelledError: pass
asyncio.run(main())
body = generator(); next(body); body.close()
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    never()
"""
    tape = run_program(program).tape
    assert tape.calls() == []
    assert {name: book["sampled_out"] for name, book in tape.accounting().items()} == dict.fromkeys(
        ("waits", "generator", "never"), 1
    )


def test_calls_that_are_slow_are_kept_with_what_they_return(run_program: RunProgram) -> None:
    program = """
import asyncio, time
from calltape import monitor
slow = monitor(sample_rate=0, keep_slower_than="20ms")
@slow
def plain(s): time.sleep(s); return s
@slow
async def coroutine(s): await asyncio.sleep(s); return s
@slow
def generator(s): yield 1; time.sleep(s); yield 2
for s in (0.0, 0.03):
    plain(s); asyncio.run(coroutine(s)); list(generator(s))
"""
    tape = run_program(program).tape
    assert_the_books_balance(tape)
    for name, result in (("plain", "0.03"), ("coroutine", "0.03"), ("generator", "null")):
        kept = [call for call in tape.calls(name) if call["duration_ns"] >= 20_000_000]
        assert [(call["status"], call["weight"], call["result"]) for call in kept][-1] == ("ok", 1.0, result)
        assert len(tape.calls(name)) == len(kept)
        assert tape.accounting()[name]["calls"] == 2
    [plain] = [call for call in tape.calls("plain") if "0.03" in call["args"]]
    assert arguments(plain) == {"s": 0.03, LATE: True}


def test_a_kept_call_that_is_slow_stands_for_itself_alone(run_program: RunProgram) -> None:
    program = """
import time
from calltape import monitor
@monitor(sample_rate=0.5, keep_slower_than=0.001)
def work(): time.sleep(0.002)
for _ in range(100): work()
"""
    calls = run_program(program).tape.calls()
    assert (len(calls), {call["weight"] for call in calls}) == (100, {1.0})
