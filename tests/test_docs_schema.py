"""docs/tape-format.md names each view and column of the tape, and no other."""

import re
from pathlib import Path

from conftest import REPOSITORY, RunProgram

DOCUMENT = REPOSITORY / "docs" / "tape-format.md"

ONE_CALL = """
from calltape import monitor

@monitor()
def add(a, b):
    return a + b

add(1, 2)
"""


def documented(page: Path) -> dict[str, list[str]]:
    """The columns by view, as the page's tables list them."""
    views: dict[str, list[str]] = {}
    for section in page.read_text(encoding="utf-8").split("\n## ")[1:]:
        if heading := re.match(r"`(\w+)`", section):
            views[heading[1]] = re.findall(r"^\| (\w+) \|", section, re.MULTILINE)[1:]
    return views


def test_the_page_on_the_tape_lists_the_views_and_columns_that_a_tape_has(run_program: RunProgram) -> None:
    tape = run_program(ONE_CALL).tape
    views = [row["name"] for row in tape.rows("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")]
    actual = {
        view: [row["name"] for row in tape.rows(f"SELECT name FROM pragma_table_info('{view}')")] for view in views
    }
    assert documented(DOCUMENT) == actual
