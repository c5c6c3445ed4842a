"""Objects that lie, raise, block, never end or change: capture reads what they store, and runs nothing of theirs."""

import importlib.util
import json
from typing import Any

import pytest
from conftest import RunProgram

PRELUDE = """
import gc, sys, types
from calltape import monitor

@monitor
def keep(value): return None

@monitor
def helper(): return "helped"

def ran(*args, **kwargs):
    import os
    os.write(2, b"the program's code ran")
    os._exit(3)
"""


def kept(run_program: RunProgram, program: str) -> list[Any]:
    tape = run_program(PRELUDE + program).tape
    return [json.loads(call["args"])["value"] for call in tape.calls("keep")]


def test_no_special_method_property_or_descriptor_runs(run_program: RunProgram) -> None:
    program = """
names = "repr str len iter bool eq hash getattr contains int index float bytes format sizeof reduce dir call next"
special = {f"__{name}__": ran for name in names.split()}
class Descriptor:
    __get__ = __set__ = __delete__ = ran
body = special | {"value": property(ran), "other": Descriptor(), "__class__": property(ran), "__dict__": property(ran)}
Hostile = type("Hostile", (), body)
class Asked(Hostile):
    __getattribute__ = ran
class List(list):
    __len__ = __iter__ = __getitem__ = __class__ = ran
class Dict(dict):
    keys = items = values = __iter__ = __len__ = __getitem__ = get = ran
class Text(str):
    __str__ = __repr__ = __len__ = __hash__ = encode = ran
class Int(int):
    __int__ = __index__ = __repr__ = __str__ = __add__ = ran
for made in (Hostile, Asked):
    value = object.__new__(made)
    keep(value)
plain = object.__new__(Hostile)
types.DynamicClassAttribute
keep(List([1])); keep(Dict(a=1)); keep(Text("t")); keep(Int(7)); keep({"k": object.__new__(Asked)})
"""
    assert kept(run_program, program) == ["[Hostile]", "[Asked]", [1], {"a": 1}, "t", 7, {"k": "[Asked]"}]


def test_class_attributes_that_lie_are_not_believed(run_program: RunProgram) -> None:
    program = """
import dataclasses, enum
class Liar:
    __class__ = dict
    _fields = ("a", "b")
    __dataclass_fields__ = ["not a dict"]
    __attrs_attrs__ = (1, "two", None)
    __pydantic_fields__ = {"a": 5}
    __struct_fields__ = 7
    _sa_class_manager = object()
    def __init__(self): self.a, self._state, self._sa_instance_state = 1, "shown", "shown too"
class Points(tuple):
    _fields = "ab"
class Numbers(tuple):
    _fields = (1, 2)
class DataFrame:
    def __init__(self): self._mgr = ran
class ndarray:
    shape = property(ran)
class UUID:
    int = property(ran)
class Decimal: __slots__ = ("__sizeof__",)
class EnumMeta(type): pass
class Colour(metaclass=EnumMeta): _name_ = "RED"
keep(Liar()); keep(Points((1, 2))); keep(Numbers((1, 2))); keep(DataFrame()); keep(ndarray()); keep(UUID())
keep(Decimal()); keep(Colour())
"""
    assert kept(run_program, program) == [
        {"__class__": "Liar", "a": 1, "_state": "shown", "_sa_instance_state": "shown too"},
        [1, 2],
        [1, 2],
        {"__class__": "DataFrame", "_mgr": "[function __main__.ran]"},
        "[ndarray]",
        "[UUID]",
        "[Decimal]",
        "[Colour]",
    ]


def test_metaclasses_are_not_asked(run_program: RunProgram) -> None:
    program = """
class Meta(type):
    def mro(cls): return [cls, Base, object] if cls.__name__ == "Odd" else super().mro()
    __instancecheck__ = __subclasscheck__ = __call__ = __len__ = __iter__ = __eq__ = ran
    __hash__ = type.__hash__
    __doc__ = property(ran)
class Asking(type):
    def __getattribute__(cls, name): ran()
class Base:
    __slots__ = ("a",)
class Keys(dict):
    def __missing__(self, key): raise KeyError(key)
class Prepared(type):
    @classmethod
    def __prepare__(meta, name, bases): return Keys()
namespace = {"__qualname__": "Odd"}
Odd = type.__new__(Meta, "Odd", (Base,), {})
odd = object.__new__(Odd)
odd.a = 1
keep(odd); keep(Odd)
Quiet = type.__new__(Asking, "Quiet", (), {})
keep(object.__new__(Quiet)); keep(Quiet)
class Kept(metaclass=Prepared):
    def __init__(self): self.x = 1
keep(Kept())
class Key(str):
    __eq__ = ran
    __hash__ = str.__hash__
class Named: pass
named = Named()
named.__dict__[Key("__calltape__")] = 1
named.__dict__[5] = "five"
keep(named)
"""
    assert kept(run_program, program) == [
        {"__class__": "Odd", "a": 1},
        "[type __main__.Odd]",
        "[Quiet]",
        "[type __main__.Quiet]",
        {"__class__": "Kept", "x": 1},
        {"__class__": "Named", "5": "five"},
    ]


