"""A monitored class: the methods it defines are recorded, and it stays the class it was."""

from bare_and_recorded import run_both, told
from conftest import RunProgram

SHOP = """
import functools
from calltape import monitor
def helper(this): return "helper"
class Base:
    def inherited(self): return "inherited"
    def replaced(self): return "base"
@monitor
class Shop(Base):
    limit = 3
    factory = dict
    size = staticmethod(len)
    def __init__(self, name): self.name = name
    def __call__(self, value): return value
    def __repr__(self): return f"Shop({self.name})"
    def __len__(self): return 3
    def replaced(self): return super().replaced() + "+"
    def __secret(self): return "secret"
    def reveal(self): return self.__secret()
    borrowed = helper
    short = lambda self: "short"
    alias = reveal
    @staticmethod
    def plain(value): return value
    @classmethod
    def made(cls, name): return cls(name)
    @property
    def title(self): return self.name.title()
    @title.setter
    def title(self, value): self.name = value
    @functools.cached_property
    def slow(self): return "slow"
    @functools.lru_cache
    def kept(self, key): return key
    held = functools.partialmethod(replaced)
    @functools.singledispatchmethod
    def show(self, value): return "any"
    @show.register
    def _(self, value: int): return "int"
    @monitor(name="chosen.name")
    def own(self): return "own"
    class Nested:
        def method(self): return "nested"
before = Shop
shop = Shop.made("ann")
print(shop(1), repr(shop), len(shop), shop.inherited(), shop.replaced(), shop.reveal(), shop.alias(), shop.borrowed())
print(shop.short(), shop.plain(2), Shop.plain(3), shop.title, shop.slow, shop.slow)
print(shop.kept(1), shop.kept(1), shop.held())
shop.title = "bob"
print(shop.title, shop.show(1.5), shop.show(2), shop.own(), Shop.Nested().method(), Shop.factory, Shop.size([1]))
print(Shop.__name__, Shop.__qualname__, Shop.__module__, isinstance(shop, Shop), Shop.__mro__, Shop.kept.cache_info())
class Child(Shop):
    def replaced(self): return super().replaced() + "child"
print(Child("c").replaced(), Shop is before)
"""


def test_the_methods_a_class_defines_are_recorded_and_no_others(run_program: RunProgram) -> None:
    assert told(run_both(run_program, SHOP).tape) == [
        'Shop.made name="ann"',
        'Shop.__init__ name="ann"',
        "Shop.__call__ value=1",
        "Shop.replaced",
        "Shop.reveal",
        "Shop.__secret",
        "Shop.reveal",
        "Shop.__secret",
        "Shop.borrowed",
        "Shop.short",
        "Shop.plain value=2",
        "Shop.plain value=3",
        "Shop.title",
        "Shop.slow",
        "Shop.kept key=1",
        "Shop.kept key=1",
        "Shop.replaced",
        'Shop.title value="bob"',
        "Shop.title",
        "Shop.show value=1.5",
        "Shop._ value=2",
        "chosen.name",
        'Shop.__init__ name="c"',
        "Shop.replaced",
    ]


