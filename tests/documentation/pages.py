"""The pages of the documentation and their blocks of code, as the tests beside this run them. Runs nothing itself.

A page that has a block of the language `console` is a session: its blocks are run in order, in one folder, as a reader
would. On any other page each block stands alone. A comment on the line before a block says what the text does not:

    <!-- not run: why -->      the block is shown only
    <!-- ends with 1 -->       a command of the block ends with this exit code; without it all end with 0

and a title, ```python title="shop.py"```, makes the block a file of the page's folder.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from conftest import REPOSITORY

# The records of decisions are of their day: they are no instructions, and what they show is not kept up.
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]

_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>not run: [^\n]+|ends with \d+) -->\n)?```(?P<info>[^\n`]*)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of code: its language and title, the line its fence stands on, its text, and where that begins."""

    page: Path
    line: int
    language: str
    title: str | None
    mark: str | None
    code: str
    offset: int

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"

    @property
    def runs(self) -> bool:
        return self.mark is None or not self.mark.startswith("not run")

    @property
    def exit_codes(self) -> set[int]:
        """The exit codes that its commands may end with."""
        mark = self.mark or ""
        return {0, int(mark.removeprefix("ends with "))} if mark.startswith("ends with ") else {0}


def blocks(page: Path) -> list[Block]:
    """All blocks of the page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=text.count("\n", 0, found.start("info")) + 1,
            language=found["info"].split(" ")[0],
            title=title[1] if (title := re.search(r'title="([^"]+)"', found["info"])) else None,
            mark=found["mark"],
            code=found["code"],
            offset=found.start("code"),
        )
        for found in _FENCE.finditer(text)
    ]


def is_session(page: Path) -> bool:
    """Whether the page's blocks belong together."""
    return any(block.language == "console" and block.runs for block in blocks(page))


def name(page: Path) -> str:
    """How a test calls the page."""
    return page.relative_to(REPOSITORY).as_posix()
