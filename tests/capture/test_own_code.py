"""The program's own code for showing objects: register, `__calltape__` and repr. Its faults stay its own."""

import json
import re
from typing import Any

import pytest
from conftest import RunProgram

import calltape

PRELUDE = """
import logging, sys, threading
import calltape
from calltape import current, monitor, register, span, stats

@monitor
def keep(value): return None

@monitor
def helper(): return "helped"

class Order:
    def __init__(self, number): self.number, self.items = number, ["tea"]
"""


# On a busy machine a thread may be put aside while the program's code runs, and that time counts.
PATIENT = {"CALLTAPE_MAX_CAPTURE_TIME": "10s"}


def kept(run_program: RunProgram, program: str, function: str = "keep") -> list[Any]:
    tape = run_program(PRELUDE + program, env=PATIENT).tape
    return [json.loads(call["args"])["value"] for call in tape.calls(function)]


def test_a_registered_function_shows_objects_of_its_type_and_of_subclasses(run_program: RunProgram) -> None:
    program = """
class Special(Order): pass
keep(Order(1))
assert register(Order, lambda order: {"order": order.number, "password": "hidden"}) is None
keep(Order(2)); keep(Special(3)); keep([Order(4)])
register(Special, lambda order: f"special {order.number}")
keep(Special(5)); keep(Order(6))
register(Order, None)
keep(Order(7)); keep(Special(8))
register(Special, None); register(Special, None)
keep(Special(9))
"""
    assert kept(run_program, program) == [
        {"__class__": "Order", "number": 1, "items": ["tea"]},
        {"order": 2, "password": "***"},
        {"order": 3, "password": "***"},
        [{"order": 4, "password": "***"}],
        "special 5",
        {"order": 6, "password": "***"},
        {"__class__": "Order", "number": 7, "items": ["tea"]},
        "special 8",
        {"__class__": "Special", "number": 9, "items": ["tea"]},
    ]


def test_a_type_shows_itself_by_its_method(run_program: RunProgram) -> None:
    program = """
class Shown:
    def __calltape__(self): return ("shown", type(self).__name__)
class Derived(Shown): pass
class Not(Shown): __calltape__ = None
class Text(str):
    def __calltape__(self): return len(self)
class Static:
    @staticmethod
    def __calltape__(): return "static"
keep(Shown()); keep(Derived()); keep(Not()); keep(Text("abc")); keep(Static())
plain = Order(1)
plain.__dict__.clear()
plain.__calltape__ = lambda: sys.exit("the instance was asked")
keep(plain)
"""
    assert kept(run_program, program) == [["shown", "Shown"], ["shown", "Derived"], "[Not]", 3, "static", "[Order]"]


def test_the_nearest_base_decides_between_function_and_method(run_program: RunProgram) -> None:
    program = """
class Base: pass
class Derived(Base):
    def __calltape__(self): return "method"
register(Base, lambda base: "function")
keep(Base()); keep(Derived())
register(Derived, lambda derived: "own function")
keep(Derived())
"""
    assert kept(run_program, program) == ["function", "method", "own function"]


def test_repr_is_run_where_capture_asks_for_it(run_program: RunProgram) -> None:
    program = """
import dataclasses
@monitor(capture={"repr": True})
def ask(value): return value
@dataclasses.dataclass
class User: name: str = "ann"
class Loud:
    __slots__ = ()
    def __repr__(self): return "loud " * 1000
class Wrong:
    def __repr__(self): return 5
ask(User()); ask([Loud()]); ask(Wrong()); ask({"a": (1, "x")}); ask(ValueError("v"))
keep(User()); keep(Loud())
"""
    user, [loud], wrong, plain, error = kept(run_program, program, "ask")
    assert user == "User(name='ann')" or user == "ask.<locals>.User(name='ann')"
    assert isinstance(loud, str)
    assert loud.startswith("loud loud")
    assert loud.endswith("... [5000 chars]")
    assert wrong == "[Wrong: __repr__ raised TypeError]"
    assert plain == {"a": [1, "x"]}
    assert error == "[ValueError: v]"


@pytest.mark.parametrize(
    "error", ["ValueError('no')", "SystemExit(3)", "GeneratorExit()", "BaseException()", "MyError"]
)
def test_what_it_raises_becomes_a_marker(run_program: RunProgram, error: str) -> None:
    program = f"""
class MyError(BaseException):
    def __str__(self): sys.exit("the exception was asked")
    __repr__ = __str__
class Broken:
    def __calltape__(self): raise {error}
try:
    raise KeyError("the program's own")
except KeyError:
    keep(Broken())
    assert sys.exc_info()[0] is KeyError
keep([1, Broken(), 2])
print(stats().failed_captures)
"""
    name = re.match(r"\w+", error)
    assert name
    marker = f"[Broken: __calltape__ raised {name[0]}]"
    ended = run_program(PRELUDE + program, env=PATIENT)
    assert [json.loads(call["args"])["value"] for call in ended.tape.calls("keep")] == [marker, [1, marker, 2]]
    assert ended.stdout == "2\n"


