"""What a page of the documentation shows: its blocks of code, and the tables of values beside their text.

Used by the tests of the pages.
"""

import re
from pathlib import Path


def blocks(page: Path) -> dict[str, str]:
    """Each block of Python on the page, by its heading and number."""
    text = page.read_text(encoding="utf-8")
    _, *sections = re.split(r"^## (.*)\n", f"## the beginning\n{text}", flags=re.MULTILINE)
    found = {
        f"{heading.strip()} {number}": block
        for heading, section in zip(sections[::2], sections[1::2], strict=True)
        for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE), 1)
    }
    assert len(found) == text.count("```python"), "a block stands where this does not look"
    return found


def values(page: Path) -> list[tuple[str, str]]:
    """Each expression in the first column of a table `value | reads` whose text stands beside it."""
    text = page.read_text(encoding="utf-8")
    found: list[tuple[str, str]] = []
    for table in re.findall(r"^\| value \| reads \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE):
        for left, right in re.findall(r"^\| (.*?) \| (.*) \|$", table, re.MULTILINE):
            if left.startswith("`"):
                found += zip(re.findall(r"`(.*?)`", left), re.findall(r"`(.*?)`", right), strict=True)
    return found
