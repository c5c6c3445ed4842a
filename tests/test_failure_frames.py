"""Where an error came from: its frames, which of them are outside the program, and the variables they held."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import RunProgram, Tape


def frames_of(tape: Tape, function: str, link: int = 0) -> list[Any]:
    frames: list[Any] = json.loads(tape.calls(function)[-1]["traceback"])[link]["frames"]
    return frames


def test_frames_of_libraries_are_marked(run_program: RunProgram, tmp_path: Path) -> None:
    for place in ("lib/site-packages/installed", "lib/dist-packages/packaged", "own"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "code.py").write_text("def run(function): function()\n")
    tape = run_program(
        """
import functools, importlib.util, json, sys
from calltape import monitor
def load(place):
    spec = importlib.util.spec_from_file_location("loaded", f"{place}/code.py")
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
    return module.run
def broken(): json.loads("{")
own, installed, packaged = (load(place) for place in sys.argv[1:])
@monitor
def fail(): own(lambda: installed(lambda: packaged(broken)))
@monitor
def frozen(): exec(compile("import no_such_module_at_all", "<string>", "exec"), {})
for function in (fail, frozen):
    try: function()
    except Exception: pass
""",
        *(str(tmp_path / place) for place in ("own", "lib/site-packages/installed", "lib/dist-packages/packaged")),
    ).tape
    told = [(frame["function"], frame.get("outside")) for frame in frames_of(tape, "fail")]
    assert told == [
        ("fail", None),
        ("run", None),
        ("fail.<locals>.<lambda>", None),
        ("run", True),
        ("fail.<locals>.<lambda>.<locals>.<lambda>", None),
        ("run", True),
        ("broken", None),
        ("loads", True),
        ("JSONDecoder.decode", True),
        ("JSONDecoder.raw_decode", True),
    ]
    assert frames_of(tape, "frozen")[-1].get("outside", False) == frames_of(tape, "frozen")[-1]["file"].startswith(
        "<frozen"
    )


def test_deep_tracebacks_keep_their_innermost_frames(run_program: RunProgram) -> None:
    tape = run_program(
        """
import sys, time
from calltape import monitor
sys.setrecursionlimit(10 ** 6)
def fall(depth): return fall(depth - 1) if depth else 1 / 0
@monitor
def deep(depth): fall(depth)
long = "f" * 100_000
space = {}
exec(compile("def wide(n): return wide(n - 1) if n else 1 / 0", "/" + long, "exec"), space)
@monitor
def names(): space["wide"](50)
kept = ValueError("raised again and again")
@monitor
def again(): raise kept
for call in (lambda: deep(10_000), names, *[again] * 10_000):
    try: call()
    except (ValueError, ZeroDivisionError): pass
"""
    ).tape
    deep = frames_of(tape, "deep")
    assert deep[0] == "... 9970 more"
    assert [frame["function"] for frame in deep[1:]] == ["fall"] * 32
    names = frames_of(tape, "names")
    assert names[0].endswith(" more")
    assert len(json.dumps(names)) < 20_000
    assert names[-1]["file"].startswith("/fff")
    again = frames_of(tape, "again")
    assert {frame["function"] for frame in again[:-1]} <= {"<module>", "again"}
    assert again[-1] == "... over 16352 more"
    assert len(again) == 33


LOCALS = """
from calltape import monitor
watched = monitor(capture={"locals": True})
"""


def test_the_variables_of_the_innermost_frames_are_kept_where_asked(run_program: RunProgram) -> None:
    tape = run_program(
        LOCALS
        + """
class Shop:
    @watched
    def place(self, order, *lines, dry_run=False, **more):
        total = sum(lines)
        password = "hunter2"
        later: int
        cell = [1, 2]
        def inner(count):
            api_key = "k-123"
            return cell[count] / 0 if count else unbound_later
        try:
            inner(1)
        except ZeroDivisionError as error:
            raise ValueError("no") from error
        unbound_later = 1
@monitor
def without(x): raise ValueError(x)
@watched
def body():
    class Inner:
        name = "inner"
        size = 1 / 0
@watched
def many():
    scope = {}
    exec("def wide():\\n" + "".join(f" v{n} = 'x' * 5000\\n" for n in range(500)) + " 1 / 0", scope)
    scope["wide"]()
