"""Methods of every kind, bound, inherited, renamed and called through `super`, are those of the bare function."""

import inspect
import types
from typing import Any

from transparency.kinds import Decorate, finished
from transparency.observation import outcome, plain


def family(decorate: Decorate) -> tuple[Any, Any]:
    class Parent:
        label = "parent"

        @decorate
        def method(self, value: int = 1) -> Any:
            return "parent", self.label, value

        @decorate
        async def coroutine(self) -> Any:
            return "parent", self.label

        @decorate
        def generator(self) -> Any:
            yield "parent"
            yield self.label

        @decorate
        async def async_generator(self) -> Any:
            yield "parent"
            yield self.label

        @staticmethod
        @decorate
        def in_static(value: int = 1) -> Any:
            return "static", value

        @decorate
        @staticmethod
        def on_static(value: int = 1) -> Any:
            return "static", value

        @classmethod
        @decorate
        def in_class(cls, value: int = 1) -> Any:
            return "class", cls.label, value

        @decorate
        @classmethod
        def on_class(cls, value: int = 1) -> Any:
            return "class", cls.label, value

        @decorate
        def __private(self) -> Any:
            return "private"

        def calls_private(self) -> Any:
            return self.__private()

        alias = method

    class Child(Parent):
        label = "child"

        @decorate
        def method(self, value: int = 1) -> Any:
            return "child", super().method(value), __class__.__name__  # type: ignore[name-defined]

        @decorate
        async def coroutine(self) -> Any:
            return "child", await super().coroutine()

        @decorate
        def generator(self) -> Any:
            yield "child"
            yield from super().generator()

        @decorate
        async def async_generator(self) -> Any:
            yield "child"
            async for item in super().async_generator():
                yield item

        @decorate
        @classmethod
        def on_class(cls, value: int = 1) -> Any:
            return "child", super().on_class(value)

    return Parent, Child


NAMES = (
    "method",
    "coroutine",
    "generator",
    "async_generator",
    "in_static",
    "on_static",
    "in_class",
    "on_class",
    "alias",
    "calls_private",
)


def test_methods_are_called_on_instances(decorate: Decorate) -> object:
    return [[finished(getattr(kind(), name)()) for name in NAMES] for kind in family(decorate)]


def test_methods_are_called_on_classes(decorate: Decorate) -> object:
    return [[plain(outcome(getattr(kind, name))) for name in NAMES if "gen" not in name] for kind in family(decorate)]


def test_methods_look_the_same(decorate: Decorate) -> object:
    def look(attribute: Any) -> Any:
        return (
            plain(attribute),
            attribute.__name__,
            attribute.__qualname__,
            attribute.__doc__,
            inspect.ismethod(attribute),
            inspect.isfunction(attribute),
            inspect.iscoroutinefunction(attribute),
            inspect.isgeneratorfunction(attribute),
            inspect.isasyncgenfunction(attribute),
            type(attribute).__name__ == "method",
            str(inspect.signature(attribute)),
            attribute.__code__.co_firstlineno if hasattr(attribute, "__code__") else None,
        )

    return [[(look(getattr(kind, name)), look(getattr(kind(), name))) for name in NAMES] for kind in family(decorate)]


def test_what_a_class_holds_is_what_was_put_there(decorate: Decorate) -> object:
    parent, _ = family(decorate)
    held = vars(parent)
    return [isinstance(held[name], (types.FunctionType, staticmethod, classmethod)) for name in NAMES], sorted(held)


def test_a_method_s_function_and_self(decorate: Decorate) -> object:
    parent, child = family(decorate)
    one = child()
    return (
        one.method.__self__ is one,
        one.method.__func__ is child.method,
        child.on_class.__self__ is child,
        one.in_static is child.in_static,
        child.in_static is parent.in_static,
        parent.alias is parent.method,
        one.alias.__name__,
    )


def test_a_method_is_called_with_wrong_arguments(decorate: Decorate) -> object:
    _, child = family(decorate)
    return [outcome(getattr(child(), name), 1, 2, 3) for name in NAMES if name not in ("alias", "calls_private")]


def test_a_function_is_bound_to_an_instance_by_hand(decorate: Decorate) -> object:
    class Empty:
        pass

    subject = decorate(lambda self, value: (type(self).__name__, value))
    one: Any = Empty()
    one.method = types.MethodType(subject, one)
    one.function = subject
    Empty.later = subject  # type: ignore[attr-defined]
    return one.method(1), one.function(one, 2), one.later(3), Empty.later(one, 4)  # type: ignore[attr-defined]


def test_a_bound_method_is_decorated(decorate: Decorate) -> object:
    class Holder:
        def method(self, value: int) -> Any:
            """Bound."""
            return value

    holder = Holder()
    subject = decorate(holder.method)
    Holder.later = subject  # type: ignore[attr-defined]
    return (
        subject(1),
        subject.__name__,
        subject.__doc__,
        subject.__self__ is holder,
        str(inspect.signature(subject)),
        holder.later(2),  # type: ignore[attr-defined]
    )
