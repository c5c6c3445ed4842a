"""Whatever fails inside calltape, the program goes on as without it, and the books balance or say unknown.

Rounds of `faults.rounds`, under the fault shim: the nth allocation, or the nth system call, of the extension fails,
once or from then on, in each step of a recording. `CALLTAPE_FAULT_ROUNDS=1000000` tries every n.
"""

import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Ended
from faults import CALLS_OF_A_ROUND

ROUNDS = os.environ.get("CALLTAPE_FAULT_ROUNDS", "6")

# What SQLite and the journal ask of the system, but for the locks and looks that a program must be able to rely on.
SYSTEM_CALLS = "open+pread+pwrite+write+fsync+fdatasync+fallocate+mmap+rename+unlink+ftruncate+mkdir+opendir+thread"

BOOKS = """
SELECT total(calls) AS calls, total(stored) AS stored, count(*) - count(unknown) AS unknown_runs,
       total(calls - stored - sampled_out - dropped - in_flight - unknown) AS off FROM accounting
"""


def run_rounds(
    folder: Path, environment: dict[str, str], step: str, what: str, error: int, how_long: str, rounds: str = ROUNDS
) -> dict[str, Any]:
    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "faulthandler",
            "-m",
            "faults.rounds",
            str(folder),
            step,
            what,
            str(error),
            how_long,
            rounds,
        ],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280 if ROUNDS == "6" else 7200,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def check_books(folder: Path) -> None:
    """Every call of every round is on its tape, dropped, or unknown."""
    # Those of negative numbers were rounds without a fault, and are not taken up.
    tapes = [tape for tape in folder.rglob("calls.db") if not tape.parent.name.startswith("-")]
    assert tapes
    for tape in tapes:
        with closing(sqlite3.connect(tape)) as database:
            database.row_factory = sqlite3.Row
            (books,) = database.execute(BOOKS)
            (rows,) = database.execute("SELECT count(*) FROM calls WHERE status != 'running'").fetchone()
            functions = [tuple(row) for row in database.execute("SELECT * FROM accounting")]
        assert books["off"] == 0, (tape, functions)
        assert books["stored"] <= rows, (tape, functions)
        if not books["unknown_runs"]:
            assert books["calls"] == CALLS_OF_A_ROUND, (tape, functions)


@pytest.mark.parametrize("how_long", ["once", "forever"])
@pytest.mark.parametrize("step", ["start", "call", "error", "flush", "stop"])
def test_the_nth_allocation_that_fails_changes_no_call(
    step: str, how_long: str, environment: dict[str, str], fault_environment: dict[str, str], tmp_path: Path
) -> None:
    result = run_rounds(tmp_path, environment | fault_environment, step, "alloc", 0, how_long)
    assert 0 < result["failed"] == result["rounds"]
    assert result["faults"] == 0
    check_books(tmp_path)


@pytest.mark.parametrize("how_long", ["once", "forever"])
def test_an_allocation_that_fails_while_the_thread_is_made_ends_nothing(
    how_long: str, environment: dict[str, str], fault_environment: dict[str, str], tmp_path: Path
) -> None:
    # The start makes it last of all: the last twenty of its own allocations are among these.
    result = run_rounds(tmp_path, environment | fault_environment, "start", "own-alloc", 0, how_long, rounds="60")
    assert result["failed"] == result["rounds"] == 60
    assert result["faults"] == 0
    check_books(tmp_path)


@pytest.mark.parametrize("how_long", ["once", "forever"])
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "ENOMEM", "EMFILE", "EACCES"])
def test_the_nth_system_call_that_fails_changes_no_call(
    error: str, how_long: str, environment: dict[str, str], fault_environment: dict[str, str], tmp_path: Path
) -> None:
    number = getattr(errno, error)
    result = run_rounds(
        tmp_path, environment | fault_environment, "start+call+flush+stop", SYSTEM_CALLS, number, how_long
    )
    assert 0 < result["failed"] == result["rounds"]
    assert result["faults"] == 0
    if how_long == "forever":
        assert result["journals"]["memory"] > 0
    else:
        assert result["journals"]["small"] > 0
    check_books(tmp_path)


INTERPRETER = """
import sys
import _testcapi
from calltape import flush, monitor, start, stats

REFUSED = PermissionError("refused")

class Thing:
    def __init__(self): self.number, self.text = 10**40, "é" * 300

def give(value): return value
def refuse(value): raise REFUSED
def outcome(function, value):
    try:
        return function(value)
    except PermissionError as error:
        return error
    except (MemoryError, SystemError):
        return None

thing, given = Thing(), [1.5, {"key": Thing()}, {2**70, b"x"}, "text"]
start()
fresh = [monitor(lambda value: value) for _ in range(400)]
known, refusing = monitor(give), monitor(refuse)
known(given); outcome(refusing, given)
stop = {"once": 1, "forever": 0}[sys.argv[1]]
for nth in range(400):
    for function, value in ((fresh[nth], given), (known, given), (known, thing), (refusing, thing)):
        _testcapi.set_nomemory(nth, nth + stop if stop else 0)
        found = outcome(function, value)
        _testcapi.remove_mem_hooks()
        # Raising takes memory for the traceback, without which the bare function ends in the same two errors; returning
        # takes none.
        assert found is value or (function is refusing and found in (REFUSED, None)), (nth, function)
        REFUSED.__traceback__ = REFUSED.__context__ = None
assert flush(20.0)
figures = stats()
assert figures.faults == 0 and figures.dropped == 0, figures
assert figures.recorded == figures.stored
print(figures.recorded)
"""


@pytest.mark.parametrize("how_long", ["once", "forever"])
def test_the_interpreters_nth_allocation_that_fails_in_a_capture_reaches_no_caller(
    how_long: str, run_program: Callable[..., Ended]
) -> None:
    pytest.importorskip("_testcapi")
    ended = run_program(INTERPRETER, how_long)
    assert int(ended.stdout) == 2 + 4 * 400
    assert len(ended.tape.calls()) == 2 + 4 * 400
