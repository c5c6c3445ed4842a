"""Methods that the interpreter looks up on the type, and those that a class body converts: as bare, recorded once."""

import re

from bare_and_recorded import run_both, told
from conftest import RunProgram


def test_functions_that_a_class_body_converts_are_converted(run_program: RunProgram) -> None:
    program = """
import inspect
from calltape import monitor
class Base:
    @monitor
    def __new__(kind, value, *, unit="m"): return super().__new__(kind)
    @monitor
    def __init__(self, value, *, unit="m"): self.value = value
    @monitor
    def __init_subclass__(kind, *, table=None, **rest):
        super().__init_subclass__(**rest)
        kind.table = table
    @monitor
    def __class_getitem__(kind, item): return (kind.__name__, item)
class Child(Base, table="children"):
    def __new__(cls, value): return super().__new__(cls, value)
base = Base(1, unit="km")
child = Child(2)
print(base.value, Child.table, child.table, Base[int], Child["x"], base.__class_getitem__(3))
again = base.__new__(Child, 5)
print(type(again), vars(again), inspect.signature(Base))
for name in ("__new__", "__init_subclass__", "__class_getitem__"):
    print(name, type(vars(Base)[name]), vars(Base)[name].__func__.__qualname__, getattr(base, name).__class__)
base.__init_subclass__(table="again")
print(Base.table)
try: Base()
except TypeError as error: print(error)
try:
    class Wrong(Base, colour=1): pass
except TypeError as error: print(error)
"""
    assert told(run_both(run_program, program).tape) == [
        'Base.__init_subclass__ table="children"',
        'Base.__new__ value=1 unit="km"',
        'Base.__init__ value=1 unit="km"',
        "Base.__new__ value=2",
        "Base.__init__ value=2",
        'Base.__class_getitem__ item="[type int]"',
        'Base.__class_getitem__ item="x"',
        "Base.__class_getitem__ item=3",
        "Base.__new__ value=5",
        'Base.__init_subclass__ table="again"',
        "Base.__new__ -> TypeError",
        'Base.__init_subclass__ rest={"colour": 1} -> TypeError',
    ]


def test_conversion_asks_nothing_of_the_metaclass_and_survives_slotted_dataclasses(run_program: RunProgram) -> None:
    program = """
import copy, dataclasses, pickle
from calltape import monitor
class Guarded(type):
    def __setattr__(cls, name, value): raise AttributeError("guarded")
class Held(metaclass=Guarded):
    @monitor
    def __new__(cls): return super().__new__(cls)
@dataclasses.dataclass(slots=True, frozen=True)
class Point:
    x: int
    @monitor
    def __new__(cls, x): return object.__new__(cls)
    @monitor
    def moved(self, by): return Point(self.x + by)
def __new__(cls): return object.__new__(cls)
class Later: pass
Later.__new__ = monitor(__new__)
print(type(Held()), type(vars(Held)["__new__"]), Point(1).moved(2), Point.__slots__)
print(type(Later()), isinstance(vars(Later)["__new__"], staticmethod))
"""
    run_both(run_program, program)


