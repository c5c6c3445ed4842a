"""`drain="elsewhere"` and `calltape drain`: a program that only appends, and the process beside it that stores."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

# Seconds for anything that is going to happen.
SOON = 30

APPENDING = """
import calltape, sys
from calltape import monitor

@monitor()
def work(number):
    return number

calltape.start(db=sys.argv[1], drain="elsewhere")
for number in range(1000):
    work(number)
print(calltape.flush(timeout=float(sys.argv[2])), calltape.stats().drains, calltape.stats().stored)
"""


def appending(db: Path, timeout: float) -> str:
    command = [sys.executable, "-c", APPENDING, str(db), str(timeout)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SOON, check=True).stdout


def calltape(db: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "calltape", "--db", str(db), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SOON, check=False)


def rows(db: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_sidecar_stores_what_a_program_appends_and_leaves_cleanly(tmp_path: Path, ending: signal.Signals) -> None:
    db = tmp_path / "calls.db"
    command = [sys.executable, "-m", "calltape", "--db", str(db), "drain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sidecar:
        try:
            assert sidecar.stderr is not None
            assert "draining" in sidecar.stderr.readline()
            assert appending(db, SOON).split() == ["True", "False", "1000"]
            sidecar.send_signal(ending)
            out, err = sidecar.communicate(timeout=SOON)
        finally:
            sidecar.kill()
    assert (sidecar.returncode, err) == (0, "")
    assert out.startswith("1,000 calls stored in ")
    # Whether the sidecar still met the program's end is a matter of moments.
    calltape(db, "recover")
    assert rows(db, "SELECT calls, stored, unknown FROM accounting") == [(1000, 1000, 0)]
    assert rows(db, "SELECT ending FROM runs") == [("exit",)]


def test_without_a_sidecar_calls_wait_in_the_journal(tmp_path: Path) -> None:
    db = tmp_path / "calls.db"
    assert appending(db, 0.2).split() == ["False", "False", "0"]
    assert not db.exists()
    doctor = calltape(db, "doctor")
    assert doctor.returncode == 1
    assert "run `calltape recover`" in doctor.stdout
    recovered = calltape(db, "recover")
    assert recovered.returncode == 0, recovered.stderr
    assert "1,000 calls stored, 1,000 of them now; 0 interrupted, 0 unknown" in recovered.stdout
    assert rows(db, "SELECT count(*) FROM calls WHERE status = 'ok'") == [(1000,)]


def test_prune_by_the_command_line(tmp_path: Path) -> None:
    db = tmp_path / "calls.db"
    appending(db, 0.1)
    calltape(db, "recover")
    done = calltape(db, "prune", "--older-than", "1ms", "--errors-older-than", "1ms", "--json")
    assert done.returncode == 0, done.stderr
    assert '"successes":1000,' in done.stdout
    assert rows(db, "SELECT calls, stored, pruned FROM accounting") == [(1000, 1000, 1000)]
