"""docs/commands.md has the help of every command, word by word. `CALLTAPE_WRITE_DOCS=1` writes it anew."""

import os
import re
import subprocess
import sys

import pytest
from conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "commands.md"
MARK = "<!-- commands: from --help, compared by a test -->\n"

pytestmark = pytest.mark.skipif("CALLTAPE_FURTHER_INTERPRETER" in os.environ, reason="done on the first interpreter")


def help_of(*command: str) -> str:
    """What `calltape COMMAND --help` prints in 100 columns."""
    done = subprocess.run(
        [sys.executable, "-m", "calltape", *command, "--help"],
        env={"PATH": os.environ.get("PATH", ""), "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def commands() -> list[str]:
    """The names of the commands, as the help lists them."""
    listed = help_of().split("Commands:\n")[1].split("\n\n")[0]
    return [name for name in re.findall(r"^  (\w+)", listed, re.MULTILINE) if name != "help"]


def test_the_page_on_the_commands_is_their_help() -> None:
    names = commands()
    assert len(names) >= 9
    sections = [f"## `calltape`\n\n```text\n{help_of()}```\n"]
    sections += [f"## `calltape {name}`\n\n```text\n{help_of(name)}```\n" for name in names]
    generated = MARK + "\n" + "\n".join(sections)
    text = PAGE.read_text(encoding="utf-8")
    assert MARK in text
    written = text[: text.index(MARK)] + generated
    if "CALLTAPE_WRITE_DOCS" in os.environ:
        PAGE.write_text(written, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == written, (
        "CALLTAPE_WRITE_DOCS=1 pytest tests/documentation writes it anew"
    )
