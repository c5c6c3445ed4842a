"""What the tests of database faults share: a program that records while another process does something to its tape."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import Ended

# Stands before each program. `other(line)` runs a shell line in another process; `until(true)` waits, and records
# meanwhile; `report(...)` prints figures for the test. Every call's result is checked by the caller itself.
PRELUDE = """
import dataclasses, json, logging, os, subprocess, sys, time
import calltape
from calltape import monitor

DB = os.environ["CALLTAPE_DB"]
LINES = []

class Keep(logging.Handler):
    def emit(self, record):
        LINES.append([record.levelname, record.getMessage()])

logging.getLogger("calltape").addHandler(Keep())
logging.getLogger("calltape").propagate = False
logging.getLogger("calltape").setLevel("INFO")

made = 0

@monitor
def place(order, note="tea"):
    return order * 2

def call(times=1):
    global made
    for _ in range(times):
        assert place(made) == made * 2
        made += 1

def other(line):
    return subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True).stdout

def python(text):
    return subprocess.Popen([sys.executable, "-c", text, DB], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

def until(condition, seconds=40.0, calls=1):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, (calltape.stats(), LINES)
        call(calls)
        time.sleep(0.002)

def report(**figures):
    stats = dataclasses.asdict(calltape.stats())
    print(json.dumps({"made": made, "stats": stats, "lines": LINES} | figures))
"""


def reported(ended: Ended) -> dict[str, Any]:
    """What the program's last line says."""
    figures: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def assert_every_call_is_accounted_for(ended: Ended, made: int, unknown: int = 0) -> dict[str, Any]:
    """The tape is sound, its books balance, and no call is in it twice: the account."""
    tape = ended.tape
    assert tape.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    [account] = tape.rows("SELECT * FROM accounting")
    assert account["calls"] == made
    assert (account["in_flight"], account["unknown"]) == (0, unknown)
    assert account["stored"] + account["sampled_out"] + account["dropped"] + unknown == made
    [rows] = tape.rows("SELECT count(*) AS all_rows, count(DISTINCT args) AS different FROM calls")
    assert rows["all_rows"] == rows["different"] == account["stored"]
    return account


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own in memory; the test is left out where the system lets nobody mount one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
