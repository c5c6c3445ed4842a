"""Every block of Python on a page whose blocks stand alone runs, on each interpreter; and no block is passed over."""

import re
from collections import Counter
from pathlib import Path

import pages
import pytest
from conftest import RunProgram

ALONE = [
    block
    for page in pages.PAGES
    if not pages.is_session(page)
    for block in pages.blocks(page)
    if block.language == "python" and block.runs
]

# What a test knows what to do with; `text` and `json` are shown, not run.
LANGUAGES = {"python", "console", "sql", "toml", "json", "text"}

# How many blocks may be shown without being run, in all. A block that could run should.
NOT_RUN = 8


@pytest.mark.parametrize("block", ALONE, ids=[block.place for block in ALONE])
def test_a_block_of_python_runs(block: pages.Block, run_program: RunProgram) -> None:
    done = run_program(block.code, check=False)
    assert done.returncode in block.exit_codes, f"{block.place}:\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", pages.PAGES, ids=map(pages.name, pages.PAGES))
def test_each_block_says_what_it_is(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = pages.blocks(page)
    assert 2 * len(found) == len(re.findall(r"^```", text, re.MULTILINE)), "a fence is open, indented or marked wrongly"
    assert [block.place for block in found if block.language not in LANGUAGES] == []
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    # Behind a blank line four spaces make code without a language; an item of a list goes on with two or three.
    assert re.findall(r"\n\n {4,}\S.*", outside) == [], "indented code has no language: put it between fences"


def test_few_blocks_are_not_run_and_each_has_a_reason() -> None:
    kept_back = [block for page in pages.PAGES for block in pages.blocks(page) if not block.runs]
    assert len(kept_back) <= NOT_RUN, [block.place for block in kept_back]
    assert all(len((block.mark or "").removeprefix("not run:").split()) >= 3 for block in kept_back)


def test_most_pages_show_something_that_runs() -> None:
    languages = Counter(block.language for page in pages.PAGES for block in pages.blocks(page) if block.runs)
    assert languages["python"] >= 20
    assert languages["console"] >= 5
