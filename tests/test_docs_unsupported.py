"""The page of what is not supported: the tests it names exist."""

import re

from conftest import REPOSITORY

FILE = REPOSITORY / "docs" / "unsupported-patterns.md"
PAGE = FILE.read_text(encoding="utf-8")


def test_every_test_it_names_exists() -> None:
    named = set(re.findall(r"`(tests/[\w./]+)`", PAGE))
    assert len(named) > 20
    assert [name for name in named if not (REPOSITORY / name).is_file()] == []
