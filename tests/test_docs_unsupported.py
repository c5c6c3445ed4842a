"""The page of what is not supported: its code runs as it stands, and the tests it names exist."""

import re

import pytest
from conftest import REPOSITORY, RunProgram
from documented import blocks

FILE = REPOSITORY / "docs" / "unsupported-patterns.md"
PAGE = FILE.read_text(encoding="utf-8")
BLOCKS = blocks(FILE)


def test_every_block_of_code_is_found() -> None:
    assert len(BLOCKS) == PAGE.count("```python") >= 10


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_of_code_runs(block: str, run_program: RunProgram) -> None:
    run_program(block)


def test_every_test_it_names_exists() -> None:
    named = set(re.findall(r"`(tests/[\w./]+)`", PAGE))
    assert len(named) > 20
    assert [name for name in named if not (REPOSITORY / name).is_file()] == []