def test_metaclass_methods_are_recorded(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
class Meta(type):
    @monitor
    @classmethod
    def __prepare__(mcs, name, bases, *, size=0): return {"size": size}
    @monitor(capture={"args": False})
    def __new__(mcs, name, bases, namespace, *, size=0): return super().__new__(mcs, name, bases, namespace)
    @monitor(capture={"args": False})
    def __init__(cls, name, bases, namespace, *, size=0): super().__init__(name, bases, namespace)
    @monitor
    def __call__(cls, *args): return super().__call__(*args)
    @monitor
    def __instancecheck__(cls, value): return value == cls.size
    @monitor
    def __getitem__(cls, key): return key
    @monitor
    def __len__(cls): return cls.size
    @monitor
    def __iter__(cls): return iter((cls.size,))
    @monitor
    def helper(cls): return cls.__name__
class Other(type):
    @classmethod
    @monitor
    def __prepare__(mcs, name, bases): return {}
class Made(metaclass=Meta, size=3):
    def __init__(self, value): self.value = value
class Plain(metaclass=Other): pass
print(Made(7).value, isinstance(3, Made), Made["k"], len(Made), list(Made), Made.helper(), type(Made) is Meta)
print(bool(Made), type(vars(Meta)["__new__"]), type(vars(Meta)["__prepare__"]), Plain.__name__)
"""
    assert told(run_both(run_program, program).tape) == [
        'Meta.__prepare__ name="Made" bases=[] size=3',
        "Meta.__new__",
        "Meta.__init__",
        'Other.__prepare__ name="Plain" bases=[]',
        "Meta.__call__ args=[7]",
        "Meta.__instancecheck__ value=3",
        'Meta.__getitem__ key="k"',
        "Meta.__len__",
        "Meta.__iter__",
        "Meta.__len__",
        "Meta.helper",
        "Meta.__len__",
    ]


def test_descriptor_protocol_methods_are_recorded(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
class Typed:
    @monitor
    def __set_name__(self, owner, name): self.name = name
    @monitor
    def __get__(self, instance, owner=None): return self if instance is None else vars(instance)[self.name]
    @monitor
    def __set__(self, instance, value): vars(instance)[self.name] = value
    @monitor
    def __delete__(self, instance): del vars(instance)[self.name]
class Person:
    age = Typed()
    __slots__ = ("__dict__",)
person = Person()
person.age = 4
print(person.age, Person.age.name)
del person.age
try: person.age
except KeyError as error: print(repr(error))
"""
    assert told(run_both(run_program, program).tape) == [
        'Typed.__set_name__ owner="[type __main__.Person]" name="age"',
        'Typed.__set__ instance="[Person]" value=4',
        'Typed.__get__ instance={"__class__": "Person", "age": 4} owner="[type __main__.Person]"',
        'Typed.__get__ instance=null owner="[type __main__.Person]"',
        'Typed.__delete__ instance={"__class__": "Person", "age": 4}',
        'Typed.__get__ instance="[Person]" owner="[type __main__.Person]" -> KeyError',
    ]


# Each dunder method with what makes the interpreter look it up on the type of `it`.
LOOKED_UP = {
    "__repr__(self)": ("'repr'", "repr(it)"),
    "__str__(self)": ("'str'", "str(it)"),
    "__bytes__(self)": ("b'bytes'", "bytes(it)"),
    "__format__(self, spec)": ("'f' + spec", "format(it, 'x')"),
    "__hash__(self)": ("7", "hash(it)"),
    "__eq__(self, other)": ("other == 1", "it == 1"),
    "__ne__(self, other)": ("other == 1", "it != 1"),
    "__lt__(self, other)": ("True", "it < 1"),
    "__le__(self, other)": ("True", "it <= 1"),
    "__gt__(self, other)": ("True", "it > 1"),
    "__ge__(self, other)": ("True", "it >= 1"),
    "__bool__(self)": ("False", "bool(it)"),
    "__len__(self)": ("3", "len(it)"),
    "__getitem__(self, key)": ("key", "it['k']"),
    "__setitem__(self, key, value)": ("None", "exec('it[1] = 2')"),
    "__delitem__(self, key)": ("None", "exec('del it[1]')"),
    "__contains__(self, value)": ("True", "3 in it"),
    "__iter__(self)": ("iter((1, 2))", "list(iter(it))"),
    "__next__(self)": ("9", "next(it)"),
    "__reversed__(self)": ("iter((2, 1))", "list(reversed(it))"),
    "__call__(self, *args, **named)": ("(args, named)", "it(1, a=2)"),
    "__getattr__(self, name)": ("'missing ' + name", "it.absent"),
    "__setattr__(self, name, value)": ("None", "setattr(it, 'x', 1)"),
    "__delattr__(self, name)": ("None", "delattr(it, 'x')"),
    "__dir__(self)": ("['b', 'a']", "dir(it)"),
    "__sizeof__(self)": ("64", "it.__sizeof__()"),
    "__int__(self)": ("1", "int(it)"),
    "__float__(self)": ("1.5", "float(it)"),
    "__complex__(self)": ("1j", "complex(it)"),
    "__index__(self)": ("2", "[0, 1, 2][it]"),
    "__round__(self, digits=None)": ("digits", "round(it, 2)"),
    "__trunc__(self)": ("1", "__import__('math').trunc(it)"),
    "__floor__(self)": ("1", "__import__('math').floor(it)"),
    "__neg__(self)": ("-1", "-it"),
    "__invert__(self)": ("-2", "~it"),
    "__abs__(self)": ("1", "abs(it)"),
    "__add__(self, other)": ("other", "it + 1"),
    "__radd__(self, other)": ("other", "1 + it"),
    "__iadd__(self, other)": ("other", "__import__('operator').iadd(it, 1)"),
    "__sub__(self, other)": ("NotImplemented", "attempt(lambda: it - 1)"),
    "__mul__(self, other)": ("other", "it * 2"),
    "__matmul__(self, other)": ("other", "it @ 2"),
    "__pow__(self, other, modulo=None)": ("(other, modulo)", "pow(it, 2, 3)"),
    "__divmod__(self, other)": ("(1, other)", "divmod(it, 2)"),
    "__or__(self, other)": ("other", "it | 2"),
    "__enter__(self)": ("self", "entered(it)"),
    "__exit__(self, kind, value, traceback)": ("None", "0"),
    "__fspath__(self)": ("'path'", "__import__('os').fspath(it)"),
    "__copy__(self)": ("'copied'", "__import__('copy').copy(it)"),
    "__reduce__(self)": ("(int, (5,))", "it.__reduce__()"),
    "__del__(self)": ("print('gone')", "0"),
}


def test_every_method_looked_up_on_the_type_is_recorded(run_program: RunProgram) -> None:
    methods = "".join(f"    @monitor\n    def {head}: return {body}\n" for head, (body, _) in LOOKED_UP.items())
    uses = "".join(f"print({use!r}, ({use}))\n" for _, use in LOOKED_UP.values())
    program = f"""
import gc
from calltape import monitor
def attempt(action):
    try: return action()
    except TypeError as error: return str(error)
def entered(it):
    with it: return 1
class It:
{methods}
it = It()
{uses}
del it
gc.collect()
"""
    recorded = {line.partition(" ")[0].removeprefix("It.") for line in told(run_both(run_program, program).tape)}
    assert recorded == {re.match(r"\w+", head)[0] for head in LOOKED_UP}  # type: ignore[index]


def test_exceptions_from_special_methods_have_the_same_traceback(run_program: RunProgram) -> None:
    program = """
import traceback
from calltape import monitor
class Broken:
    @monitor
    def __new__(cls, step):
        if step == 0: raise ValueError("new")
        return super().__new__(cls)
    @monitor
    def __init__(self, step):
        if step == 1: raise ValueError("init")
    @monitor
    def __getattr__(self, name): raise AttributeError(name)
    @monitor
    def __enter__(self): raise ValueError("enter")
    @monitor
    def __exit__(self, *failure): pass
    @monitor
    def __hash__(self): raise ValueError("hash")
def enter(broken):
    with broken: pass
actions = (lambda: Broken(0), lambda: Broken(1), lambda: Broken(2).gone, lambda: enter(Broken(2)), lambda: {Broken(2)})
for action in actions:
    try: action()
    except Exception: print(traceback.format_exc())
print(hasattr(Broken(2), "gone"), getattr(Broken(2), "gone", "default"))
"""
    run_both(run_program, program)
