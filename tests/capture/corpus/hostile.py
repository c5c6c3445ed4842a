"""Objects that lie, raise, block, never end, or cannot be compared: each becomes text, and none of their code runs."""

import collections
import types
from typing import Any, NoReturn


def explode(*_: object, **__: object) -> NoReturn:
    raise SystemExit("the program's code ran")


NAMES = [
    "__repr__",
    "__str__",
    "__len__",
    "__iter__",
    "__next__",
    "__bool__",
    "__eq__",
    "__hash__",
    "__getattr__",
    "__getattribute__",
    "__call__",
    "__index__",
    "__int__",
    "__float__",
    "__getitem__",
    "__contains__",
    "__format__",
    "__dir__",
    "__instancecheck__",
    "__subclasscheck__",
    "__reduce__",
    "__length_hint__",
    "__array__",
    "__fspath__",
    "__get__",
    "__bytes__",
    "__buffer__",
]
ALL: dict[str, Any] = dict.fromkeys(NAMES, explode)


class Meta(type):
    """A metaclass whose code must not run either."""

    def __instancecheck__(cls, other: object) -> bool:
        explode()

    __subclasscheck__ = __call__ = __instancecheck__
    __name__ = property(explode)
    __module__ = property(explode)
    __mro__ = property(explode)
    __dict__ = property(explode)

    def __getattribute__(cls, name: str) -> object:
        explode()

    __repr__ = __hash__ = __eq__ = mro_ = explode


def made_class(name: str, *bases: type, meta: Any = type, **members: Any) -> Any:
    """A class of that name whose every method ends the program."""
    return type.__new__(meta, name, bases or (object,), {**ALL, **members})


def made(name: str, *bases: type, meta: Any = type, **members: Any) -> Any:
    """An object of such a class."""
    cls = made_class(name, *bases, meta=meta, **members)
    return (bases or (object,))[0].__new__(cls)


def circular_list() -> list[object]:
    value: list[object] = [1]
    value.append(value)
    return value


def circular_dict() -> dict[str, object]:
    value: dict[str, object] = {}
    value["me"] = value
    return value


def circular_tuple() -> tuple[object, ...]:
    inner: list[object] = []
    value = (1, inner)
    inner.append(value)
    return value


def circular_object() -> object:
    value = types.SimpleNamespace(name="ring")
    value.me = value
    return value


def deep(levels: int, wrap: Any) -> object:
    value: object = "bottom"
    for _ in range(levels):
        value = wrap(value)
    return value


class Equal:
    """A key that equals everything, and whose hash changes."""

    count = 0

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        Equal.count += 1
        return Equal.count


class LyingClass:
    __class__ = dict


class LyingList(list):
    def __len__(self) -> int:
        return 10**9


class Endless:
    def __iter__(self) -> Any:
        return self

    def __next__(self) -> int:
        return 1

    def __len__(self) -> int:
        return 3


class ShadowedDict:
    """`__dict__` as a property of its own."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 1

    @property
    def __dict__(self) -> dict[str, object]:
        explode()


class OddAttributes:
    def __init__(self) -> None:
        vars(self)[5] = "not a name"
        vars(self)["\ud800"] = "surrogate"
        vars(self)["fine"] = 1


class SubclassedKeys(dict):
    pass


def sparse_dict() -> dict[int, int]:
    value = dict.fromkeys(range(100_000))
    for key in range(99_998):
        del value[key]
    return value


def sparse_set() -> set[int]:
    value = set(range(100_000))
    for key in range(99_999):
        value.discard(key)
    return value


def sparse_ordered() -> collections.OrderedDict[int, int]:
    value = collections.OrderedDict.fromkeys(range(10_000), 0)
    for key in range(9_999):
        del value[key]
    return value


def long_name() -> object:
    return type("N" * 5000, (), {})()


def odd_name() -> object:
    return type('a"\n\\b', (), {})()


VALUES = """
made('Everything')
made('Everything', meta=Meta)
made('Int', int)
made('Float', float)
made('Text', str)
made('Bytes', bytes)
made('Items', list)
made('Pair', tuple)
made('Mapping', dict)
made('Members', set)
made('Ordered', collections.OrderedDict)
made('Slots', __slots__=('a', 'b'))
made('Slots', meta=Meta, __slots__=('a',))
[made('Inner')]
{'k': made('Inner')}
made_class('AsClass')
made_class('AsClass', meta=Meta)
LyingClass()
LyingList([1, 2])
Endless()
ShadowedDict()
OddAttributes()
{Equal(): 1, Equal(): 2}
circular_list()
circular_dict()
circular_tuple()
circular_object()
deep(100_000, lambda value: [value])
deep(100_000, lambda value: (value,))
deep(100_000, lambda value: {'k': value})
deep(1000, lambda value: types.SimpleNamespace(inner=value))
sparse_dict()
sparse_set()
sparse_ordered()
long_name()
odd_name()
{float('nan'): float('nan')}
{long_name(): 1}
10 ** 100_000
'\\ud800' * 400
type('Class', (), {'__module__': 5})()
type('Class', (), {'__qualname__': 'a.b.C'})()
type('Class', (), {})
Meta
"""
