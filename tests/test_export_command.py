"""`calltape export` around files, pipes and Ctrl-C: a whole file or none, and a quiet end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PROGRAM_TIMEOUT, RunProgram, Tape

RECORDED = """
import calltape
from calltape import monitor

@monitor()
def echo(value):
    return value

for number in range(100_000):
    echo(number)
assert calltape.flush(60)
"""

Export = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def tape(run_program: RunProgram) -> Tape:
    """A tape whose export takes long enough to be stopped."""
    return run_program(RECORDED, env={"CALLTAPE_ON_FULL": "block"}).tape


@pytest.fixture
def export(tape: Tape, environment: dict[str, str], tmp_path: Path) -> Export:
    """Starts `calltape export` with arguments; its standard output is a pipe."""

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "calltape", "--db", str(tape.path), "export", *arguments]
        return subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    return start


def until_it_writes(folder: Path, running: subprocess.Popen[bytes]) -> None:
    """Waits for the file that an export writes before it has its name."""
    until = time.monotonic() + PROGRAM_TIMEOUT
    while not list(folder.glob(".calls.csv.*.part")):
        assert running.poll() is None, "it has ended before it could be stopped"
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_export_leaves_no_file(stop: signal.Signals, export: Export, tmp_path: Path) -> None:
    running = export("--output", "calls.csv")
    until_it_writes(tmp_path, running)
    running.send_signal(stop)
    out, err = running.communicate(timeout=PROGRAM_TIMEOUT)
    assert (running.returncode, out, err) == (130, b"", b"")
    assert not list(tmp_path.glob("*calls.csv*"))


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet", "trace"])
def test_a_closed_pipe_ends_an_export_quietly(name: str, export: Export) -> None:
    with export("--format", name) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(1_000)
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(PROGRAM_TIMEOUT) == 0


def test_a_full_disk_leaves_no_half_file_and_says_so(export: Export) -> None:
    running = export("--format", "csv", "--output", "/dev/full")
    _, err = running.communicate(timeout=PROGRAM_TIMEOUT)
    assert running.returncode == 2
    assert b"cannot write /dev/full: No space left on device" in err


@pytest.mark.parametrize("name", ["jsonl", "csv", "trace"])
def test_memory_does_not_grow_with_the_calls(name: str, export: Export, tape: Tape) -> None:
    fewer = tape.rows("SELECT started_ns FROM calls ORDER BY id LIMIT 1 OFFSET 19999")[0]["started_ns"]

    def peak_mib(*arguments: str) -> float:
        with export("--format", name, "--output", "/dev/null", *arguments) as running:
            _, status, used = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
        assert running.returncode == 0
        return used.ru_maxrss / 1024

    # Pages and what is gathered for the output may differ; 80,000 calls are 13 MiB as text alone.
    assert peak_mib() - peak_mib("--until", str(fewer)) < 10


def test_a_terminal_gets_a_bar_and_the_file_is_whole(export: Export, tmp_path: Path, tape: Tape) -> None:
    shown = in_a_terminal(
        [sys.executable, "-m", "calltape", "--db", str(tape.path), "export", "-o", str(tmp_path / "calls.jsonl")]
    )
    assert " %" in shown
    assert " left" in shown
    lines = (tmp_path / "calls.jsonl").read_bytes().count(b"\n")
    assert lines == 100_000


def in_a_terminal(command: list[str]) -> str:
    """What a command shows on a terminal."""
    pid, terminal = os.forkpty()
    if pid == 0:
        os.execvp(command[0], command)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    return shown.decode(errors="replace")
