"""Frames show the line of source they stood at: of real files that have not changed, and without their secrets."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from conftest import RunProgram, Tape


def sources(tape: Tape, function: str, link: int = 0) -> list[str | None]:
    frames: list[dict[str, Any]] = json.loads(tape.calls(function)[-1]["traceback"])[link]["frames"]
    return [frame.get("source") for frame in frames]


def test_frames_show_the_line_they_stood_at(run_program: RunProgram) -> None:
    tape = run_program(
        """
import json
from calltape import monitor
def inner(text):
    return json.loads(
        text,
    )
@monitor
def outer(text):
    try: inner(text)
    except ValueError as error:
        raise RuntimeError("no") from error   # after parsing
space = {}
exec(compile("def made():\\n    raise KeyError('made')", "<made>", "exec"), space)
made = monitor(space["made"])
for function, arguments in ((outer, ("{",)), (made, ())):
    try: function(*arguments)
    except Exception: pass
"""
    ).tape
    assert sources(tape, "outer") == ['raise RuntimeError("no") from error   # after parsing']
    cause = sources(tape, "outer", 1)
    assert cause[:2] == ["try: inner(text)", "return json.loads("]
    last = cause[-1] or ""
    assert last == "obj, end = self.scan_once(s, idx)" or last.startswith("raise JSONDecodeError")
    assert sources(tape, "made") == [None]


def test_lines_are_without_their_secrets(run_program: RunProgram) -> None:
    ended = run_program(
        """
from calltape import monitor
def connect(*arguments, **named): raise OSError("refused")
@monitor
def plain(): connect(host="db.example", password="hunter2")
@monitor
def url(): connect("postgres://shop:hunter2@db.example/shop")
@monitor
def folded():
    connect(
        "db", api_key=(
            "hunter2"
            + str(connect("hunter2"))
        )
    )
@monitor
def text():
    password = f\"\"\"
        hunter2 {connect()}
    \"\"\"
@monitor(sensitive_fields=["badge"])
def own(): connect(badge="hunter2", colour="red")
for function in (plain, url, folded, text, own):
    try: function()
    except OSError: pass
"""
    )
    functions = ("plain", "url", "folded", "text", "own")
    shown = {function: sources(ended.tape, function)[0] for function in functions}
    assert shown["plain"] == 'def plain(): connect(host="***", password="***")'
    assert shown["folded"] == "***"
    assert shown["own"] == 'def own(): connect(badge="***", colour="***")'
    with closing(sqlite3.connect(ended.tape.path)) as database:
        database.execute("VACUUM")
    for file in ended.tape.path.parent.rglob("*"):
        assert not file.is_file() or b"hunter2" not in file.read_bytes(), file


def test_a_file_that_changed_after_the_start_is_not_shown(run_program: RunProgram, tmp_path: Path) -> None:
    (tmp_path / "changing.py").write_text("def run():\n    raise ValueError('first')\n")
    (tmp_path / "replaced.py").write_text("def run():\n    raise ValueError('first')\n")
    tape = run_program(
        """
import os, time
import changing, replaced
from calltape import monitor
first, second = monitor(name="first")(changing.run), monitor(name="second")(changing.run)
third = monitor(name="third")(replaced.run)
time.sleep(0.05)
def call(function):
    try: function()
    except ValueError: pass
call(first)
import calltape; calltape.flush()
with open("changing.py", "w") as file: file.write("# another\\n# file = 'x'\\n")
with open("new.py", "w") as file: file.write("# another\\n# file = 'x'\\n")
os.utime("new.py", (1, 1)); os.replace("new.py", "replaced.py")
call(second); call(third)
"""
    ).tape
    assert sources(tape, "first") == ["raise ValueError('first')"]
    assert sources(tape, "second") == [None]
    assert sources(tape, "third") == [None]


def test_what_is_no_file_is_left_alone(run_program: RunProgram, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    tape = run_program(
        """
import os
from calltape import monitor
names = ["/dev/zero", "/dev/tty", "/proc/self/environ", os.path.abspath("pipe.py"), "program.py", "", "/", "<x>",
         "/etc/\\0passwd", "/" + "a" * 100_000, os.path.abspath("program.py") + "/..", "\\ud800"]
for number, name in enumerate(names):
    space = {}
    exec(compile("def fail(): raise ValueError", name.replace("\\0", "?"), "exec"), space)
    try: monitor(name=f"f{number}")(space["fail"])()
    except ValueError: pass
"""
    ).tape
    for number in range(12):
        assert sources(tape, f"f{number}") == [None]


def test_a_dead_runs_errors_have_their_lines_too(run_program: RunProgram, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(
        """
from calltape import monitor
@monitor(sensitive_fields=["badge"])
def fail():
    raise ValueError(dict(badge="hunter2"), 5)
"""
    )
    killed = run_program(
        """
import os, signal, failing
try: failing.fail()
except ValueError: pass
os.kill(os.getpid(), signal.SIGKILL)
""",
        check=False,
        env={"CALLTAPE_FLUSH_INTERVAL": "60s"},
    )
    assert killed.returncode == -9
    tape = run_program("import calltape; calltape.start(); calltape.flush()").tape
    assert sources(tape, "fail") == ['raise ValueError(dict(badge="***"), 5)']
