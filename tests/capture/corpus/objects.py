"""Objects of the program's own classes: attributes from `__dict__` and slots, dataclasses."""

import abc
import dataclasses
import functools
import typing


class Portfolio:
    """Nothing is stored in it."""


class Order:
    status = "class attributes are not an object's own"

    def __init__(self) -> None:
        self.id = 17
        self.items = ["a", "b"]
        self._cache = None
        self.__own = 1

    @property
    def total(self) -> float:
        raise SystemExit("the program's code ran")

    def __getattr__(self, name: str) -> object:
        raise SystemExit("the program's code ran")

    def __repr__(self) -> str:
        raise SystemExit("the program's code ran")


class Slotted:
    __slots__ = ("x", "y", "z")

    def __init__(self) -> None:
        self.x = 1
        self.y = "two"


class Wider(Slotted):
    __slots__ = ("w",)

    def __init__(self) -> None:
        super().__init__()
        self.w = 4


class Both(Slotted):
    def __init__(self) -> None:
        super().__init__()
        self.extra = True


class Mangled:
    __slots__ = ("__secretive", "plain")

    def __init__(self) -> None:
        self.__secretive = 1
        self.plain = 2


class Empty:
    __slots__ = ()


class Wide:
    def __init__(self, count: int) -> None:
        for number in range(count):
            setattr(self, f"a{number:02}", number)


class Node:
    def __init__(self, name: str, parent: "Node | None" = None) -> None:
        self.name = name
        self.parent = parent
        self.children: list[Node] = []
        if parent:
            parent.children.append(self)


class Caching:
    def __init__(self) -> None:
        self.radius = 2

    @functools.cached_property
    def area(self) -> float:
        return 12.5


class Shape(abc.ABC):
    def __init__(self) -> None:
        self.sides = 4

    @abc.abstractmethod
    def area(self) -> float: ...


class Square(Shape):
    """A class with a metaclass."""

    def area(self) -> float:
        return 1.0


class Box(typing.Generic[typing.TypeVar("T")]):
    def __init__(self, value: object) -> None:
        self.value = value


class Tagged(list):
    """A list with attributes: it reads as the list it is."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.tag = "t"


@dataclasses.dataclass
class Line:
    sku: str
    quantity: int = 1
    price: float = 0.5


@dataclasses.dataclass(frozen=True, slots=True)
class Money:
    amount: int
    currency: str = "EUR"


@dataclasses.dataclass
class Invoice:
    number: int
    lines: list[Line]
    total: Money
    notes: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Login:
    user: str
    key: str = dataclasses.field(repr=False)


@dataclasses.dataclass
class Derived(Line):
    computed: int = dataclasses.field(init=False)
    kind: typing.ClassVar[str] = "not a field"
    start: dataclasses.InitVar[int] = 0

    def __post_init__(self, start: int) -> None:
        self.computed = start + 1


@dataclasses.dataclass
class Many:
    a: int = 0
    b: int = 1
    c: int = 2
    d: int = 3
    e: int = 4
    f: int = 5
    g: int = 6
    h: int = 7
    i: int = 8
    j: int = 9
    k: int = 10
    m: int = 11
    n: int = 12
    o: int = 13
    p: int = 14
    q: int = 15
    r: int = 16
    s: int = 17
    t: int = 18
    u: int = 19
    v: int = 20
    w: int = 21


def cached() -> Caching:
    value = Caching()
    assert value.area == 12.5
    return value


def family() -> Node:
    root = Node("root")
    Node("leaf", root)
    return root


def with_extra() -> Line:
    line = Line("A-1")
    line.remark = "not a field"
    return line


def without_a_field() -> Line:
    line = Line("A-1")
    del line.sku
    return line


def half_made() -> Order:
    return Order.__new__(Order)


def with_odd_names() -> Portfolio:
    made = Portfolio()
    vars(made).update({"two words": 1, "__dunder__": 2, "_one": 3, "x": 4})
    return made


VALUES = """
object()
Portfolio()
Order()
half_made()
with_odd_names()
Slotted()
Slotted.__new__(Slotted)
Wider()
Both()
Mangled()
Empty()
Wide(3)
Wide(20)
Wide(25)
Node('alone')
family()
Caching()
cached()
Square()
Box([1, 2])
Tagged([1, 2])
[Portfolio(), Empty()]
{'node': Node('in a dict')}
Line('A-1')
with_extra()
without_a_field()
Money(5)
Invoice(7, [Line('A-1'), Line('B-2', 3)], Money(350))
Login('ann', 'k-1234')
Derived('C-3')
Many()
Line
[Money(n) for n in range(3)]
{Money(1): 'key'}
{Portfolio: 'a class as key', Empty: 1}
"""
