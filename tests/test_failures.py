"""What a failed call leaves: type, message, place, the chain of causes; the program sees its exception untouched."""

import json

from conftest import RunProgram

PROGRAM = """
import json, traceback
from calltape import monitor

class Refused(Exception):
    def __str__(self): raise SystemExit("user code ran")

@monitor
def parse(text): return json.loads(text)

@monitor
def load(text):
    try:
        return parse(text)
    except ValueError as error:
        raise Refused("no order", 7) from error

@monitor
def context():
    try:
        1 / 0
    except ZeroDivisionError:
        {}["missing"]

@monitor
def suppressed():
    try:
        1 / 0
    except ZeroDivisionError:
        raise OSError(2, "No such file", "/srv/x") from None

for function, argument in ((load, ("{",)), (context, ()), (suppressed, ())):
    try:
        function(*argument)
    except Exception as error:
        frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
        print(type(error).__name__, frames)

@monitor
def leave(): raise SystemExit(3)
@monitor
def interrupt(): raise KeyboardInterrupt
for function in (leave, interrupt):
    try:
        function()
    except BaseException as error:
        print(type(error).__name__)
"""


def test_the_tape_tells_type_message_and_chain(run_program: RunProgram) -> None:
    tape = run_program(PROGRAM).tape
    parse, load = tape.calls("parse")[0], tape.calls("load")[0]
    assert parse["status"] == load["status"] == "error"
    assert parse["error_type"] == "json.decoder.JSONDecodeError"
    assert parse["error_message"].startswith("Expecting property name")
    assert load["error_type"] == "__main__.Refused"
    assert load["error_message"] == "('no order', 7)"
    chain = json.loads(load["traceback"])
    assert [(link["type"], link["relation"]) for link in chain] == [
        ("__main__.Refused", None),
        ("json.decoder.JSONDecodeError", "cause"),
    ]
    assert [frame["function"] for frame in chain[0]["frames"]] == ["load"]
    assert [frame["function"] for frame in chain[1]["frames"]][:2] == ["load", "parse"]
    assert chain[1]["frames"][-1]["file"].endswith("decoder.py")


def test_context_is_told_and_suppressed_context_is_not(run_program: RunProgram) -> None:
    tape = run_program(PROGRAM).tape
    links = [(link["type"], link["relation"]) for link in json.loads(tape.calls("context")[0]["traceback"])]
    assert links == [("KeyError", None), ("ZeroDivisionError", "context")]
    assert tape.calls("context")[0]["error_message"] == "'missing'"
    assert len(json.loads(tape.calls("suppressed")[0]["traceback"])) == 1
    assert tape.calls("suppressed")[0]["error_type"] == "FileNotFoundError"
    assert "/srv/x" in tape.calls("suppressed")[0]["error_message"]


def test_the_program_sees_its_own_exception_and_no_frame_of_calltapes(run_program: RunProgram) -> None:
    ended = run_program(PROGRAM)
    assert ended.stdout.splitlines() == [
        "Refused ['<module>', 'load']",
        "KeyError ['<module>', 'context']",
        "FileNotFoundError ['<module>', 'suppressed']",
        "SystemExit",
        "KeyboardInterrupt",
    ]
    assert [call["error_type"] for call in ended.tape.calls("leave")] == ["SystemExit"]
    assert [call["error_type"] for call in ended.tape.calls("interrupt")] == ["KeyboardInterrupt"]


def test_the_exception_object_and_its_context_are_untouched(run_program: RunProgram) -> None:
    program = """
import gc, sys, weakref
from calltape import monitor

class Trouble(Exception): pass
kept = Trouble("one")
def bare(): raise kept
recorded = monitor(bare)
for function in (bare, recorded):
    try:
        function()
    except Trouble as error:
        assert error is kept and error.__context__ is None and error.__cause__ is None and error.args == ("one",)
        assert sys.exc_info()[1] is kept
    kept.__traceback__ = None
assert sys.getrefcount(kept) == 2, sys.getrefcount(kept)

def nested():
    try:
        raise ValueError("inner")
    finally:
        recorded_quiet()
recorded_quiet = monitor(lambda: sys.exc_info()[0])
try:
    nested()
except ValueError as error:
    assert error.__context__ is None
reference = None
def dropped():
    global reference
    error = Trouble("gone")
    reference = weakref.ref(error)
    raise error
try:
    monitor(dropped)()
except Trouble:
    pass
gc.collect()
assert reference() is None
"""
    run_program(program)


