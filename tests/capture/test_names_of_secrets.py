"""Names of secrets where they are not plain keys, and secrets in names: both are withheld, also where a name is cut."""

import enum
import json
import re
import threading
import types
from typing import Any

import pytest
from conftest import RunProgram

from calltape import SmartSerializer

SECRET = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6y"


class Field(enum.Enum):
    USER = 1
    PASSWORD = 2


def test_a_key_names_a_secret_by_what_is_shown_of_it() -> None:
    serialize = SmartSerializer().serialize
    assert serialize({Field.PASSWORD: "hidden", Field.USER: "ann"}) == '{"Field.PASSWORD":"***","Field.USER":"ann"}'
    assert serialize({("db", "password"): "hidden", ("db", "author"): 1}) == (
        '{"[\\"db\\",\\"password\\"]":"***","[\\"db\\",\\"author\\"]":1}'
    )
    assert serialize({(1, 2): 3, None: 4}) == '{"[1,2]":3,"None":4}'


def test_what_comes_after_an_option_that_names_a_secret_is_withheld() -> None:
    serialize = SmartSerializer().serialize
    assert serialize(["mysql", "--password", "hidden", "-v"]) == '["mysql","--password","***","-v"]'
    assert serialize(("--api-key", "hidden", "--author", "ann")) == '["--api-key","***","--author","ann"]'
    assert serialize(["password", "of", "ann"]) == '["password","of","ann"]'


def named(name: str) -> list[Any]:
    def function() -> None: ...

    function.__qualname__ = name
    kind = type(name, (), {})
    make_enum: Any = enum.Enum
    return ([] if len(name) > 150 else [kind(), type(name, (ValueError,), {})("x")]) + [
        kind,
        threading.Thread(name=name),
        types.ModuleType(name),
        function,
        make_enum("Made", {name: 1})[name],
        re.compile(name),
    ]


@pytest.mark.parametrize("before", [0, 80, 170, 185, 190, 480, 960, 985])
def test_names_hold_no_part_of_a_secret(before: int) -> None:
    for secret in (SECRET, TOKEN):
        for value in named("x y " * (before // 4) + secret):
            for shown in (SmartSerializer().serialize(value), SmartSerializer(max_repr=200).serialize([value])):
                parts = [part for part in ("AKIA", "eyJhbGci", "eyJzdWIi") if part in shown]
                assert not parts, shown


def test_names_of_spans_values_tasks_and_threads_are_masked(run_program: RunProgram) -> None:
    program = """
import asyncio, threading
from calltape import current, monitor, span
URL = "postgres://ann:hidden@host/db"
@monitor
async def work():
    current().set(f"to {URL}", 1)
    with span(f"connect {URL}"): pass
async def main():
    await asyncio.create_task(work(), name=f"task {URL}")
asyncio.run(main())
@monitor
def alone(): pass
thread = threading.Thread(target=alone, name=f"thread {URL}")
thread.start()
thread.join()
"""
    tape = run_program(program).tape
    [work], [connect] = tape.calls("work"), [call for call in tape.calls() if call["kind"] == "span"]
    assert json.loads(work["args"]) == {"(set)": {"to postgres://ann:***@host/db": 1}}
    assert work["task"] == "task postgres://ann:***@host/db"
    assert tape.calls("alone")[0]["thread"] == "thread postgres://ann:***@host/db"
    assert connect["function"] == "connect postgres://ann:***@host/db"
    assert b"hidden" not in tape.path.read_bytes()


def test_what_is_left_out_of_the_arguments_is_no_local_variable_and_no_keyword(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor(capture={"locals": True, "args": {"user": False, "other": False}})
def fail(user, /, item, **more):
    item = item + 1
    raise ValueError
try: fail("hidden", 1, user="hidden", other="hidden")
except ValueError: pass
"""
    tape = run_program(program).tape
    [fail] = tape.calls("fail")
    assert json.loads(fail["args"]) == {"item": 1}
    assert '"user":"***","item":2,"more":"***"' in fail["traceback"]
    assert b"hidden" not in tape.path.read_bytes()


def test_what_a_function_withholds_is_withheld_in_its_spans_and_set_values(run_program: RunProgram) -> None:
    program = """
from calltape import current, monitor, span
with span("outside", badge="shown before"): pass
@monitor(sensitive_fields=["badge"])
def enter(badge):
    current().set("badge", "canary")
    current().set("seen", {"badge": "canary"})
    with span("door", badge="canary", place="lab"): pass
    with span("outside", badge="canary"): pass
enter("canary")
"""
    tape = run_program(program).tape
    assert "canary" not in json.dumps(tape.rows("SELECT args FROM calls"))
    assert [json.loads(call["args"]) for call in tape.calls("door")] == [{"badge": "***", "place": "lab"}]
