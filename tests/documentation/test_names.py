"""What the pages name exists: commands of make and of calltape, and the pages of the site."""

import re
import subprocess
import sys

import pages
from conftest import REPOSITORY

TEXT = {page: page.read_text(encoding="utf-8") for page in [*pages.PAGES, REPOSITORY / "CONTRIBUTING.md"]}


def test_each_make_command_the_pages_name_exists() -> None:
    named = {
        name for text in TEXT.values() for name in re.findall(r"(?:`|^|\$ )make ([a-z][\w-]*)", text, re.MULTILINE)
    }
    assert len(named) > 5
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert sorted(name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)) == []


def test_each_calltape_command_the_pages_name_exists() -> None:
    named = {
        name
        for text in TEXT.values()
        for name in re.findall(r"(?:`|\$ )calltape (?:--db [\w./]+ |--json )*([a-z]+)", text)
    }
    assert {"top", "show", "errors"} <= named
    done = subprocess.run(
        [sys.executable, "-m", "calltape", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert sorted(name for name in named if not re.search(rf"^  {name} ", done.stdout, re.MULTILINE)) == []


def test_each_page_is_on_the_site() -> None:
    listed = set(re.findall(r": ([\w-]+\.md)$", (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {page.name for page in pages.PAGES} - {"README.md"}
