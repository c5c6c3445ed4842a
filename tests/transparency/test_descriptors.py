"""Properties, cached properties, descriptors of one's own and slots work around a decorated function either way."""

import functools
import inspect
from typing import Any

from transparency.kinds import Decorate, finished
from transparency.observation import outcome, plain


def test_a_property_s_functions(decorate: Decorate) -> object:
    class Holder:
        stored = 1

        @property
        @decorate
        def value(self) -> int:
            """The value."""
            return self.stored

        @value.setter
        @decorate
        def value(self, new: int) -> None:
            self.stored = new

        @value.deleter
        @decorate
        def value(self) -> None:
            self.stored = 0

    holder = Holder()
    seen: list[Any] = [holder.value]
    holder.value = 5
    seen.append(holder.value)
    del holder.value
    seen.append(holder.value)
    described: Any = vars(Holder)["value"]
    return seen, described.__doc__, described.fget.__name__, inspect.isdatadescriptor(described), plain(described.fget)


def test_a_read_only_property_refuses(decorate: Decorate) -> object:
    class Holder:
        @property
        @decorate
        def value(self) -> int:
            return 1

    return outcome(setattr, Holder(), "value", 2), outcome(delattr, Holder(), "value")


def test_decorating_a_property_itself(decorate: Decorate) -> object:
    def value(self: Any) -> int:
        """The value."""
        return 3

    made = outcome(lambda: type("Holder", (), {"value": decorate(property(value))})().value)
    return made if made[0] == "gave" else made[1][0]


def test_an_error_in_a_property(decorate: Decorate) -> object:
    class Holder:
        @property
        @decorate
        def value(self) -> int:
            raise AttributeError("inner")

        @property
        @decorate
        def other(self) -> int:
            raise LookupError("other")

        def __getattr__(self, name: str) -> Any:
            return "fallback", name

    return outcome(lambda: Holder().value), outcome(lambda: Holder().other)


def test_a_cached_property_of_it(decorate: Decorate) -> object:
    calls: list[int] = []

    class Holder:
        @functools.cached_property
        @decorate
        def value(self) -> int:
            """The value."""
            calls.append(1)
            return 4

    holder = Holder()
    seen = [holder.value, holder.value, vars(holder), len(calls)]
    del holder.value
    described: Any = vars(Holder)["value"]
    return seen, holder.value, len(calls), described.__doc__, described.attrname, described.func.__name__


def test_slots_and_it(decorate: Decorate) -> object:
    class Slotted:
        __slots__ = ("__weakref__", "callback", "stored")

        @decorate
        def __init__(self) -> None:
            self.stored = 1
            self.callback = decorate(lambda value: value + 1)

        @decorate
        def method(self) -> int:
            return self.stored

        @property
        @decorate
        def value(self) -> int:
            return self.stored * 2

        @value.setter
        @decorate
        def value(self, new: int) -> None:
            self.stored = new

    one = Slotted()
    one.value = 7
    return one.method(), one.value, one.callback(1), outcome(setattr, one, "other", 1), hasattr(one, "__dict__")


def test_a_descriptor_of_one_s_own(decorate: Decorate) -> object:
    events: list[Any] = []

    class Field:
        @decorate
        def __set_name__(self, owner: type, name: str) -> None:
            events.append(("named", owner.__name__, name))
            self.name = name

        @decorate
        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            return (self.name, instance is None, owner and owner.__name__)

        @decorate
        def __set__(self, instance: Any, value: Any) -> None:
            events.append(("set", value))

        @decorate
        def __delete__(self, instance: Any) -> None:
            events.append("deleted")

    class Holder:
        field = Field()

    holder = Holder()
    holder.field = 1
    del holder.field
    return holder.field, Holder.field, events


def test_a_failing_set_name(decorate: Decorate) -> object:
    class Field:
        @decorate
        def __set_name__(self, owner: type, name: str) -> None:
            raise LookupError(name)

    return outcome(type, "Holder", (), {"field": Field()})


def test_a_decorated_function_is_a_descriptor_but_not_of_data(decorate: Decorate) -> object:
    class Holder:
        @decorate
        def method(self) -> int:
            return 1

    holder: Any = Holder()
    before = holder.method()
    holder.method = lambda: 2
    held = vars(Holder)["method"]
    return before, holder.method(), hasattr(held, "__get__"), hasattr(held, "__set__"), hasattr(held, "__delete__")


def test_a_descriptor_made_of_it(decorate: Decorate) -> object:
    class Bound:
        def __init__(self, function: Any) -> None:
            functools.update_wrapper(self, function)  # type: ignore[arg-type]
            self.function = function

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            return functools.partial(self.function, instance)

    class Holder:
        number = 3

        @Bound
        @decorate
        def method(self, value: int) -> int:
            """Bound by a class."""
            return value + self.number

    return Holder().method(1), vars(Holder)["method"].__doc__, vars(Holder)["method"].__name__


def test_asynchronous_properties(decorate: Decorate) -> object:
    class Holder:
        @property
        @decorate
        async def value(self) -> int:
            return 1

        @functools.cached_property
        @decorate
        async def cached(self) -> int:
            return 2

    holder = Holder()
    first = finished(holder.cached)
    return finished(holder.value), first, outcome(lambda: finished(holder.cached))
