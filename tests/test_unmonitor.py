"""`unmonitor` gives back what `monitor` was given, in every form; what is not monitored comes back as it is."""

import functools
import types
from collections.abc import Callable
from typing import Any

import pytest
from conftest import RunProgram

from calltape import monitor, unmonitor


def function(value: int = 0) -> int:
    return value


class Called:
    def __call__(self, value: int = 0) -> int:
        return value

    def method(self, value: int = 0) -> int:
        return value


CALLABLES: dict[str, Any] = {
    "function": function,
    "lambda": lambda value=0: value,
    "builtin": len,
    "partial": functools.partial(function, 1),
    "bound method": Called().method,
    "callable object": Called(),
    "cache": functools.lru_cache(function),
    "wraps stack": functools.wraps(function)(lambda *args: function(*args)),
    "single dispatch": functools.singledispatch(function),
}


@pytest.mark.parametrize("name", CALLABLES)
def test_a_callable_comes_back_as_the_object_it_was(name: str) -> None:
    bare = CALLABLES[name]
    recorded = monitor(bare)
    assert recorded is not bare
    assert recorded.__wrapped__ is bare
    assert unmonitor(recorded) is bare
    assert unmonitor(bare) is bare
    assert monitor(recorded) is recorded


DESCRIPTORS: dict[str, Callable[[Any], Any]] = {
    "staticmethod": staticmethod,
    "classmethod": classmethod,
    "property": lambda bare: property(bare, bare, None, "Says so."),
    "cached_property": functools.cached_property,
    "partialmethod": lambda bare: functools.partialmethod(bare, 1, key=2),
    "partialmethod of a staticmethod": lambda bare: functools.partialmethod(staticmethod(bare), 1),
    "singledispatchmethod": functools.singledispatchmethod,
}

PARTS = ("__func__", "fget", "fset", "fdel", "func", "args", "keywords", "__doc__", "__isabstractmethod__")


def looks(descriptor: Any) -> list[Any]:
    seen = [type(descriptor), *(getattr(descriptor, part, None) for part in PARTS)]
    dispatcher = getattr(descriptor, "dispatcher", None)
    return [looks(part) if isinstance(part, staticmethod) else part for part in seen] + (
        [dict(dispatcher.registry), type(dispatcher.register)] if dispatcher else []
    )


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_descriptor_comes_back_with_its_own_functions(name: str) -> None:
    bare = DESCRIPTORS[name](function)
    before = looks(bare)
    recorded = monitor(bare)
    assert type(recorded) is type(bare)
    assert looks(recorded) != before
    assert looks(unmonitor(recorded)) == before
    assert looks(bare) == before
    assert unmonitor(bare) is bare
    assert monitor(recorded) is recorded
    below = DESCRIPTORS[name](monitor(function))
    assert looks(unmonitor(below)) == before


def test_forms_around_what_is_monitored_already_are_returned_as_they_are() -> None:
    recorded: Any = monitor(function)
    bound = types.MethodType(recorded, 3)
    around: list[Any] = [staticmethod(recorded), classmethod(recorded), property(recorded)]
    around += [functools.cached_property(recorded), functools.partialmethod(recorded), functools.partial(recorded)]
    around += [functools.partial(functools.partial(recorded)), bound, functools.partial(bound)]
    for form in around:
        assert monitor(form) is form
    given_back = unmonitor(bound)
    assert (given_back.__func__, given_back.__self__) == (function, 3)


def test_a_function_comes_back_whatever_its_wrapped_attribute_says() -> None:
    @functools.wraps(len)
    def stand_in(*args: Any) -> Any:
        return args

    recorded = monitor(stand_in)
    functools.update_wrapper(recorded, divmod)
    assert unmonitor(recorded) is stand_in


def test_an_object_whose_class_records_its_calls_is_returned_as_it_is() -> None:
    @monitor
    class Recorded:
        def __call__(self) -> int:
            return 1

    class Child(Recorded):
        pass

    for instance in (Recorded(), Child()):
        assert monitor(instance) is instance
        assert unmonitor(instance) is instance


def test_a_class_gets_its_own_methods_back() -> None:
    class Shop:
        def __init__(self, name: str) -> None:
            self.name = name

        @property
        def title(self) -> str:
            return self.name

        @staticmethod
        def plain() -> int:
            return 1

        @functools.lru_cache  # noqa: B019
        def cached(self) -> int:
            return 2

        class Nested:
            @monitor
            def method(self) -> int:
                return 3

    def parts() -> dict[str, Any]:
        return {name: getattr(value, "fget", getattr(value, "__func__", value)) for name, value in vars(Shop).items()}

    before = parts()
    assert monitor(Shop) is Shop
    assert parts() != before
    assert unmonitor(Shop) is Shop
    assert parts() == before
    assert list(vars(Shop)) == list(before)
    assert unmonitor(Shop) is Shop
    nested: Any = Shop.Nested.method
    assert nested.__wrapped__ is not nested


@pytest.mark.parametrize("other", [3, None, "text", int, types.SimpleNamespace(), object()])
def test_what_is_not_monitored_is_returned_as_it_is(other: object) -> None:
    assert unmonitor(other) is other


def test_nothing_is_recorded_after_it(run_program: RunProgram) -> None:
    program = """
import functools
from calltape import monitor, unmonitor
@monitor
class Shop:
    def method(self): return 1
    @monitor
    def __len__(self): return 2
    @monitor
    def __new__(cls): return super().__new__(cls)
    @functools.singledispatchmethod
    def show(self, value): return "any"
    @show.register
    def _(self, value: int): return "int"
shop = Shop()
bound = shop.method
assert (shop.method(), len(shop), shop.show(1), bound()) == (1, 2, "int", 1)
unmonitor(Shop)
def late(self, value): return "str"
vars(Shop)["show"].register(str, late)
assert (Shop().method(), len(shop), shop.show(1), shop.show(""), unmonitor(bound)()) == (1, 2, "int", "str", 1)
assert type(vars(Shop)["__new__"]) is staticmethod
"""
    calls = [call["function"].rpartition(".")[2] for call in run_program(program).tape.calls()]
    assert calls == ["__new__", "method", "__len__", "_", "method"]
