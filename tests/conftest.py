"""What the tests share: a place for a tape, and programs that record on it and are read once they ended.

A program runs in a process of its own, and its tape is read with the standard `sqlite3` after that process is gone: two
SQLite libraries in one process drop each other's file locks. What a test calls in pytest's own process goes to a tape
that nobody reads.
"""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faults
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# Seconds a program may take; the slowest one (a census of 300 modules) takes a tenth of it.
PROGRAM_TIMEOUT = 120


@dataclass(frozen=True)
class Tape:
    """A tape that no process of the test records on any more."""

    path: Path

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """The rows of a query, each as a dict by column name."""
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query, parameters)]

    def calls(self, function: str | None = None) -> list[dict[str, Any]]:
        """The view `calls` in the order of the calls; of one function, by the last part of its name."""
        rows = self.rows("SELECT * FROM calls ORDER BY id")
        return [row for row in rows if function is None or row["function"].rpartition(".")[2] == function]

    def accounting(self) -> dict[str, dict[str, Any]]:
        """The view `accounting`, by the last part of the function's name. For tapes of one run."""
        return {row["function"].rpartition(".")[2]: row for row in self.rows("SELECT * FROM accounting")}


@dataclass(frozen=True)
class Ended:
    """A program that ran to its end: what it printed, and the tape it left."""

    returncode: int
    stdout: str
    stderr: str
    tape: Tape


RunProgram = Callable[..., Ended]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--decorator`: whose transparency `tests/transparency` checks."""
    parser.addoption(
        "--decorator",
        metavar="MODULE:NAME",
        help="the decorator that tests/transparency compares with the bare function (default: calltape:monitor)",
    )


@pytest.fixture(autouse=True, scope="session")
def unread_tape(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps monitored calls in pytest's own process away from the working directory."""
    os.environ["CALLTAPE_DB"] = str(tmp_path_factory.mktemp("unread") / "calls.db")


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Gives the tests' programs Ctrl-C back, where a shell that started pytest in the background had taken it away."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def tape_path(tmp_path: Path) -> Path:
    """Where this test's tape goes. Nothing is there yet."""
    return tmp_path / "tape" / "calls.db"


@pytest.fixture
def environment(tape_path: Path, tmp_path: Path) -> dict[str, str]:
    """A process environment that names this test's tape and carries no setting from the outside."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("CALLTAPE_", "PYTHON"))}
    return clean | {"CALLTAPE_DB": str(tape_path), "PYTHONWARNINGS": "error", "NO_COLOR": "1", "HOME": str(tmp_path)}


@pytest.fixture
def run_program(tape_path: Path, environment: dict[str, str], tmp_path: Path) -> RunProgram:
    """Runs a Python program text to its end; `check=False` where it is meant to fail, `env` for more settings."""

    def run(
        program: str,
        *arguments: str,
        check: bool = True,
        env: dict[str, str] | None = None,
        timeout: float = PROGRAM_TIMEOUT,
    ) -> Ended:
        script = tmp_path / "program.py"
        script.write_text(program, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(script), *arguments],
            env=environment | (env or {}),
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"the program failed:\n{done.stdout}\n{done.stderr}"
        return Ended(done.returncode, done.stdout, done.stderr, Tape(tape_path))

    return run


@pytest.fixture
def calltape_cli(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `python -m calltape` with arguments."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "calltape", *map(str, arguments)],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROGRAM_TIMEOUT,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def fault_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fault shim, compiled; see `faults`."""
    try:
        return faults.build(tmp_path_factory.mktemp("faults"))
    except faults.CannotBuildError as error:
        pytest.skip(f"the fault shim cannot be compiled: {error}")


@pytest.fixture
def fault_environment(fault_library: Path) -> dict[str, str]:
    """What a program needs in its environment to plan faults of calltape's extension."""
    return faults.environment(fault_library)