@watched
def comprehension(items): return [10 / item for item in items]
@watched
def generator(): yield 1; value = 5; raise ValueError("in a generator")
for call in (lambda: Shop().place({"id": 1, "token": "t"}, 1, 2, colour="red"), lambda: without(1), body, many,
             lambda: comprehension([1, 0]), lambda: list(generator())):
    try: call()
    except (ValueError, ZeroDivisionError): pass
"""
    ).tape
    (place,) = frames_of(tape, "place")
    assert place["locals"] | {"inner": 0, "self": 0} == {
        "self": 0,
        "order": {"id": 1, "token": "***"},
        "dry_run": False,
        "lines": [1, 2],
        "more": {"colour": "red"},
        "total": 3,
        "password": "***",
        "inner": 0,
        "cell": [1, 2],
    }
    assert "hunter2" not in json.dumps(place)
    assert "unbound_later" not in place["locals"]
    cause = frames_of(tape, "place", 1)
    assert "locals" not in cause[0]  # the frame is the one above
    assert cause[1]["locals"] == {"count": 1, "api_key": "***", "cell": [1, 2]}
    assert "locals" not in frames_of(tape, "without")[0]
    assert frames_of(tape, "body")[-1]["locals"] == {"name": "inner"}
    wide = frames_of(tape, "many")[-1]["locals"]
    assert len(json.dumps(wide)) < 6000
    assert wide["..."].endswith(" more")
    assert frames_of(tape, "comprehension")[0]["locals"]["items"] == [1, 0]
    assert frames_of(tape, "generator")[0]["locals"] == {"value": 5}


def test_only_the_innermost_eight_frames_have_variables(run_program: RunProgram) -> None:
    tape = run_program(
        LOCALS
        + """
def fall(depth): return fall(depth - 1) if depth else 1 / 0
@watched
def deep():
    x = 1
    try: fall(20)
    except ZeroDivisionError as error: raise ValueError from error
try: deep()
except ValueError: pass
"""
    ).tape
    assert ["locals" in frame for frame in frames_of(tape, "deep")] == [True]
    with_locals = [frame["locals"] for frame in frames_of(tape, "deep", 1) if "locals" in frame]
    assert with_locals == [{"depth": depth} for depth in (6, 5, 4, 3, 2, 1, 0)]


def test_reading_variables_leaves_frames_and_objects_as_they_were(run_program: RunProgram) -> None:
    run_program(
        LOCALS
        + """
import gc, sys, traceback, weakref
class Thing: pass
kept = Thing()
def fail(thing):
    copy = thing
    def closure(): return copy
    raise ValueError
recorded = watched(fail)
def after(function):
    held = sys.getrefcount(kept)
    try: function(kept)
    except ValueError as error: caught = error
    during = sys.getrefcount(kept) - held
    frames = [entry.tb_frame for entry in gc_links(caught.__traceback__)]
    traceback.clear_frames(caught.__traceback__)
    return during, sys.getrefcount(kept) - held, [frame.f_code.co_name for frame in frames]
def gc_links(link):
    while link: yield link; link = link.tb_next
assert after(fail) == after(recorded), (after(fail), after(recorded))

# A debugger's changes to a running frame's variables are neither read back nor lost.
def changed():
    value = 1
    frame = sys._getframe()
    before = frame.f_locals
    before["value"] = 2
    try: recorded(before)
    except ValueError as error:
        inner = error
    return before["value"], "recorded" in before
def plain():
    value = 1
    frame = sys._getframe()
    before = frame.f_locals
    before["value"] = 2
    try: fail(before)
    except ValueError as error:
        inner = error
    return before["value"], "recorded" in before
assert changed() == plain(), (changed(), plain())

reference = None
def dropped():
    global reference
    thing = Thing(); reference = weakref.ref(thing)
    raise ValueError
try: watched(dropped)()
except ValueError: pass
assert reference() is None
"""
    )


@pytest.mark.skipif(sys.version_info < (3, 13), reason="views of frames are of 3.13")
def test_a_variable_that_a_debugger_added_is_kept_too(run_program: RunProgram) -> None:
    tape = run_program(
        LOCALS
        + """
import sys
@watched
def fail():
    sys._getframe().f_locals["added"] = 7
    raise ValueError
try: fail()
except ValueError: pass
"""
    ).tape
    assert frames_of(tape, "fail")[0]["locals"] == {"added": 7}
