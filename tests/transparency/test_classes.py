"""The functions that Python itself calls while classes and instances are made work decorated as bare."""

# A subject takes what the interpreter hands it.
# ruff: noqa: ARG004, ARG005, N804

import abc
import dataclasses
import enum
import gc
import inspect
import typing
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from transparency.kinds import Decorate, finished
from transparency.observation import outcome, plain, unraised


def test_new_and_init(decorate: Decorate) -> object:
    events: list[Any] = []

    class Made:
        @decorate
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            events.append(("new", cls.__name__, args, kwargs))
            return super().__new__(cls)

        @decorate
        def __init__(self, value: int, *, key: int = 1) -> None:
            events.append(("init", value, key))

    made = Made(1, key=2)
    return (
        events,
        isinstance(made, Made),
        str(inspect.signature(Made)),
        outcome(Made),
        made.__new__ is Made.__new__,
    )


def test_init_that_returns_something_is_refused(decorate: Decorate) -> object:
    class Made:
        @decorate
        def __init__(self) -> None:
            return 3  # type: ignore[return-value]

    return outcome(Made)


def test_subclasses_are_told(decorate: Decorate) -> object:
    events: list[Any] = []

    class Base:
        @decorate
        def __init_subclass__(cls, *, label: str = "none", **rest: Any) -> None:
            super().__init_subclass__(**rest)
            events.append((cls.__name__, label, rest))

    class Child(Base, label="given"):
        pass

    class Grandchild(Child):
        pass

    return events, outcome(type, "Wrong", (Base,), {}, wrong=1)


def test_class_items(decorate: Decorate) -> object:
    class Generic:
        @decorate
        def __class_getitem__(cls, item: Any) -> Any:
            return cls.__name__, item

    of_class: Any = Generic
    return of_class[int], of_class.__class_getitem__(str), of_class().__class_getitem__(bytes)


def test_a_metaclass(decorate: Decorate) -> object:
    events: list[Any] = []

    class Meta(type):
        @classmethod
        @decorate
        def __prepare__(mcs, name: str, bases: Any, **named: Any) -> Any:
            events.append(("prepare", name, named))
            return {"prepared": True}

        @decorate
        def __new__(mcs, name: str, bases: Any, space: dict[str, Any], **named: Any) -> Any:
            events.append(("new", mcs.__name__, name, sorted(space)))
            return super().__new__(mcs, name, bases, space)

        @decorate
        def __init__(cls, name: str, bases: Any, space: dict[str, Any], **named: Any) -> None:
            events.append(("init", cls.__name__, named))
            super().__init__(name, bases, space)

        @decorate
        def __call__(cls, *args: Any) -> Any:
            events.append(("call", cls.__name__, args))
            return super().__call__(*args)

        @decorate
        def __instancecheck__(cls, instance: object) -> bool:
            return instance == 3

        @decorate
        def __subclasscheck__(cls, other: type) -> bool:
            return other is int

        @decorate
        def __iter__(cls) -> Any:
            yield from (1, 2)

        @decorate
        def __len__(cls) -> int:
            return 2

        @property
        @decorate
        def of_meta(cls) -> str:
            return cls.__name__

        @decorate
        def method(cls) -> Any:
            return cls.__name__

    class Made(metaclass=Meta, option=1):
        def __init__(self, value: int) -> None:
            self.value = value

    made = Made(5)
    checks = isinstance(3, Made), isinstance(4, Made), issubclass(int, Made), issubclass(str, Made)
    return events, made.value, checks, list(Made), len(Made), Made.of_meta, Made.method()


def test_abstract_methods(decorate: Decorate) -> object:
    class Base(abc.ABC):
        @abc.abstractmethod
        @decorate
        def above(self) -> int: ...

        @decorate
        @abc.abstractmethod
        def below(self) -> int: ...

        @property
        @abc.abstractmethod
        @decorate
        def value(self) -> int: ...

        @decorate
        def concrete(self) -> int:
            return 1

    class Child(Base):
        above = below = decorate(lambda self: 2)
        value = property(decorate(lambda self: 3))

    child: Any = Child()
    marks = [vars(Base)[name].__isabstractmethod__ for name in ("above", "below", "value")]
    plain_mark = getattr(vars(Base)["concrete"], "__isabstractmethod__", "none")
    return outcome(Base), sorted(Base.__abstractmethods__), marks, plain_mark, child.above(), child.value


