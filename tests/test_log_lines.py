"""What calltape has to say is logged while it matters, also by a program that never asks.

The background thread's lines once waited for flush(), stats(), stop() or the exit: a server heard of a full disk when
it was stopped, and of nothing when it was killed.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from conftest import RunProgram

HOLDING = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
"""

RECORDING = """
import logging, sys, time
from calltape import monitor, start

class Telling(logging.Handler):
    def emit(self, record):
        print(record.getMessage(), flush=True)
logging.getLogger("calltape").addHandler(Telling())
logging.getLogger("calltape").setLevel(logging.INFO)
start(sys.argv[1], breaker_busy="0s", breaker_threshold=1, flush_interval="5ms")

@monitor
def work(n): return n

while True:
    work(1)
    time.sleep(0.002)
"""


def test_a_database_that_cannot_be_written_is_said_while_the_program_runs(
    run_program: RunProgram, tmp_path: Path
) -> None:
    tape = run_program("from calltape import monitor\nmonitor(lambda: 1)()").tape
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tape.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        command = [sys.executable, "-c", RECORDING, str(tape.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as recording:
            assert recording.stdout is not None
            said = recording.stdout.readline()
            assert "locked" in said
            assert str(tape.path) in said
            holder.stdin.close()
            assert "can be written again" in recording.stdout.readline()
            os.kill(recording.pid, signal.SIGKILL)


def test_ctrl_c_while_a_line_is_logged_is_the_programs(run_program: RunProgram) -> None:
    program = """
import logging, time
from calltape import monitor, start

class Interrupted(logging.Handler):
    def emit(self, record): raise KeyboardInterrupt
    def handleError(self, record): pass
logging.getLogger("calltape").addHandler(Interrupted())
start(journal_limit="2MiB")

@monitor
def work(n): return "x" * 900

try:
    while True:
        for _ in range(1000): work("y" * 900)
        time.sleep(0)
except KeyboardInterrupt:
    print("interrupted")
"""
    assert run_program(program).stdout == "interrupted\n"
