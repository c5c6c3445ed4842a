"""The example on real input: its own counters and the tape agree, and every error it met is on the tape."""

import ast
import re
import subprocess
import sys
import tokenize
import warnings
from collections import Counter
from pathlib import Path

import pytest
from conftest import PROGRAM_TIMEOUT, REPOSITORY, Tape

CENSUS = REPOSITORY / "examples" / "stdlib_census.py"

# Enough for each kind of call and a few of the broken files; a tenth of the walk.
LIMIT = 300


@pytest.fixture(scope="module")
def census(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Tape]:
    """One run of the census for the tests below."""
    db = tmp_path_factory.mktemp("census") / "census.db"
    command = [sys.executable, str(CENSUS), "--db", str(db), "--limit", str(LIMIT)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT, check=False
    )
    return done, Tape(db)


def broken_files() -> Counter[str]:
    """What fails among the files that the census reads, found out without it: error type and how often."""
    listing = f"import sys; sys.path[:0] = [{str(CENSUS.parent)!r}]; import stdlib_census\n"
    listing += f"print(*stdlib_census.modules({LIMIT}), sep='\\n')"
    files = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout
    problems: Counter[str] = Counter()
    for file in map(Path, files.splitlines()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with tokenize.open(file) as text:
                    ast.parse(text.read())
            except (SyntaxError, UnicodeDecodeError):
                problems["SyntaxError"] += 1
        try:
            file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            problems["UnicodeDecodeError"] += 1
    return problems


def test_the_census_finds_that_its_counters_and_the_tape_agree(
    census: tuple[subprocess.CompletedProcess[str], Tape],
) -> None:
    done, _ = census
    assert done.returncode == 0, done.stdout + done.stderr
    assert "own counters and the tape agree." in done.stdout
    assert "DIFFERS" not in done.stdout


def test_every_call_is_stored_or_counted(census: tuple[subprocess.CompletedProcess[str], Tape]) -> None:
    _, tape = census
    accounting = tape.accounting()
    assert accounting["survey"]["calls"] == LIMIT
    assert accounting["parse"]["calls"] <= LIMIT
    assert accounting["measure_function"]["sampled_out"] > accounting["measure_function"]["stored"] > 0
    for row in accounting.values():
        assert row["calls"] == row["stored"] + row["sampled_out"]
        assert (row["dropped"], row["in_flight"], row["unknown"]) == (0, 0, 0)
    stored = Counter(call["function"].rpartition(".")[2] for call in tape.calls())
    assert stored == {name: row["stored"] for name, row in accounting.items() if row["stored"]}


def test_every_syntax_error_and_every_decode_error_is_on_the_tape(
    census: tuple[subprocess.CompletedProcess[str], Tape],
) -> None:
    done, tape = census
    expected = broken_files()
    unreadable = re.search(r"^(\d+) could not be read", done.stdout, re.MULTILINE)
    assert unreadable is not None
    assert int(unreadable[1]) == expected["SyntaxError"]
    # The call where an error arose, not the callers it passed through.
    failed = [call for call in tape.calls() if call["status"] == "error"]
    arose = [call for call in failed if not any(child["parent_id"] == call["id"] for child in failed)]
    kinds = Counter(call["error_type"].rpartition(".")[2] for call in arose)
    assert kinds["UnicodeDecodeError"] == expected["UnicodeDecodeError"]
    assert kinds["SyntaxError"] + kinds["IndentationError"] + kinds["TabError"] == expected["SyntaxError"]


def test_the_calls_of_a_module_hang_below_its_survey(census: tuple[subprocess.CompletedProcess[str], Tape]) -> None:
    _, tape = census
    calls = {call["id"]: call for call in tape.calls()}
    for call in calls.values():
        if call["function"].endswith(".survey"):
            assert call["parent_id"] is None
            assert call["root_id"] == call["id"]
        else:
            assert calls[call["root_id"]]["function"].endswith(".survey")
            assert calls[call["parent_id"]]["thread"] == call["thread"]