def test_after_five_failures_it_is_not_run_any_more_and_the_log_says_so_once(run_program: RunProgram) -> None:
    program = """
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
calls = []
def show(order):
    calls.append(order)
    raise ValueError("no")
class Special(Order): pass
register(Order, show)
for number in range(20):
    keep(Special(number) if number % 2 else Order(number))
print(len(calls), stats().failed_captures)
stats()
register(Order, lambda order: order.number)
keep(Order(21))
"""
    ended = run_program(PRELUDE + program, env=PATIENT)
    values = [json.loads(call["args"])["value"] for call in ended.tape.calls("keep")]
    assert all("registered function raised ValueError" in value for value in values[:5])
    assert values[4:8] == [values[4], "[Special]", "[Order]", "[Special]"]
    assert values[20] == 21
    lines = ended.stdout.splitlines()
    assert "5 5" in lines
    (said,) = [line for line in lines if line.startswith("WARNING") and "registered function" in line]
    assert said.endswith("it is not run any more, and objects of the type are only named")


def test_monitored_calls_spans_and_values_within_are_not_recorded(run_program: RunProgram) -> None:
    program = """
class Busy:
    def __calltape__(self):
        helper()
        with span("inner", a=1):
            helper()
        current().set("key", "value")
        # Another thread records its own calls, and gets its turn meanwhile.
        thread = threading.Thread(target=helper); thread.start(); thread.join()
        return "busy"
@monitor
def outer():
    keep(Busy())
    return helper()
outer()
"""
    tape = run_program(PRELUDE + program, env=PATIENT).tape
    calls = [(call["function"].rpartition(".")[2], call["parent_id"] is not None) for call in tape.calls()]
    assert sorted(calls) == [("helper", False), ("helper", True), ("keep", True), ("outer", False)]
    assert json.loads(tape.calls("keep")[0]["args"]) == {"value": "busy"}


def test_recursion_ends(run_program: RunProgram) -> None:
    program = """
class Itself:
    def __init__(self): self.a = 1
    def __calltape__(self): return self
class Within:
    def __calltape__(self): return {"me": self}
class Ever:
    def __calltape__(self): return Ever()
class Deep:
    def __calltape__(self): return self.__calltape__()
class List:
    def __calltape__(self): return [List(), List()]
keep(Itself()); keep(Within()); keep(Ever()); keep(Deep()); keep(List())
def down(n):
    return keep(Itself()) if n == 0 else down(n - 1)
down(sys.getrecursionlimit() - 40)
"""
    itself, within, ever, deep, nested, low = kept(run_program, program)
    assert itself == {"__class__": "Itself", "a": 1} == low
    assert within == {"me": "[circular Within]"}
    assert ever == "[Ever]"
    assert deep == "[Deep: __calltape__ raised RecursionError]"
    assert "[List]" in json.dumps(nested)


def test_a_keyboard_interrupt_is_the_programs(run_program: RunProgram) -> None:
    program = """
import os, signal, time
class Slow:
    def __calltape__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
        return "slept"
try:
    keep(Slow())
    for _ in range(1000): pass
except KeyboardInterrupt:
    print("interrupted")
print(stats().failed_captures)
"""
    ended = run_program(PRELUDE + program, env=PATIENT)
    assert ended.stdout == "interrupted\n0\n"


def test_what_is_captured_may_change_meanwhile(run_program: RunProgram) -> None:
    program = """
class Clears:
    def __calltape__(self):
        things.clear(); table.clear(); holder.__dict__.clear(); chosen.discard(self)
        holder.other = 1
        return "cleared"
class Holder: pass
class Turns:
    def __calltape__(self):
        self.__class__ = Holder
        return "turned"
for _ in range(50):
    things = [Clears(), *range(20)]; table = {}; holder = Holder(); chosen = set()
    keep(things)
    table = {"a": Clears()} | {str(n): n for n in range(30)}
    keep(table)
    holder.first, holder.second = Clears(), [1]
    keep(holder)
    chosen = {Clears(), 1, 2, 3}
    keep(chosen)
    keep([Turns(), Turns()])
"""
    values = kept(run_program, program)
    assert len(values) == 250
    assert values[0] == ["cleared"] or values[0][0] == "cleared"


def test_code_that_ends_the_run_or_forks_leaves_no_damage(run_program: RunProgram) -> None:
    program = """
import os
class Forks:
    def __calltape__(self):
        child = os.fork()
        if child == 0:
            return "in the child"
        os.waitpid(child, 0)
        return "in the parent"
parent = os.getpid()
keep(1)
keep(Forks())
helper()
if os.getpid() != parent:
    os._exit(0)
class Stops:
    def __calltape__(self):
        calltape.stop()
        return "stopped"
keep(Stops())
helper()
calltape.start()
helper()
@monitor
def give(): return Stops()
give()
print(stats().faults)
"""
    ended = run_program(PRELUDE + program, env=PATIENT)
    assert ended.stdout == "0\n"
    tape = ended.tape
    values = [json.loads(call["args"])["value"] for call in tape.calls("keep")]
    assert 1 in values
    assert "in the parent" in values
    assert {call["status"] for call in tape.calls("helper")} == {"ok"}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("Order", len), TypeError, "register: the first argument must be a type, not str"),
        ((dict, len), ValueError, "register: dict is captured as it is"),
        ((object, len), ValueError, "register: object is captured as it is"),
        ((type(None), len), ValueError, "register: NoneType is captured as it is"),
        ((Exception, 5), TypeError, "register: the second argument must be a function of one object, or None"),
    ],
)
def test_a_wrong_registration_says_what_is_wrong(
    arguments: tuple[type, None], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        calltape.register(*arguments)


def test_a_type_that_was_registered_can_go(run_program: RunProgram) -> None:
    program = """
import gc, weakref
def once():
    class Short: pass
    register(Short, lambda short: 1)
    keep(Short())
    register(Short, None)
    return weakref.ref(Short)
reference = once()
gc.collect()
assert reference() is None
"""
    assert kept(run_program, program) == [1]