def test_slots_are_read_where_they_stand_and_nowhere_else(run_program: RunProgram) -> None:
    program = """
class A:
    __slots__ = ("z", "b", "__private", "__weakref__")
    def __init__(self): self.z, self.b, self.__private = 1, 2, 3
class B(A):
    __slots__ = ("c", "z", "__dict__")
class C(A): pass
class Borrowed:
    __slots__ = ("own",)
    z = A.z
class Texts: __slots__ = "one"
class Dicts: __slots__ = {"documented": "a slot", "password": "secret"}
class Gone: __slots__ = ("left",)
a = A(); b = B(); b.c = 4; b.d = 5; c = C(); c.e = 6
del a.b
keep(a); keep(b); keep(c)
borrowed = Borrowed(); borrowed.own = 1; keep(borrowed)
one = Texts(); one.one = 1; keep(one)
documented = Dicts(); documented.documented = 1; documented.password = "hidden"; keep(documented)
keep(Gone()); keep(Gone)
A.z = 99
keep(c)
"""
    assert kept(run_program, program) == [
        {"__class__": "A", "z": 1, "_A__private": 3},
        {"__class__": "B", "b": 2, "_A__private": 3, "c": 4, "z": 1, "d": 5},
        {"__class__": "C", "z": 1, "b": 2, "_A__private": 3, "e": 6},
        {"__class__": "Borrowed", "own": 1},
        {"__class__": "Texts", "one": 1},
        {"__class__": "Dicts", "documented": 1, "password": "***"},
        "[Gone]",
        "[type __main__.Gone]",
        {"__class__": "C", "b": 2, "_A__private": 3, "e": 6},
    ]


def test_a_dict_of_attributes_is_read_in_whatever_form_it_is(run_program: RunProgram) -> None:
    program = """
class Plain: pass
def made(**attributes):
    plain = Plain()
    for name, value in attributes.items(): setattr(plain, name, value)
    return plain
early = made(a=1, b=2)
keep(early)                                  # in an array
early.__dict__                               # in a dict
keep(early)
early.c = 3; del early.a
keep(early)
later = made(b=1, a=2); del later.b; later.b = 3
keep(later)                                  # another order than the class's
many = made(**{f"n{n}": n for n in range(40)})
keep(many)                                   # more than an array holds
class Sub(dict): __iter__ = keys = items = __getitem__ = ran
swapped = Plain(); swapped.__dict__ = Sub(x=1)
keep(swapped)
class Overridden:
    __dict__ = property(ran)
overridden = Overridden(); overridden.y = 1
keep(overridden)
class Number(int): pass
number = Number(5); number.unit = "m"
keep(number)
error = ValueError("v"); error.extra = 1
keep(error)
empty = made()
keep(empty)
keep(made(password="hidden", nested=made(token="hidden", author="ann")))
assert vars(early) == {"b": 2, "c": 3} and vars(later) == {"a": 2, "b": 3} and later.b == 3
"""
    values = kept(run_program, program)
    assert values[:4] == [
        {"__class__": "Plain", "a": 1, "b": 2},
        {"__class__": "Plain", "a": 1, "b": 2},
        {"__class__": "Plain", "b": 2, "c": 3},
        {"__class__": "Plain", "a": 2, "b": 3},
    ]
    assert values[4] == {"__class__": "Plain"} | {f"n{n}": n for n in range(20)} | {"...": "20 more"}
    assert values[5:] == [
        {"__class__": "Plain", "x": 1},
        {"__class__": "Overridden", "y": 1},
        5,
        "[ValueError: v]",
        "[Plain]",
        {
            "__class__": "Plain",
            "password": "***",
            "nested": {"__class__": "Plain", "token": "***", "author": "ann"},
        },
    ]