def test_a_name_given_to_a_class_stands_before_its_methods_names(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor(name="shop", group="orders", sample_rate=1.0, capture={"args": False})
class Shop:
    def place(self, order): return order
    find = lambda self: None
def outside():
    def inner(self): return 1
    return type("Dynamic", (), {"method": inner, "__module__": "made.here"})
Shop().place(1); Shop().find()
monitor(outside())().method()
"""
    calls = run_program(program).tape.calls()
    assert [(call["function"], call["group_name"], call["args"]) for call in calls] == [
        ("shop.place", "orders", None),
        ("shop.find", "orders", None),
        ("made.here.Dynamic.method", None, "{}"),
    ]


def test_dataclasses_are_monitored_above_and_below(run_program: RunProgram) -> None:
    program = """
import dataclasses, copy, inspect, pickle
from calltape import monitor
@monitor
@dataclasses.dataclass(order=True)
class Above:
    x: int
    y: int = 2
    def __post_init__(self): self.y += 1
    def total(self): return self.x + self.y
@dataclasses.dataclass(frozen=True, slots=True)
@monitor
class Below:
    x: int
    def total(self): return self.x
    @property
    def double(self): return self.x * 2
above, below = Above(1), Below(3)
print(above, above.total(), above == Above(1), sorted([Above(2), above]), dataclasses.replace(above, x=5))
print(below, below.total(), below.double, Below.__slots__, hash(below) == hash(Below(3)), dataclasses.astuple(below))
print(pickle.loads(pickle.dumps(above)), copy.deepcopy(below), inspect.signature(Above), Above.__match_args__)
try: below.x = 1
except dataclasses.FrozenInstanceError as error: print(error)
try: Above()
except TypeError as error: print(error)
"""
    lines = told(run_both(run_program, program).tape)
    assert lines[:3] == ["Above.__init__ x=1", "Above.total", "Above.__init__ x=1"]
    assert [line for line in lines if line.startswith("Below")] == ["Below.total", "Below.double"]
    assert lines[-1] == "Above.__init__ -> TypeError"


def test_protocols_and_abstract_classes_stay_what_they_are(run_program: RunProgram) -> None:
    program = """
import abc, typing
from calltape import monitor
@monitor
@typing.runtime_checkable
class Sized(typing.Protocol):
    name: str
    def size(self) -> int: return 0
    def twice(self) -> int: return self.size() * 2
class Ours(Sized):
    def __init__(self): self.name = "ours"
    def size(self): return 4
class Theirs:
    name = "theirs"
    def size(self): return 5
    def twice(self): return 10
@monitor
class Explicit(typing.Protocol):
    def __init__(self, value): self.value = value
    def get(self): return self.value
class Concrete(Explicit): pass
@monitor
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): return 1
    @property
    @abc.abstractmethod
    def name(self): return "shape"
    def told(self): return self.area()
class Square(Shape):
    def area(self): return super().area() * 4
    @property
    def name(self): return super().name + "!"
Shape.register(int)
print(Ours().twice(), isinstance(Theirs(), Sized), isinstance(3, Sized), Concrete(1).get())
for abstract in (Sized, Shape):
    try: abstract()
    except TypeError as error: print(error)
print(Shape.__abstractmethods__ == {"area", "name"}, Square().told(), Square().name, isinstance(3, Shape))
print(sorted(getattr(Sized, "__protocol_attrs__", ())), "__init__" in vars(Sized), Sized.__init__.__module__)
"""
    assert told(run_both(run_program, program).tape) == [
        "Sized.twice",
        "Explicit.__init__ value=1",
        "Explicit.get",
        "Shape.told",
        "Shape.area",
        "Shape.name",
    ]


def test_enums_keep_their_members(run_program: RunProgram) -> None:
    program = """
import enum, pickle
from calltape import monitor
@monitor
class Colour(enum.Enum):
    RED = 1, "r"
    BLUE = 2, "b"
    def __new__(cls, value, letter):
        made = object.__new__(cls)
        made._value_ = value
        made.letter = letter
        return made
    @classmethod
    def _missing_(cls, value): return cls.RED
    def shown(self): return self.name + self.letter
    @property
    def upper(self): return self.letter.upper()
    @enum.property
    def lower(self): return self.letter
    @staticmethod
    def count(): return len(Colour)
@monitor
class Level(enum.IntFlag):
    LOW = enum.auto()
    HIGH = enum.auto()
    def both(self): return self | Level.HIGH
class Marked(enum.Enum):
    ONE = 1
    cut = monitor(divmod)
    @monitor
    def shown(self): return self.name
print(list(Colour), Colour(1), Colour("gone"), Colour["BLUE"].shown(), Colour.RED.upper, Colour.BLUE.lower)
print(Colour.count())
print(Level.LOW.both(), pickle.loads(pickle.dumps(Colour.BLUE)) is Colour.BLUE, Colour.__members__.keys(), Level(3))
print([member.name for member in Marked], Marked.ONE.shown())
try: Colour.RED = 3
except AttributeError: print("kept")
"""
    assert told(run_both(run_program, program).tape) == [
        'Colour._missing_ value="gone"',
        "Colour.shown",
        "Colour.upper",
        "Colour.lower",
        "Colour.count",
        "Level.both",
        "Marked.shown",
    ]


def test_named_tuples_slots_and_metaclasses_are_left_in_shape(run_program: RunProgram) -> None:
    program = """
