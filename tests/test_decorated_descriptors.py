"""Descriptors made of functions: monitored above or below, each call is recorded once, and nothing else differs."""

from bare_and_recorded import run_both, told
from conftest import RunProgram


def test_a_property_is_recorded_in_either_order_getter_setter_and_deleter(run_program: RunProgram) -> None:
    program = """
import inspect
from calltape import monitor
class Box:
    def __init__(self): self.kept = 0
    @monitor
    @property
    def above(self):
        "Monitored above."
        return "above"
    @property
    @monitor
    def below(self):
        "Monitored below."
        return "below"
    @property
    @monitor
    def each(self): return self.kept
    @each.setter
    @monitor
    def each(self, value): self.kept = value
    @each.deleter
    @monitor
    def each(self): self.kept = None
    @property
    def late(self): return self.kept
    @monitor
    @late.setter
    def late(self, value): self.kept = value
    put = monitor(property(None, lambda self, value: None, doc="Write only."))
    @monitor
    @property
    def broken(self): raise KeyError("x")

box = Box()
print(box.above, box.below, box.each, box.late)
box.each = 1
del box.each
box.late = 2
print(box.late)
box.put = 3
for name in ("above", "below", "each", "late", "put"):
    found = inspect.getattr_static(Box, name)
    print(type(found), found.__doc__, found.fset is None, found.fdel is None, found.__isabstractmethod__)
for action in ("box.above = 1", "del box.late", "box.put", "box.broken"):
    try: exec(action)
    except Exception as error: print(repr(error), error.__traceback__.tb_next and "deeper")
copied = Box.above.getter(lambda self: "new")
print(copied.__doc__, copied.fget(box))
"""
    assert told(run_both(run_program, program).tape) == [
        "Box.above",
        "Box.below",
        "Box.each",
        "Box.late",
        "Box.each value=1",
        "Box.each",
        "Box.late value=2",
        "Box.late",
        "Box.<lambda> value=3",
        "Box.broken -> KeyError",
    ]


def test_a_cached_property_is_recorded_when_it_is_computed(run_program: RunProgram) -> None:
    program = """
import functools
from calltape import monitor
class Report:
    @monitor
    @functools.cached_property
    def above(self):
        "Computed once."
        return [1]
    @functools.cached_property
    @monitor
    def below(self): return [2]
report = Report()
print(report.above is report.above, report.below is report.below, vars(report), Report.above.attrname)
del report.above
print(report.above, Report.above.__doc__, type(Report.above))
"""
    assert told(run_both(run_program, program).tape) == ["Report.above", "Report.below", "Report.above"]


def test_a_partialmethod_is_recorded_with_the_arguments_it_holds(run_program: RunProgram) -> None:
    program = """
import functools, inspect
from calltape import monitor
class Cell:
    def state(self, value, *, why=""): return (value, why)
    above = monitor(functools.partialmethod(state, True, why="up"))
    @monitor
    def inner(self, value): return value
    below = functools.partialmethod(inner, 5)
    both = monitor(functools.partialmethod(inner, 6))
    @staticmethod
    def plain(a, b): return a + b
    on_static = monitor(functools.partialmethod(plain, 1))
cell = Cell()
print(cell.above(), cell.above(why="w"), Cell.above(cell), cell.below(), cell.both(), cell.on_static(2))
print(inspect.signature(Cell.above), inspect.signature(cell.both), repr(inspect.getattr_static(Cell, "below"))[:26])
"""
    assert told(run_both(run_program, program).tape) == [
        'Cell.state value=true why="up"',
        'Cell.state value=true why="w"',
        'Cell.state value=true why="up"',
        "Cell.inner value=5",
        "Cell.inner value=6",
        "Cell.plain a=1 b=2",
    ]


def test_single_dispatch_is_recorded_once_a_call_above_and_below(run_program: RunProgram) -> None:
    program = """
import functools
from calltape import monitor
@monitor
@functools.singledispatch
def above(value): return "any"
@above.register
def _(value: int): return "int"
@functools.singledispatch
@monitor
def below(value): return "any"
@below.register(int)
@monitor
def below_int(value): return "int"
print(above(1.5), above(1), above.dispatch(int)(2), sorted(kind.__name__ for kind in above.registry))
print(below(1.5), below(1), below.dispatch(bool).__name__, above.__name__)
"""
    assert told(run_both(run_program, program).tape) == [
        "above args=[1.5]",
        "above args=[1]",
        "below value=1.5",
        "below_int value=1",
    ]