def test_capture_makes_no_dict_for_an_object_that_has_none(run_program: RunProgram) -> None:
    program = """
import tracemalloc
class Plain:
    def __init__(self, n): self.a, self.b, self.c = n, n, n
things = [Plain(n) for n in range(20_000)]
keep(things[0])
tracemalloc.start()
before = tracemalloc.get_traced_memory()[0]
for thing in things: keep(thing)
grown = tracemalloc.get_traced_memory()[0] - before
assert grown < 200_000 or sys.version_info >= (3, 14), grown
assert all(thing.a == thing.b == thing.c == n for n, thing in enumerate(things))
"""
    run_program(PRELUDE + program)


def test_a_class_that_changes_is_looked_at_again(run_program: RunProgram) -> None:
    program = """
class Changing:
    def __init__(self): self.a = 1
changing = Changing()
keep(changing)
Changing.__calltape__ = lambda self: "shown"
keep(changing)
del Changing.__calltape__
keep(changing)
Changing.__name__ = "Changed"
keep(changing)
class Mixed:
    def __calltape__(self): return "mixed"
class Free: pass
class Bases(Free): pass
bases = Bases()
keep(bases)
Bases.__bases__ = (Mixed,)
keep(bases)
Mixed.__calltape__ = None
keep(bases)
changing.__class__ = Free
keep(changing)
"""
    assert kept(run_program, program) == [
        {"__class__": "Changing", "a": 1},
        "shown",
        {"__class__": "Changing", "a": 1},
        {"__class__": "Changed", "a": 1},
        "[Bases]",
        "mixed",
        "[Bases]",
        {"__class__": "Free", "a": 1},
    ]


def test_classes_by_the_hundred_thousand_leave_no_memory_and_are_not_mixed_up(run_program: RunProgram) -> None:
    program = """
import resource
def rounds(count):
    for n in range(count):
        body = {"__slots__": ("a", "b")} if n % 3 else {}
        made = type(f"Made{n}", (), body)
        value = made(); value.a = n; value.b = "x"
        keep(value)
        del value, made
        if n % 1000 == 0: gc.collect()
rounds(20_000)
gc.collect()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rounds(100_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    ended = run_program(PRELUDE + program, env={"CALLTAPE_ON_FULL": "block", "CALLTAPE_JOURNAL_LIMIT": "16MiB"})
    assert int(ended.stdout) < 40_000  # KiB; a class alone is above 1 KiB
    values = [json.loads(row["args"])["value"] for row in ended.tape.rows("SELECT args FROM calls ORDER BY id")]
    wrong = [
        value
        for n, value in enumerate(values)
        if value
        != {"__class__": f"Made{n if n < 20_000 else n - 20_000}", "a": n if n < 20_000 else n - 20_000, "b": "x"}
    ]
    assert len(values) == 120_000
    assert wrong == []


def test_finalisers_that_call_monitored_functions_pass_through(run_program: RunProgram) -> None:
    program = """
class Dies:
    def __init__(self): self.me = self
    def __del__(self): helper()
class Plain:
    def __init__(self): self.a = [1]
gc.set_threshold(1)
for _ in range(300):
    Dies()
    keep(Plain()); keep({"a": (1, Plain())})
"""
    assert len(kept(run_program, program)) == 600


def test_odd_names_of_types(run_program: RunProgram) -> None:
    program = """
for name in ("", ".", "a.b", "x" * 5000, "\\u00e9\\U0001f600", "new\\nline", 'quote"', "password=hidden-pw"):
    made = type(name, (), {})
    keep(made())
    value = made(); value.a = 1
    keep(value)
"""
    values = kept(run_program, program)
    assert values[:2] == ["[]", {"__class__": "", "a": 1}]
    assert len(json.dumps(values[6])) < 1000
    assert values[8] == "[\u00e9\U0001f600]"


def test_fields_that_their_class_does_not_show_are_masked(run_program: RunProgram) -> None:
    program = """
from dataclasses import dataclass, field
from typing import NamedTuple
@dataclass
class User:
    name: str
    pin_hint: str = field(default="hidden", repr=False)
@dataclass(slots=True)
class Slotted(User):
    extra: str = field(default="hidden", repr=0)
