"""Copies and pickles of a decorated function, of what holds it and of what it makes are those of the bare one."""

import copy
import multiprocessing
import pickle
from typing import Any

import pytest

from transparency.kinds import Decorate, async_generator, coroutine, function, generator
from transparency.observation import each, outcome

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def of_module(value: int) -> int:
    return value + 1


async def coroutine_of_module(value: int) -> int:
    return value + 1


class Holder:
    def method(self, value: int) -> int:
        return value + 2

    @staticmethod
    def static(value: int) -> int:
        return value + 3

    @classmethod
    def of_class(cls, value: int) -> int:
        return value + 4


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts decorated functions where a pickle looks for them."""

    def put(decorate: Decorate) -> None:
        for name in ("of_module", "coroutine_of_module"):
            monkeypatch.setitem(globals(), name, decorate(globals()[name]))
        for name in ("method", "static", "of_class"):
            monkeypatch.setattr(Holder, name, decorate(vars(Holder)[name]))

    return put


def test_a_copy_of_a_function_is_the_function(decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        held = {"key": [subject]}
        copies = copy.copy(subject), copy.deepcopy(subject)
        return [made == subject for made in copies], copy.deepcopy(held) == held

    return each(seen, decorate)


def test_it_is_pickled_by_name(named: Any, decorate: Decorate) -> object:
    named(decorate)
    functions = [of_module, coroutine_of_module, Holder.method, Holder.static, Holder.of_class]
    return [[pickle.loads(pickle.dumps(it, level)) == it for it in functions] for level in PROTOCOLS]


def test_the_pickles_are_the_same_bytes(named: Any, decorate: Decorate) -> object:
    named(decorate)
    functions = [of_module, coroutine_of_module, Holder.method, Holder.static, Holder.of_class]
    return [[pickle.dumps(it, level) for it in functions] for level in PROTOCOLS]


def test_a_bound_method_is_pickled(named: Any, decorate: Decorate) -> object:
    named(decorate)
    return [pickle.loads(pickle.dumps(Holder().method, level))(1) for level in PROTOCOLS]


def test_a_local_function_is_not_pickled(decorate: Decorate) -> object:
    return each(pickle.dumps, decorate)


@pytest.mark.parametrize("raw", [coroutine, generator, async_generator])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_is_suspended_is_not_copied(raw: Any, duplicate: Any, decorate: Decorate) -> object:
    made = decorate(raw())(1)
    how, seen = outcome(duplicate, made)
    getattr(made, "close", lambda: None)()
    return how, seen[:2]


def test_cloudpickle_carries_a_function_by_value(decorate: Decorate) -> object:
    cloudpickle = pytest.importorskip("cloudpickle")
    offset = 5

    @decorate
    def local(value: int, *, scale: int = 2) -> int:
        """Say what it does."""
        return value * scale + offset

    local.mark = "kept"
    clone = pickle.loads(cloudpickle.dumps(local))
    anonymous = pickle.loads(cloudpickle.dumps(decorate(lambda value: value + offset)))
    return clone(2), clone(2, scale=3), clone.__name__, clone.__doc__, clone.mark, clone is local, anonymous(1)


@pytest.mark.parametrize("raw", [function, coroutine, generator, async_generator])
def test_cloudpickle_carries_every_kind(raw: Any, decorate: Decorate) -> object:
    from transparency.kinds import finished

    cloudpickle = pytest.importorskip("cloudpickle")
    return finished(pickle.loads(cloudpickle.dumps(decorate(raw())))(1))


def test_cloudpickle_carries_a_class_with_it(decorate: Decorate) -> object:
    cloudpickle = pytest.importorskip("cloudpickle")

    class Local:
        @decorate
        def method(self) -> int:
            return 1

        @property
        @decorate
        def value(self) -> int:
            return 2

    clone = pickle.loads(cloudpickle.dumps(Local))()
    return clone.method(), clone.value


def test_a_spawned_process_takes_it_as_its_target(named: Any, decorate: Decorate) -> object:
    named(decorate)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(of_module, [1, 2]), pool.apply(Holder().method, (1,))
