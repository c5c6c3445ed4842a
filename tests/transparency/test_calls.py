"""A call binds its arguments, and refuses the wrong ones, as the bare function does, from Python and from C."""

import bisect
import functools
import itertools
import operator
import re
import threading
from collections import defaultdict
from typing import Any

import pytest

from transparency.kinds import KINDS, Decorate, finished
from transparency.observation import outcome

CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "nothing": ((), {}),
    "one": ((1,), {}),
    "all": ((1, 2, 3, 4), {"key": False, "more": 5}),
    "positional_only_by_name": ((1,), {"first": 2, "second": 3}),
    "only_names": ((), {"first": 1}),
    "self_by_name": ((1,), {"self": 2, "function": 3, "args": 4, "kwargs": 5}),
    "empty_name": ((1,), {"": 2, "not an identifier": 3}),
    "number_as_name": ((1,), {3: 4}),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("raw", KINDS.values(), ids=KINDS)
def test_arguments_are_bound_or_refused(call: str, raw: Any, decorate: Decorate) -> object:
    subject = decorate(raw())
    args, kwargs = CALLS[call]
    return outcome(lambda: finished(subject(*args, **kwargs)))


def test_wrong_arguments_are_refused_with_the_same_words(decorate: Decorate) -> object:
    @decorate
    def subject(first: int, second: int, /, third: int, *, key: int, other: int = 1) -> None: ...

    calls: list[tuple[tuple[int, ...], dict[str, int]]] = [
        ((), {}),
        ((1, 2), {"key": 1}),
        ((1, 2, 3), {}),
        ((1, 2, 3, 4), {"key": 1}),
        ((1, 2, 3), {"key": 1, "third": 2}),
        ((1, 2, 3), {"key": 1, "thrid": 2}),
        ((), {"first": 1, "second": 2, "third": 3, "key": 1}),
    ]
    return [outcome(subject, *args, **kwargs) for args, kwargs in calls]


def test_a_name_given_twice_is_refused(decorate: Decorate) -> object:
    @decorate
    def subject(**named: int) -> None: ...

    twice = {"one": 2}
    number: Any = 3

    return (
        outcome(lambda: subject(one=1, **twice)),
        outcome(lambda: subject(*number)),
        outcome(lambda: subject(**number)),
    )


def test_named_arguments_keep_their_order_and_are_its_own(decorate: Decorate) -> object:
    @decorate
    def subject(*args: Any, **kwargs: Any) -> Any:
        kwargs["added"] = 1
        return args, kwargs

    given = {"b": 1, "a": 2, "c": 3}
    items = (1, 2)
    result = subject(*items, **given)
    return list(result[1]), given, result[0] == items


def test_many_arguments_pass(decorate: Decorate) -> object:
    @decorate
    def subject(*args: Any, **kwargs: Any) -> Any:
        return sum(args), sum(kwargs.values()), len(kwargs)

    return subject(*range(1000), **{f"k{number}": number for number in range(1000)})


def test_arguments_and_results_are_the_same_objects(decorate: Decorate) -> object:
    subject = decorate(lambda *args, **kwargs: (*args, *kwargs.values()))
    given = [object(), [], "text", 10**20]
    return [got is had for got, had in zip(subject(*given[:2], a=given[2], b=given[3]), given, strict=True)]


@pytest.mark.parametrize("raw", KINDS.values(), ids=KINDS)
def test_it_runs_when_the_bare_one_runs(raw: Any, decorate: Decorate) -> object:
    events: list[str] = []

    @decorate
    def plain() -> None:
        events.append("plain")

    @decorate
    def generator() -> Any:
        events.append("generator")
        yield

    @decorate
    async def coroutine() -> None:
        events.append("coroutine")

    for subject in (plain, generator, coroutine):
        made = subject()
        events.append("called")
        finished(made)
    return events, finished(decorate(raw())(1)) is None


C_CALLERS: dict[str, Any] = {
    "sorted": lambda f: sorted([3, 1, 2], key=f),
    "list_sort": lambda f: sorted([3, 1, 2], key=functools.cmp_to_key(lambda a, b: f(a) - f(b))),
    "max": lambda f: max([1, 2, 3], key=f),
    "map": lambda f: list(map(f, [1, 2])),
    "filter": lambda f: list(filter(f, [-1, 1, 2])),
    "reduce": lambda f: functools.reduce(lambda a, b: f(a + b), [1, 2, 3]),
    "groupby": lambda f: [key for key, _ in itertools.groupby([1, 1, 2], f)],
    "starmap": lambda f: list(itertools.starmap(f, [(1,), (2,)])),
    "accumulate": lambda f: list(itertools.accumulate([1, 2], lambda a, b: f(a) + f(b))),
    "bisect": lambda f: bisect.bisect([-3, -2, -1], -2, key=f),
    "iter_until": lambda f: list(iter(functools.partial(f, -1), 1)),
    "substitute": lambda f: re.sub("a", lambda found: str(f(len(found[0]))), "banana"),
    "default": lambda f: defaultdict[str, Any](functools.partial(f, 1))["missing"],
    "operator_call": lambda f: operator.call(f, 1) if hasattr(operator, "call") else f(1),
    "dict_from_keys": lambda f: dict.fromkeys(map(f, [1])),
}


@pytest.mark.parametrize("caller", C_CALLERS)
def test_c_code_calls_it(caller: str, decorate: Decorate) -> object:
    return C_CALLERS[caller](decorate(lambda value: -value))


@pytest.mark.parametrize("caller", C_CALLERS)
def test_its_exception_passes_through_c_code(caller: str, decorate: Decorate) -> object:
    def failing(value: int) -> int:
        raise LookupError(value)

    return outcome(C_CALLERS[caller], decorate(failing))


def test_a_thread_runs_it(decorate: Decorate) -> object:
    seen: list[Any] = []
    thread = threading.Thread(target=decorate(lambda *args: seen.append((args, threading.current_thread().name))))
    thread.name = "other"
    thread.start()
    thread.join()
    return seen


def test_a_thread_s_exception_is_told(decorate: Decorate) -> object:
    seen: list[Any] = []
    before, threading.excepthook = (
        threading.excepthook,
        lambda args: seen.append(
            (args.exc_type, str(args.exc_value), args.exc_traceback and args.exc_traceback.tb_next is not None)
        ),
    )
    try:
        thread = threading.Thread(target=decorate(lambda: 1 / 0))
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
    return seen


def test_recursion_through_it(decorate: Decorate) -> object:
    @decorate
    def even(number: int) -> bool:
        return number == 0 or odd(number - 1)

    @decorate
    def odd(number: int) -> bool:
        return number != 0 and bool(even(number - 1))

    @decorate
    def flat(items: Any) -> Any:
        for item in items:
            if isinstance(item, list):
                yield from flat(item)
            else:
                yield item

    return even(40), odd(40), list(flat([1, [2, [3, [4]]], 5]))
