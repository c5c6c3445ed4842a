"""The lines of a corpus module: expressions, with the interpreters they are meant for.

Used by `python -m corpus` and the golden file's test.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

MARK = re.compile(r"\s+# (?P<mark>(from|before) 3\.\d+|in any order)$")


@dataclass(frozen=True)
class Line:
    """One value: its expression, and `from 3.12`, `before 3.12`, `in any order` or nothing."""

    expression: str
    mark: str


def fits(mark: str) -> bool:
    """Whether a mark includes the running interpreter."""
    if not mark.startswith(("from", "before")):
        return True
    word, _, version = mark.partition(" 3.")
    return (sys.version_info.minor >= int(version)) == (word == "from")


def expressions_of(values: str) -> Iterator[Line]:
    """The expressions of a module's `VALUES` that the running interpreter is to make."""
    for text in filter(None, map(str.strip, values.splitlines())):
        found = MARK.search(text)
        line = Line(text[: found.start()], found["mark"]) if found else Line(text, "")
        if fits(line.mark):
            yield line