def test_a_single_dispatch_method_records_the_implementation_that_runs(run_program: RunProgram) -> None:
    program = """
import functools
from calltape import monitor
class Show:
    @monitor
    @functools.singledispatchmethod
    def above(self, value): return "any"
    @above.register
    def _(self, value: int): return "int"
    @above.register(str)
    @above.register(bytes)
    def text(self, value): return "text"
    @above.register
    @monitor
    def listed(self, value: list): return "list"
    @functools.singledispatchmethod
    @monitor
    def below(self, value): return "any"
    @below.register(int)
    @monitor
    def below_int(self, value): return "int"
    @monitor
    @functools.singledispatchmethod
    @classmethod
    def made(cls, value): return cls.__name__
    @made.register(int)
    @classmethod
    def made_int(cls, value): return cls.__name__ + "int"
    @made.register(int | float)
    @classmethod
    def made_number(cls, value): return cls.__name__ + "number"
show = Show()
print(show.above(1.5), show.above(1), show.above("a"), show.above(b"a"), show.above([]))
print(show.below(1.5), show.below(1), show.made(""), Show.made(1), Show.made(1.5))
print(Show.above.__name__, Show.above.__doc__, Show.text(show, 1), type(vars(Show)["above"]))
for wrong in (3, "x"):
    try: Show.above.register(wrong)
    except Exception as error: print(type(error))
"""
    assert told(run_both(run_program, program).tape) == [
        "Show.above value=1.5",
        "Show._ value=1",
        'Show.text value="a"',
        """Show.text value="b'a'\"""",
        "Show.listed value=[]",
        "Show.below value=1.5",
        "Show.below_int value=1",
        'Show.made value=""',
        "Show.made_number value=1",
        "Show.made_number value=1.5",
    ]


def test_a_cache_is_recorded_each_call_above_and_each_miss_below(run_program: RunProgram) -> None:
    program = """
import functools
from calltape import monitor
class Table:
    @monitor
    @functools.lru_cache(maxsize=2)
    def above(self, key): return key
    @functools.lru_cache(maxsize=2)
    @monitor
    def below(self, key): return key
table = Table()
print([table.above(1), table.above(1)], [table.below(2), table.below(2)])
print(Table.above.cache_info(), Table.below.cache_info(), Table.above.cache_parameters())
Table.above.cache_clear()
print(Table.above.cache_info(), Table.above.__name__, Table.below.__doc__)
"""
    assert told(run_both(run_program, program).tape) == ["Table.above key=1", "Table.above key=1", "Table.below key=2"]


def test_abstract_methods_stay_abstract_in_either_order(run_program: RunProgram) -> None:
    program = """
from abc import ABC, abstractmethod
from calltape import monitor
class Shape(ABC):
    @monitor
    @abstractmethod
    def above(self): return 1
    @abstractmethod
    @monitor
    def below(self): return 2
    @monitor
    @property
    @abstractmethod
    def named(self): return 3
    @classmethod
    @monitor
    @abstractmethod
    def made(cls): return 4
class Square(Shape):
    def above(self): return super().above()
    def below(self): return super().below()
    @property
    def named(self): return super().named
    @classmethod
    def made(cls): return super().made()
print(sorted(Shape.__abstractmethods__), Square.__abstractmethods__)
try: Shape()
except TypeError as error: print(error)
square = Square()
print(square.above(), square.below(), square.named, Square.made())
"""
    assert told(run_both(run_program, program).tape) == ["Shape.above", "Shape.below", "Shape.named", "Shape.made"]