def test_protocols(decorate: Decorate) -> object:
    @runtime_checkable
    class Sized(Protocol):
        def size(self) -> int: ...

    class Has:
        @decorate
        def size(self) -> int:
            return 1

    class HasNot:
        pass

    @runtime_checkable
    class Decorated(Protocol):
        @decorate
        def size(self) -> int: ...

    names = sorted(getattr(Decorated, "__protocol_attrs__", {"size"}))
    checks = [isinstance(it, kind) for it in (Has(), HasNot()) for kind in (Sized, Decorated)]
    return checks, issubclass(Has, Sized), names, isinstance(decorate(lambda: 1), typing.Callable)  # type: ignore[arg-type]


def test_dataclasses(decorate: Decorate) -> object:
    @dataclasses.dataclass(order=True)
    class Point:
        x: int
        y: int = 2
        make: Any = dataclasses.field(default=decorate(lambda: 3), compare=False)
        items: list[int] = dataclasses.field(default_factory=decorate(lambda: [1]), compare=False)
        shared: ClassVar[Any] = decorate(lambda self: self.x)

        @decorate
        def __post_init__(self) -> None:
            self.x += 1

        @decorate
        def total(self) -> int:
            return self.x + self.y

    point = Point(1)
    fields = [field.name for field in dataclasses.fields(Point)]
    return point.total(), point.items, point.make(), point.shared(), fields, point < Point(5), point == Point(1)


def test_a_dataclass_whose_methods_are_decorated_afterwards(decorate: Decorate) -> object:
    @dataclasses.dataclass(frozen=True)
    class Point:
        x: int

    for name in ("__init__", "__eq__", "__hash__", "__repr__"):
        setattr(Point, name, decorate(vars(Point)[name]))
    point = Point(1)
    return point == Point(1), hash(point) == hash(Point(1)), repr(point), outcome(setattr, point, "x", 2)


def test_enumerations(decorate: Decorate) -> object:
    class Colour(enum.Enum):
        RED = 1

        @decorate
        def shown(self) -> str:
            return self.name.lower()

        @classmethod
        @decorate
        def _missing_(cls, value: object) -> Any:
            return cls.RED if value == "any" else None

        @staticmethod
        @decorate
        def parse(text: str) -> int:
            return len(text)

    return [member.name for member in Colour], Colour.RED.shown(), Colour("any").name, Colour.parse("abc")


def test_a_decorated_function_is_a_method_of_an_enumeration_and_no_member(decorate: Decorate) -> object:
    class Kind(enum.Enum):
        ONE = 1
        method = decorate(lambda self: 1)

    one: Any = Kind.ONE
    return [member.name for member in Kind], one.method()


def test_named_tuples(decorate: Decorate) -> object:
    class Pair(NamedTuple):
        first: int
        second: int = 2

        @decorate
        def total(self) -> int:
            return self.first + self.second

    return Pair(1).total(), Pair._fields


def test_finalisers_run_where_the_bare_one_s_run(decorate: Decorate) -> object:
    events: list[str] = []

    class Held:
        @decorate
        def __del__(self) -> None:
            events.append("deleted")

    held = Held()
    events.append("before")
    del held
    events.append("after")
    cycle = Held()
    cycle.self = cycle  # type: ignore[attr-defined]
    del cycle
    gc.collect()
    return events


def test_a_failing_finaliser_is_told_as_before(decorate: Decorate) -> object:
    class Held:
        @decorate
        def __del__(self) -> None:
            raise LookupError("in del")

    with unraised() as seen:
        Held()
    return seen


def test_generic_classes(decorate: Decorate) -> object:
    item = typing.TypeVar("item")

    class Box(typing.Generic[item]):
        @decorate
        def __init__(self, held: item) -> None:
            self.held = held

        @decorate
        def get(self) -> item:
            return self.held

    box = Box[int](3)
    hints = typing.get_type_hints(Box.get, localns={"item": item})
    return box.get(), plain(Box[int]), hints == {"return": item}


def test_classes_made_by_type(decorate: Decorate) -> object:
    made: Any = type(
        "Made",
        (),
        {
            "method": decorate(lambda self: 1),
            "__call__": decorate(lambda self, value: value),
            "__len__": decorate(lambda self: 3),
            "__repr__": decorate(lambda self: "made"),
        },
    )
    one = made()
    return one.method(), one(2), len(one), repr(one), finished(one(4))