import collections, ctypes, typing
from calltape import monitor
@monitor
class Pair(typing.NamedTuple):
    x: int
    y: int = 2
    def total(self): return self.x + self.y
@monitor
class Slotted:
    __slots__ = ("x", "_y", "__weakref__")
    def __init__(self, x): self.x = x
    @property
    def y(self): return self._y
    @y.setter
    def y(self, value): self._y = value
    def __getstate__(self): return 1
class Guarded(type):
    def __setattr__(cls, name, value): raise AttributeError("guarded")
    def __getattribute__(cls, name):
        if name == "__dict__": raise AttributeError("hidden")
        return super().__getattribute__(name)
@monitor
class Held(metaclass=Guarded):
    def method(self): return 1
@monitor
class Meta(type):
    def __new__(mcs, *args): return super().__new__(mcs, *args)
    def __call__(cls, *args): return super().__call__(*args)
    def named(cls): return cls.__name__
class Made(metaclass=Meta):
    pass
@monitor
class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int)]
    def doubled(self): return self.x * 2
@monitor
class Counted(dict):
    def __missing__(self, key): return 0
    def bump(self, key): self[key] = self[key] + 1
    @classmethod
    def fromkeys(cls, keys): return super().fromkeys(keys, 0)
slotted = Slotted(1)
slotted.y = 5
print(Pair(1).total(), Pair(1)._replace(x=3), Pair._fields, Slotted.__slots__, slotted.y, hasattr(slotted, "__dict__"))
print(Held().method(), type(Made()), Made.named(), Point(4).doubled(), ctypes.sizeof(Point))
counted = Counted()
counted.bump("a")
print(counted, Counted.fromkeys("ab"))
"""
    assert told(run_both(run_program, program).tape) == [
        "Slotted.__init__ x=1",
        "Slotted.y value=5",
        "Pair.total",
        "Slotted.y",
        "Held.method",
        "Meta.__call__",
        "Meta.named",
        "Point.doubled",
        'Counted.bump key="a"',
        'Counted.fromkeys keys="ab"',
    ]


def test_a_class_that_cannot_be_changed_says_so_and_what_to_do(run_program: RunProgram) -> None:
    program = """
import collections
from calltape import monitor
for cls in (int, type, collections.OrderedDict, collections.deque):
    try: monitor(cls)
    except TypeError as error: print(error)
"""
    reason = (
        "is built in and cannot be changed; monitor a subclass with methods of its own, or the functions that call it"
    )
    names = ("int", "type", "OrderedDict", "deque")
    assert run_program(program).stdout.splitlines() == [f"monitor: the class {name} {reason}" for name in names]


def test_a_descriptor_that_cannot_be_made_again_is_left_and_named_in_the_log(run_program: RunProgram) -> None:
    program = """
import logging
from calltape import monitor
class Made(property):
    def __new__(cls, *args): return super().__new__(cls)
logging.basicConfig(format="%(message)s")
@monitor
class Page:
    @Made
    def title(self): return "title"
    def body(self): return "body"
print(Page().title, Page().body())
"""
    done = run_program(program)
    assert done.stdout == "title body\n"
    assert done.stderr == (
        "calltape: Page.title: monitor: a Made cannot be made again as other property objects can; "
        "put @monitor under it, on its function\n"
    )
    assert told(done.tape) == ["Page.body"]


def test_objects_of_a_monitored_class_live_as_long_as_before(run_program: RunProgram) -> None:
    program = """
import gc, weakref
from calltape import monitor, unmonitor
def make():
    @monitor
    class Node:
        def __init__(self): self.me = self
        def __del__(self): print("gone")
        def method(self): return self
    node = Node()
    assert node.method() is node
    return weakref.ref(node), weakref.ref(Node), weakref.ref(unmonitor(Node.method))
gc.disable()
references = make()
print(references[0]() is None)
gc.collect()
print([reference() for reference in references])
"""
    run_both(run_program, program)
