"""gunicorn, with the application imported before the fork and after it, in processes and in threads: each answered
request is on the one tape once, also over a graceful reload and a worker that is killed.
"""

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import RunProgram, Tape
from serving import APPLICATION, ask, check, check_warnings, free_port, served, wait_until

WORKERS = 2


def command(port: int, worker: str, preload: bool) -> list[str]:
    options = ["--threads", "4"] if worker == "gthread" else []
    options += ["--preload"] if preload else []
    return [
        *(
            sys.executable,
            "-m",
            "gunicorn",
            "app:application",
            "--bind",
            f"127.0.0.1:{port}",
            "--workers",
            str(WORKERS),
        ),
        *("--worker-class", worker, "--worker-tmp-dir", "/dev/shm", "--no-control-socket", *options),
    ]


@pytest.mark.parametrize("preload", [False, True], ids=["imported by each", "preloaded"])
@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_each_request_is_on_the_one_tape_once(
    worker: str, preload: bool, environment: dict[str, str], tape_path: Path, tmp_path: Path, run_program: RunProgram
) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    port = free_port()
    environment = environment | {"PYTHONWARNINGS": "default"}
    with served(command(port, worker, preload), environment, tmp_path, port) as server:
        wait_until(lambda: len(server.children()) == WORKERS, server.log)
        before = server.children()
        answered = ask(port, range(300))
        assert len(answered) == 300
        assert set(answered.values()) <= before

        # A graceful reload, under load.
        server.process.send_signal(signal.SIGHUP)
        answered |= ask(port, range(300, 600))
        wait_until(lambda: len(server.children()) == WORKERS and not server.children() & before, server.log)
        answered |= ask(port, range(600, 700))

        # A worker dies, and the calls that were in it and answered are stored by whoever is left.
        victim = min(server.children())
        os.kill(victim, signal.SIGKILL)
        answered |= ask(port, range(700, 800))
        wait_until(lambda: len(server.children() - {victim}) == WORKERS, server.log)
        answered |= ask(port, range(800, 900))
        server.end()
        log = server.log.read_text()
    check_warnings(log)
    assert "calltape: " not in log
    # What the killed one left is the next start's where no sibling had come to it.
    tape = run_program("import calltape\ncalltape.start()\nassert calltape.flush(20)\n").tape
    assert len(answered) >= 880
    check(tape, answered, range(900))
    imports = len(tape.calls("imported"))
    assert imports == (1 if preload else 2 * WORKERS + 1)
    endings = Counter(run["ending"] for run in Tape(tape_path).rows("SELECT ending FROM runs"))
    assert endings["died"] == (1 if victim in {call["pid"] for call in tape.calls()} else 0)
    assert set(endings) <= {"exit", "died"}
