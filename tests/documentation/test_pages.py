"""Every block of code of README.md and of docs/ runs: here the pages whose blocks belong together, on the first
interpreter of `.ci/run`, and the settings. `CALLTAPE_WRITE_DOCS=1` writes anew what the commands print.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import console
import pages
import pytest
import session

SESSIONS = [page for page in pages.PAGES if pages.is_session(page)]

# A session shows the same on each interpreter, and takes seconds.
pytestmark = pytest.mark.skipif("CALLTAPE_FURTHER_INTERPRETER" in os.environ, reason="done on the first interpreter")


@pytest.mark.parametrize("page", SESSIONS, ids=map(pages.name, SESSIONS))
def test_a_page_goes_as_it_says(page: Path) -> None:
    ids: dict[str, str] = {}
    text = page.read_text(encoding="utf-8")
    with session.opened() as shell:
        for number, block in enumerate(pages.blocks(page)):
            if not block.runs:
                continue
            if block.title is not None:
                path = shell.folder / block.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.code, encoding="utf-8")
            elif block.language == "console":
                shown = console.run(block, shell, ids)
                text = text.replace(f"```{block.language}\n{block.code}```", f"```{block.language}\n{shown}```", 1)
            elif block.language == "python":
                (shell.folder / f"block_{number}.py").write_text(block.code, encoding="utf-8")
                code, printed = shell.run(f"python block_{number}.py")
                assert code in block.exit_codes, f"{block.place} ended with {code}:\n{printed}"
            elif block.language == "sql":
                code, printed = shell.run(
                    f"{sys.executable} {Path(__file__).with_name('asked.py')} <<'EOF'\n{block.code}EOF"
                )
                assert code == 0, f"{block.place}:\n{printed}"
    if console.WRITES and text != page.read_text(encoding="utf-8"):
        for shown_id, real in ids.items():
            text = text.replace(shown_id, real)
        page.write_text(text, encoding="utf-8")


TOML = [block for page in pages.PAGES for block in pages.blocks(page) if block.language == "toml" and block.runs]


@pytest.mark.parametrize("block", TOML, ids=[block.place for block in TOML])
def test_a_block_of_settings_is_understood(block: pages.Block, tmp_path: Path, environment: dict[str, str]) -> None:
    settings = tomllib.loads(block.code)
    assert settings
    (tmp_path / "pyproject.toml").write_text(block.code, encoding="utf-8")
    doctor = [sys.executable, "-m", "calltape", "--json", "doctor"]
    done = subprocess.run(
        doctor, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in found if line["area"] == "settings" and not line["ok"]] == []