def test_static_and_class_methods_keep_their_type_and_attributes(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
class marked(classmethod):
    level = 3
class counted(staticmethod):
    def __init__(self, function):
        super().__init__(function)
        self.registered = function.__name__
class Home:
    def plain(value): return value
    plain = staticmethod(plain)
    plain.extra = 1
    plain = monitor(plain)
    @monitor
    @marked
    def own(cls, value): return cls.__name__
    @monitor
    @counted
    def other(value): return value
found = vars(Home)
print(type(found["plain"]), found["plain"].extra, found["plain"].__name__, found["plain"].__doc__)
print(type(found["own"]), found["own"].level, type(found["other"]), found["other"].registered)
print(Home.plain(1), Home().own(2), Home.other(3), found["plain"](4))
"""
    assert told(run_both(run_program, program).tape) == [
        "Home.plain value=1",
        "Home.own value=2",
        "Home.other value=3",
        "Home.plain value=4",
    ]


def test_subclasses_of_descriptors_keep_their_state_and_their_ways(run_program: RunProgram) -> None:
    program = """
import enum, functools, types
from calltape import monitor
class Loud(property):
    def __init__(self, getter, setter=None, deleter=None, doc=None, *, level=1):
        super().__init__(getter, setter, deleter, doc)
        self.level = level
        self.again = getter
    def __get__(self, instance, owner=None):
        return self if instance is None else self.again(instance).upper()
class Lazy(functools.cached_property):
    def __init__(self, function):
        super().__init__(function)
        self.seen = []
    def __get__(self, instance, owner=None):
        self.seen.append(owner.__name__)
        return super().__get__(instance, owner)
class Page:
    title = monitor(Loud(lambda self: "title", level=7, doc="Its title."))
    @monitor
    @Lazy
    def body(self): return "body"
    @monitor
    @types.DynamicClassAttribute
    def both(self): return "both"
class Colour(enum.Enum):
    RED = 1
    @monitor
    @enum.property
    def shout(self): return "RED!"
page = Page()
print(page.title, Page.title.level, Page.title.__doc__, page.body, page.body, Page.__dict__["body"].seen)
print(page.both, Colour.RED.shout, list(Colour))
try: page.title = 1
except AttributeError as error: print(type(error))
"""
    assert told(run_both(run_program, program).tape) == ["Page.<lambda>", "Page.body", "Page.both", "Colour.shout"]


def test_a_descriptor_that_cannot_be_made_again_names_the_remedy(run_program: RunProgram) -> None:
    program = """
import functools
from calltape import monitor
class Slotted(functools.cached_property):
    __slots__ = ("column",)
class Made(property):
    def __new__(cls, *args): return super().__new__(cls)
class Own:
    def __get__(self, instance, owner=None): return 1
def getter(self): return 1
for wrong in (Slotted(getter), Made(getter), Own(), staticmethod(int), staticmethod(3), 3):
    try: monitor(wrong)
    except TypeError as error: print(str(error).partition(" object at ")[0])
class Record:
    column = Slotted(monitor(getter))
print(Record().column)
"""
    done = run_program(program)
    remedy = "put @monitor under it, on its function"
    assert done.stdout.splitlines() == [
        f"monitor: a Slotted cannot be made again as other cached_property objects can; {remedy}",
        f"monitor: a Made cannot be made again as other property objects can; {remedy}",
        "monitor: <__main__.Own",
        "monitor: int is a class inside a descriptor; monitor the class itself",
        "monitor: 3 is not callable",
        "monitor: 3 is not callable",
        "1",
    ]
    assert told(done.tape) == ['getter self="[Record]"']


def test_callables_that_bind_by_returning_a_method_are_recorded_when_bound(run_program: RunProgram) -> None:
    program = """
import types
from calltape import monitor
class Wrapper:
    def __init__(self, function): self.function, self.name = function, None
    def __call__(self, *args): return self.function(*args)
    def __get__(self, instance, owner=None):
        return self if instance is None else types.MethodType(self, instance)
    def __set_name__(self, owner, name): self.name = owner.__name__ + "." + name
class Desk:
    @monitor
    @Wrapper
    def work(self, hours): return hours
desk = Desk()
print(desk.work(3), Desk.work(desk, 4), Desk.work.name, desk.work.__self__ is desk)
"""
    assert told(run_both(run_program, program).tape) == ['Wrapper args=["[Desk]", 3]', 'Wrapper args=["[Desk]", 4]']
