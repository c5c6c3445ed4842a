"""mypy and pyright see monitored functions as bare ones: in decorators and calls, in wrong uses, in what they reveal.

Both run once, strictly, on copies of the files beside this one in a folder of their own, against the installed package.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CHECKERS = ("mypy", "pyright")

# Seconds for one checker, without a cache; a run takes a twentieth of it.
TIMEOUT = 200

# What stands on the line of a wrong use to keep the checkers quiet when they look at the file itself.
EXPECTED = re.compile(r"  # type: ignore\[.*")

FUNCTIONS = ("plain", "coroutine", "generator", "iterator", "async_generator", "async_iterator", "guard")
GENERICS = ("either", "either_later", "generic", "called", "awaited", "decorator")
METHODS = ("shop.method", "shop.coroutine", "shop.chained", "shop.static", "Shop.static", "shop.made", "Shop[int].made")
SUBJECTS = (*FUNCTIONS, *GENERICS, *METHODS, "cached", "partly", "shop", "Shop[int]")

# Each way to monitor, and back.
WAYS = (
    "monitor({})",
    "monitor()({})",
    "monitor(name='x', sample_rate=0.5)({})",
    "monitor({}, group='g')",
    "unmonitor({})",
    "unmonitor(monitor({}))",
)


@dataclass(frozen=True)
class Finding:
    """What a checker says about a line."""

    line: int
    is_error: bool
    message: str


Findings = dict[str, list[Finding]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Findings]:
    """The findings of each checker, by the file's name."""
    folder = tmp_path_factory.mktemp("typed")
    for name in ("exact_types.py", "above_properties.py", "bare_subjects.py"):
        (folder / name).write_text((HERE / name).read_text("utf-8"), "utf-8")
    (folder / "wrong_uses.py").write_text(EXPECTED.sub("", (HERE / "wrong_uses.py").read_text("utf-8")), "utf-8")
    (folder / "revealed.py").write_text(revealing(), "utf-8")
    return {"mypy": run_mypy(folder), "pyright": run_pyright(folder)}


def revealing() -> str:
    """A program whose lines reveal the type of each subject, then of what each way makes of it."""
    lines = [
        "import bare_subjects as bare",
        "from calltape import monitor, unmonitor",
        "from typing import reveal_type",
    ]
    for subject in SUBJECTS:
        lines += [f"reveal_type({way.format(f'bare.{subject}')})" for way in ("{}", *WAYS)]
    return "\n".join(lines) + "\n"


def run_mypy(folder: Path) -> Findings:
    command = ["mypy", "--strict", "--config-file=", "--output=json", "."]
    reports = [json.loads(line) for line in run(command, folder).splitlines()]
    return by_file((each["file"], each["line"], each["severity"], each["message"]) for each in reports)


def run_pyright(folder: Path) -> Findings:
    settings = {"typeCheckingMode": "strict", "enableTypeIgnoreComments": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    output = run(["pyright", "--outputjson", f"--pythonpath={sys.executable}"], folder)
    reports = json.loads(output)["generalDiagnostics"]
    return by_file(
        (each["file"], each["range"]["start"]["line"] + 1, each["severity"], each["message"]) for each in reports
    )


def run(command: list[str], folder: Path) -> str:
    """A checker's output: findings make its exit code 1, anything else is a failure."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith(("MYPY", "PYRIGHT_PYTHON"))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def by_file(reports: Iterable[tuple[str, int, str, str]]) -> Findings:
    findings: Findings = defaultdict(list)
    for file, line, severity, message in reports:
        findings[Path(file).name].append(Finding(line, severity == "error", message))
    return findings


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("name", ["exact_types.py", "above_properties.py", "bare_subjects.py"])
def test_monitored_functions_are_used_as_bare_ones(found: dict[str, Findings], checker: str, name: str) -> None:
    assert found[checker][name] == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_wrong_use_is_reported_and_nothing_else(found: dict[str, Findings], checker: str) -> None:
    lines = (HERE / "wrong_uses.py").read_text("utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, start=1) if EXPECTED.search(line)}
    assert len(wrong) > 10
    assert {finding.line for finding in found[checker]["wrong_uses.py"] if finding.is_error} == wrong


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_type_revealed_is_the_bare_ones(found: dict[str, Findings], checker: str) -> None:
    # mypy numbers type variables anew for each use; pyright repeats the expression before its type.
    shown = [
        re.sub(r'^Type of ".*?" is |`-?\d+', "", finding.message)
        for finding in sorted(found[checker]["revealed.py"], key=lambda finding: finding.line)
        if not finding.is_error
    ]
    group = len(WAYS) + 1
    assert len(shown) == group * len(SUBJECTS)
    for at, subject in enumerate(SUBJECTS):
        bare, *monitored = shown[at * group : (at + 1) * group]
        assert dict(zip(WAYS, monitored, strict=True)) == dict.fromkeys(WAYS, bare), subject
