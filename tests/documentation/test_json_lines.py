"""docs/json-lines.md names each member of the objects that `--json` prints, and each command that prints them."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import REPOSITORY, RunProgram
from test_commands import commands, help_of

PAGE = REPOSITORY / "docs" / "json-lines.md"
WITHOUT_LINES = {"completions"}

pytestmark = pytest.mark.skipif("CALLTAPE_FURTHER_INTERPRETER" in os.environ, reason="done on the first interpreter")

Cli = Callable[..., subprocess.CompletedProcess[str]]

# A tape with calls of two functions, an error, and a process that died in a call.
RECORDED = """
import os, sys
import calltape
from calltape import monitor

@monitor
def charge(amount):
    if amount < 0:
        raise ValueError("no")
    if amount > 99:
        os._exit(0)
    return amount

@monitor(group="shop")
def place(amounts):
    return [charge(amount) for amount in amounts]

place([1, 2])
try:
    place([-1])
except ValueError:
    pass
if "dies" in sys.argv:
    place([100])
if "waits" in sys.argv:
    with calltape.span("waiting"):
        sys.stdin.read()
"""


def documented() -> dict[str, set[str]]:
    """The members of each command's objects, as the tables of its section and of those it rests on name them."""
    found: dict[str, set[str]] = {}
    text = PAGE.read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        heading = section.split("\n", 1)[0].removeprefix("`calltape ").rstrip("`")
        rows = re.findall(r"^\| ([a-z_0-9, ]+) \|", section, re.MULTILINE)
        members = {member for row in rows[0:] for member in row.split(", ")} - {"member"}
        found[heading] = members | (found["A call"] if "[call](#a-call)" in section else set())
    return found


def printed(cli: Cli, tape: Path, *command: str) -> set[str]:
    """The members of all objects that a command prints for the tape, which are found within some seconds."""
    deadline = time.monotonic() + 60
    while not (done := cli("--db", tape, "--json", *command)).stdout:
        assert time.monotonic() < deadline, (command, done.stderr)
    return {member for line in done.stdout.splitlines() for member in json.loads(line)}


@contextmanager
def waiting(program: Path, environment: dict[str, str]) -> Iterator[None]:
    """A process that is inside a call for as long as the block lasts."""
    command = [sys.executable, str(program), "waits"]
    with subprocess.Popen(command, env=environment, cwd=program.parent, stdin=subprocess.PIPE) as process:
        yield
        process.communicate(timeout=60)


def test_the_page_has_each_command_that_prints_lines() -> None:
    assert documented().keys() - {"A call"} == set(commands()) - WITHOUT_LINES


def test_the_page_names_each_member_and_no_other(
    run_program: RunProgram, calltape_cli: Cli, environment: dict[str, str], tmp_path: Path
) -> None:
    run_program(RECORDED)
    tape = run_program(RECORDED, "dies").tape
    pages = documented()
    recovered = printed(calltape_cli, tape.path, "recover")
    failed = next(call for call in tape.calls("place") if call["status"] == "error")
    asked = {name: [name] for name in pages.keys() - {"A call", "recover", "running", "sql"}}
    asked |= {name: [name, str(failed["id"])] for name in ("show", "tree") if name in asked}
    asked |= {"drain": ["drain", "--once"], "export": ["export", "--output", str(tmp_path / "calls.jsonl")]}
    asked["diff"] = ["diff", "run:last"]
    members = {name: printed(calltape_cli, tape.path, *command) for name, command in asked.items()}
    with waiting(tmp_path / "program.py", environment):
        members |= {"recover": recovered, "running": printed(calltape_cli, tape.path, "running")}
    missing = {name: sorted(members[name] - pages[name]) for name in members}
    assert {name: found for name, found in missing.items() if found} == {}
    # What a healthy tape does not show is named by the command's help.
    words = {name: set(re.findall(r"[a-z_0-9]+", help_of(name))) for name in members}
    invented = {name: sorted(pages[name] - members[name] - words[name]) for name in members}
    assert {name: found for name, found in invented.items() if found} == {}
