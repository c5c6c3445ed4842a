"""A block of the language `console` as commands and what they print, and the page written anew with what they print.

`$ ` begins a command, `> ` goes on with it, and the lines up to the next command are its output.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from compared import compare, pattern
from pages import Block
from session import Session

WRITES = "CALLTAPE_WRITE_DOCS" in os.environ


@dataclass(frozen=True)
class Command:
    """A command as it is typed, and the lines that the page shows below it."""

    typed: list[str]
    shown: str

    @property
    def text(self) -> str:
        return "\n".join(line[2:] for line in self.typed)


def commands(code: str) -> Iterator[Command]:
    """The commands of a block, in order."""
    typed: list[str] = []
    shown: list[str] = []
    for line in code.splitlines():
        if line.startswith("$ "):
            if typed:
                yield Command(typed, "\n".join(shown))
            typed, shown = [line], []
        elif line.startswith("> ") and not shown:
            typed.append(line)
        else:
            assert typed, f"output without a command: {line}"
            shown.append(line)
    yield Command(typed, "\n".join(shown))


def run(block: Block, session: Session, ids: dict[str, str]) -> str:
    """Runs a block's commands, and compares; the block as it should be shown, which is as it is shown where nothing
    differs. `ids` has the real id for each one shown so far, and is added to.
    """
    text = ""
    for command in commands(block.code):
        typed = command.text
        for shown_id, real in ids.items():
            typed = typed.replace(shown_id, real)
        code, printed = session.run(typed)
        assert WRITES or code in block.exit_codes, f"{block.place}: {typed} ended with {code}:\n{printed}"
        found = compare(command.shown, printed)
        output = command.shown
        if found is None:
            assert WRITES, f"{block.place}: {command.text} is shown with\n{command.shown}\nand prints\n{printed}"
            output = "\n".join(line.rstrip() for line in printed.splitlines()).strip("\n")
            # Ids that are as many as before stand for those before.
            shown_ids, real_ids = pattern(command.shown)[1], pattern(printed)[1]
            found = dict(zip(shown_ids, real_ids, strict=True)) if len(shown_ids) == len(real_ids) else {}
        ids.update(found)
        text += "\n".join(command.typed) + "\n" + (f"{output}\n" if output else "")
    return text