def test_a_huge_or_hostile_message_is_bounded(run_program: RunProgram) -> None:
    program = """
from calltape import monitor

class Item:
    def __repr__(self): raise SystemExit("user code ran")
@monitor
def fail(*args): raise RuntimeError(*args)
for args in (("x" * 10_000_000,), (Item(),), ("a" * 1_000_000, 2), (10 ** 10_000,), (b"z" * 5_000_000,)):
    try: fail(*args)
    except RuntimeError: pass
@monitor
def cycle():
    a, b = ValueError("a"), ValueError("b")
    a.__cause__, b.__cause__ = b, a
    raise a
try: cycle()
except ValueError: pass
"""
    tape = run_program(program).tape
    messages = [call["error_message"] for call in tape.calls("fail")]
    assert messages[0].endswith("... [10000000 chars]")
    assert messages[1] == "[Item]"
    assert messages[3] == "[int]"
    assert all(len(message) < 1100 for message in messages)
    assert len(json.loads(tape.calls("cycle")[0]["traceback"])) == 2


def test_messages_read_as_the_interpreters_own(run_program: RunProgram) -> None:
    program = """
import json
from calltape import monitor
cases = {
    "plain": lambda: (_ for _ in ()).throw(ValueError("bad")),
    "empty": lambda: (_ for _ in ()).throw(ValueError()),
    "number": lambda: (_ for _ in ()).throw(ValueError(5)),
    "several": lambda: (_ for _ in ()).throw(ValueError("a", 2, None, True)),
    "key": lambda: {}["it's"],
    "file": lambda: open("/nowhere/at all"),
    "rename": lambda: __import__("os").rename("/nowhere/a", "/nowhere/b"),
    "syntax": lambda: compile("x = (", "/srv/module.py", "exec"),
    "decode": lambda: b"ab\\xff".decode("utf-8"),
    "decode many": lambda: b"\\xe4\\xb8".decode("utf-8"),
    "zero": lambda: 1 // 0,
    "attribute": lambda: None.nothing,
    "name": lambda: nothing_here,
    "exit": lambda: exec("raise SystemExit(3)"),
    "group": lambda: exec("raise ExceptionGroup('several', [ValueError(1), KeyError(2)])"),
    "group of one": lambda: exec("raise ExceptionGroup('one', (ValueError(1),))"),
    "json": lambda: json.loads("{"),
}
@monitor
def case(name): cases[name]()
for name in cases:
    try: case(name)
    except BaseException as error: print(json.dumps(str(error)))
"""
    ended = run_program(program)
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [call["error_message"] for call in ended.tape.calls("case")] == told


def test_an_error_is_kept_with_its_kind_whatever_the_settings(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor(max_repr=1_000_000)
def fail(text): raise type("E" * 200_000, (ValueError,), {})(text)
try: fail("m" * 900_000)
except ValueError: pass
"""
    (call,) = run_program(program).tape.calls("fail")
    assert call["status"] == "error"
    assert call["error_type"].startswith("__main__.EEEE")
    assert len(call["error_type"]) < 600
    assert call["error_message"].endswith("... [900000 chars]")


def test_no_user_code_runs_for_a_message(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
class Weird(str):
    def __str__(self): raise SystemExit("user code ran")
    __repr__ = __format__ = __len__ = __str__
class Odd:
    def __repr__(self): raise SystemExit("user code ran")
    __str__ = __repr__
@monitor
def fail(error): raise error
syntax = SyntaxError("m"); syntax.msg = Odd(); syntax.filename = Weird("f")
errors = [OSError(2, "m", Odd()), OSError(2, Weird("w")), OSError(Odd(), Odd()), syntax, ValueError(Weird("w"))]
for error in [*errors, KeyError(Odd())]:
    try: fail(error)
    except Exception: pass
"""
    messages = [call["error_message"] for call in run_program(program).tape.calls("fail")]
    assert messages == ["[Errno 2] m: [Odd]", "[Errno 2] w", "[Errno [Odd]] [Odd]", " (f)", "w", "[Odd]"]
