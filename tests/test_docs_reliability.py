"""docs/reliability.md names a test for each promise, and each test that it names exists."""

import re

from conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "reliability.md"


def promises() -> list[list[str]]:
    """The rows of the table of promises: promise, mechanism, tests."""
    section = PAGE.read_text(encoding="utf-8").split("## The promises")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return rows[1:]


def test_each_promise_has_a_test_that_exists() -> None:
    rows = promises()
    assert len(rows) >= 10
    for promise, _, tests in rows:
        named = re.findall(r"`([\w./-]+)`", tests)
        assert named, promise
        missing = [name for name in named if not (REPOSITORY / name).exists()]
        assert missing == [], promise


def test_each_file_the_page_names_exists() -> None:
    named = re.findall(r"`((?:tests|crates)/[\w./-]+)`", PAGE.read_text(encoding="utf-8"))
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
