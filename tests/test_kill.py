"""SIGKILL at a random moment under load: what returned is stored once, what was in flight is `interrupted`.

Four threads call `outer(n)`, which calls `inner(n)`, and write `n` to a pipe after each return. The process is killed,
the next start drains what it left, and the tape is compared with the pipe. `CALLTAPE_KILL_ROUNDS` sets the rounds.
"""

import json
import os
import random
import selectors
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from conftest import Tape

ROUNDS = int(os.environ.get("CALLTAPE_KILL_ROUNDS", "10"))
THREADS = 4

# Seconds between the first acknowledged call and the kill, at most: long enough for some segments to be sealed, drained
# and used again, short enough that many rounds fit into a test run.
LATEST_KILL = 0.25

# A thread's calls are numbered from its own multiple of this.
STRIDE = 1_000_000_000

UNDER_LOAD = f"""
import os, sys, threading, time
import calltape
from calltape import monitor

@monitor()
def inner(n):
    if n % 16 == 0:
        time.sleep(0.0001)  # lets go of the interpreter lock, so that other threads are in the middle of a call too
    return n + 1

@monitor()
def outer(n, *, note):
    return inner(n) * 2

def work(thread):
    n = thread * {STRIDE}
    while True:
        assert outer(n, note="in flight") == (n + 1) * 2
        os.write(1, b"%d\\n" % n)
        n += 1

calltape.start(sys.argv[1], on_full="block")
threads = [threading.Thread(target=work, args=[number], name=f"worker-{{number}}") for number in range({THREADS})]
for thread in threads:
    thread.start()
"""

# Done when the dead process's journal is gone: it is removed once its last call is in the database.
NEXT_START = """
import pathlib, sys, time
import calltape
db = pathlib.Path(sys.argv[1])
calltape.start(db)
deadline = time.monotonic() + 60
while sum(entry.is_dir() for entry in db.with_name(db.name + ".tape").iterdir()) > 1:
    assert time.monotonic() < deadline, "what the dead process left is not in the database after a minute"
    time.sleep(0.01)
calltape.stop()
"""


def acknowledged_until_killed(db: Path, environment: dict[str, str], delay: float) -> tuple[list[int], int]:
    """Runs the program under load, kills it `delay` seconds after its first call; the numbers it wrote, and its pid."""
    command = [sys.executable, "-c", UNDER_LOAD, str(db)]
    pieces: list[bytes] = []
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, bufsize=0) as process,
        selectors.DefaultSelector() as selector,
    ):
        assert process.stdout is not None
        output = process.stdout.fileno()
        selector.register(output, selectors.EVENT_READ)
        deadline = None
        while True:
            left = 30.0 if deadline is None else deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                process.send_signal(signal.SIGKILL)
                break
            piece = os.read(output, 1 << 16)
            assert piece, "the program ended by itself"
            pieces.append(piece)
            deadline = time.monotonic() + delay if deadline is None else deadline
        while piece := os.read(output, 1 << 16):
            pieces.append(piece)
        assert deadline is not None, "no call returned within 30 s"
        assert process.wait() == -signal.SIGKILL
        return [int(line) for line in b"".join(pieces).split()], process.pid


def check_one_call(row: dict[str, Any], pid: int) -> tuple[str, int]:
    """What holds for each row, whatever the moment of the kill was. Returns which call it is: function and number."""
    name, arguments = row["function"].rpartition(".")[2], json.loads(row["args"])
    n: int = arguments["n"]
    assert row["pid"] == pid
    assert row["thread"] == f"worker-{n // STRIDE}"
    assert arguments == ({"n": n, "note": "in flight"} if name == "outer" else {"n": n})
    if row["status"] == "ok":
        assert row["result"] == str((n + 1) * 2 if name == "outer" else n + 1)
        assert row["duration_ns"] > 0
    else:
        assert row["status"] == "interrupted"
        assert row["result"] is None
    return name, n


def check_tape_against_pipe(tape: Tape, acknowledged: list[int], pid: int) -> int:
    """Compares the tape with what the program wrote; returns how many calls were interrupted."""
    calls: dict[str, dict[int, dict[str, Any]]] = {"outer": {}, "inner": {}}
    for row in tape.calls():
        name, n = check_one_call(row, pid)
        assert n not in calls[name], f"{name}({n}) is stored twice"
        calls[name][n] = row

    # Each call that returned is there, finished, with the call it made.
    for n in acknowledged:
        assert calls["outer"][n]["status"] == "ok"
        assert calls["inner"][n]["status"] == "ok"
    for n, row in calls["inner"].items():
        assert row["parent_id"] == row["root_id"] == calls["outer"][n]["id"]

    # And nothing else, but for the one call each thread was in.
    expected_next: dict[int, int] = defaultdict(int)
    for n in acknowledged:
        expected_next[n // STRIDE] = max(expected_next[n // STRIDE], n % STRIDE + 1)
    interrupted = 0
    for n in sorted(calls["outer"].keys() - set(acknowledged)):
        thread = n // STRIDE
        assert n % STRIDE == expected_next[thread], f"outer({n}) neither returned nor was in flight"
        outer, inner = calls["outer"][n], calls["inner"].get(n)
        interrupted += outer["status"] == "interrupted"
        interrupted += inner is not None and inner["status"] == "interrupted"
        if outer["status"] == "ok":  # killed between the return and the write to the pipe
            assert inner is not None
            assert inner["status"] == "ok"
    assert calls["inner"].keys() <= calls["outer"].keys()

    stored = sum(row["status"] == "ok" for by_number in calls.values() for row in by_number.values())
    accounting = tape.rows("SELECT * FROM accounting WHERE run_id = (SELECT id FROM runs WHERE pid = ?)", pid)
    assert sum(row["calls"] for row in accounting) == stored + interrupted
    assert sum(row["dropped"] + row["sampled_out"] for row in accounting) == 0
    assert sum(row["unknown"] for row in accounting) == 0
    assert tape.rows("SELECT ending FROM runs WHERE pid = ?", pid) == [{"ending": "died"}]
    return interrupted


@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_what_returned_before_sigkill_is_stored_once_and_what_was_in_flight_is_interrupted(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    interrupted = 0
    for number in range(ROUNDS):
        delay = chance.uniform(0, LATEST_KILL)
        db = tmp_path / f"round-{number}" / "calls.db"
        acknowledged, pid = acknowledged_until_killed(db, environment, delay)
        assert acknowledged
        subprocess.run([sys.executable, "-c", NEXT_START, str(db)], env=environment, check=True, timeout=120)
        try:
            interrupted += check_tape_against_pipe(Tape(db), acknowledged, pid)
        except AssertionError as failure:
            failure.add_note(f"round {number} of seed {seed}, killed {delay * 1000:.1f} ms after the first call: {db}")
            raise
    assert interrupted > 0, "no round met a call in flight: the kill came at no interesting moment"