class Secret(str): pass
class SecretStr:
    def __init__(self): self.value = "hidden"
class Derived(SecretStr): pass
class Card(NamedTuple):
    owner: str
    password: str
keep(User("ann")); keep(Slotted("bob")); keep(Secret("hidden")); keep(SecretStr()); keep(Derived())
keep(Card("ann", "hidden"))
"""
    assert kept(run_program, program) == [
        {"__class__": "User", "name": "ann", "pin_hint": "***"},
        {"__class__": "Slotted", "extra": "***", "name": "bob", "pin_hint": "***"},
        "***",
        "***",
        "***",
        {"__class__": "Card", "owner": "ann", "password": "***"},
    ]


# What each library's object is made of: its class, and a value that never ran its `__init__`.
HALF_BUILT = {
    "attr": "attr.define(type('A', (), {'__annotations__': {'x': int}}))",
    "django.http": "django.http.HttpRequest, django.http.HttpResponse",
    "httpx": "httpx.Request, httpx.Response, httpx.URL, httpx.Headers, httpx.Client",
    "msgspec": "msgspec.defstruct('S', ['x', 'y'])",
    "numpy": "numpy.ndarray, numpy.matrix, numpy.ma.MaskedArray, numpy.dtype, numpy.float64",
    "pandas": "pandas.DataFrame, pandas.Series, pandas.Index, pandas.RangeIndex, pandas.Timestamp, pandas.Categorical",
    "PIL.Image": "PIL.Image.Image",
    "polars": "polars.DataFrame, polars.Series, polars.LazyFrame",
    "pyarrow": "pyarrow.Table, pyarrow.RecordBatch, pyarrow.Array, pyarrow.ChunkedArray, pyarrow.Int64Array",
    "pydantic": "pydantic.create_model('M', x=(int, 1)), pydantic.SecretStr",
    "requests": "requests.Response, requests.Request, requests.PreparedRequest, requests.Session",
    "scipy.sparse": "scipy.sparse.csr_matrix, scipy.sparse.coo_array, scipy.sparse.dok_matrix, scipy.sparse.lil_matrix",
    "sqlalchemy.orm": "sqlalchemy.orm.Session, sqlalchemy.orm.Query",
    "starlette.requests": "starlette.requests.Request",
    "unittest.mock": "unittest.mock.Mock, unittest.mock.MagicMock, unittest.mock.NonCallableMock",
    "werkzeug.local": "werkzeug.local.LocalProxy",
    "wrapt": "wrapt.ObjectProxy, wrapt.FunctionWrapper",
    "flask": "flask.Request, flask.Response, flask.Flask",
    "asyncio": "asyncio.Task, asyncio.Future",
    "io": "io.TextIOWrapper, io.BufferedReader, io.FileIO, io.BytesIO",
    "threading": "threading.Thread",
    "socket": "socket.socket",
    "pathlib": "pathlib.PosixPath, pathlib.PurePath",
    "fractions": "fractions.Fraction",
    "uuid": "uuid.UUID",
    "enum": "enum.Enum('E', 'A')",
    "collections": "collections.UserDict, collections.UserList, collections.UserString, collections.ChainMap",
    "functools": "functools.partialmethod",
    "types": "types.ModuleType, types.SimpleNamespace",
    "logging": "logging.Logger",
    "datetime": "datetime.datetime, datetime.time",
}


@pytest.mark.parametrize("module", HALF_BUILT)
def test_half_built_objects_of_each_library_are_captured(run_program: RunProgram, module: str) -> None:
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        pytest.skip(f"{module} is not installed")
    program = f"""
import {module}
def bases(kind):
    return [base for base in type.__getattribute__(kind, "__mro__") if "__new__" in vars(base)]
chosen = {HALF_BUILT[module]}
keep(0)
count = 1
for kind in chosen if type(chosen) is tuple else (chosen,):
    try:
        class Derived(kind): pass
    except TypeError:
        Derived = kind
    for made in (kind, Derived):
        for base in (object, *bases(made)):
            try:
                value = base.__new__(made)
            except BaseException:
                continue
            keep(value); keep([value])
            count += 2
print(count)
"""
    ended = run_program(PRELUDE + program, env={"PYTHONWARNINGS": "ignore"})
    values = [json.loads(call["args"])["value"] for call in ended.tape.calls("keep")]
    assert len(values) == int(ended.stdout)
