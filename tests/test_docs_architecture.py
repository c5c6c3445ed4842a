"""ARCHITECTURE.md is short, and the files it names exist."""

import re

from conftest import REPOSITORY

PAGE = REPOSITORY / "ARCHITECTURE.md"


def test_the_page_on_the_architecture_has_at_most_200_lines() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 200


def test_each_file_in_the_table_of_stations_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    short = dict(re.findall(r"\b([PJEC]) (?:is )?`(crates/[\w/-]+)`", text))
    assert sorted(short) == ["C", "E", "J", "P"]
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) > 10
    missing = []
    for row in rows:
        for cell in row:
            folder = ""
            for name in re.findall(r"`([\w/.-]+\.(?:rs|py))`", cell):
                # A name without a folder stands in the folder of the one before it.
                letter, _, rest = name.partition("/")
                path = f"{short[letter]}/{rest}" if letter in short else name
                path = path if "/" in path else f"{folder}/{path}"
                folder = path.rpartition("/")[0]
                if not (REPOSITORY / path).is_file():
                    missing.append(path)
    assert missing == []
