"""The tables of values that a page of the documentation shows beside their text. Used by the tests of the pages."""

import re
from pathlib import Path


def values(page: Path) -> list[tuple[str, str]]:
    """Each expression in the first column of a table `value | reads` whose text stands beside it."""
    text = page.read_text(encoding="utf-8")
    found: list[tuple[str, str]] = []
    for table in re.findall(r"^\| value \| reads \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE):
        for left, right in re.findall(r"^\| (.*?) \| (.*) \|$", table, re.MULTILINE):
            if left.startswith("`"):
                found += zip(re.findall(r"`(.*?)`", left), re.findall(r"`(.*?)`", right), strict=True)
    return found
