"""What is calltape's own about transparency: how `monitor` treats callables that are no functions, and what it keeps.

That a decorated function looks and acts as the bare one is checked in `tests/transparency`.
"""

import copy
import functools
import gc
import pickle
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from calltape import monitor


def test_attributes_are_those_of_the_function_set_on_either() -> None:
    def target() -> int:
        return 1

    wrapped = monitor(target)
    wrapped.extra = 5  # type: ignore[attr-defined]
    assert wrapped.extra == 5  # type: ignore[attr-defined]
    assert target.extra == 5  # type: ignore[attr-defined]
    wrapped.__name__ = "renamed"
    wrapped.__doc__ = "new"
    assert (target.__name__, target.__doc__) == ("renamed", "new")
    del wrapped.extra  # type: ignore[attr-defined]
    assert not hasattr(wrapped, "extra")
    target.later = 6  # type: ignore[attr-defined]
    assert wrapped.later == 6  # type: ignore[attr-defined]
    del wrapped.later  # type: ignore[attr-defined]
    assert not hasattr(wrapped, "later")


def test_making_and_dropping_many_leaves_nothing_behind() -> None:
    def cycle() -> None:
        for _ in range(1000):
            monitor(lambda: None)

    cycle()
    gc.collect()
    before = len(gc.get_objects())
    cycle()
    gc.collect()
    assert len(gc.get_objects()) - before < 50


class Ruled:
    """A callable that binds by a rule of its own."""

    def __call__(self, value: int) -> int:
        return value

    def __get__(self, instance: object, owner: type | None = None) -> Callable[[int], int]:
        return lambda value: value + 100


def test_callables_bind_by_their_own_rule_and_builtins_not_at_all() -> None:
    class Holder:
        largest = monitor(max)
        ruled = monitor(Ruled())
        cached = monitor(functools.lru_cache(lambda _, value: value + 1))

    holder: Any = Holder()
    assert holder.largest(1, 2) == 2
    assert holder.ruled(1) == 101
    assert holder.cached(1) == 2


def test_a_proxy_of_a_function_is_decorated_as_the_callable_it_is() -> None:
    def call(_: object, value: int) -> int:
        return value * 2

    # Made by type(): its class answers as a function's, which no annotation allows.
    proxy = type("Proxy", (), {"__class__": property(lambda _: types.FunctionType), "__call__": call})()
    assert isinstance(proxy, types.FunctionType)
    assert monitor(proxy)(4) == 8


def test_a_monitored_callable_is_pickled_and_copied_with_what_it_wraps() -> None:
    wrapped = monitor(functools.partial(divmod, 9))
    for clone in (pickle.loads(pickle.dumps(wrapped)), copy.copy(wrapped), copy.deepcopy(wrapped)):
        assert clone(4) == (2, 1)
        assert type(clone) is type(wrapped)


SUITE = Path(__file__).with_name("transparency")


@pytest.mark.parametrize(
    ("decorator", "returncode"),
    [("transparency.peers:bare", 0), ("transparency.peers:wraps_by_kind", 1)],
    ids=["bare", "wraps"],
)
def test_the_suite_sees_nothing_in_no_decorator_and_much_in_an_ordinary_one(decorator: str, returncode: int) -> None:
    files = [SUITE / f"test_{name}.py" for name in ("attributes", "generator_steps", "errors")]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *map(str, files),
        "--decorator",
        decorator,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == returncode, done.stdout + done.stderr
    table = done.stdout.partition(f"transparency of {decorator}")[2].splitlines()[1:6]
    different = {row.rpartition(" ")[0].split("  ")[0]: int(row.split()[-1]) for row in table[1:]}
    assert list(different) == ["attributes", "errors", "generator steps", "all"]
    assert all(bool(count) == bool(returncode) for count in different.values()), done.stdout
