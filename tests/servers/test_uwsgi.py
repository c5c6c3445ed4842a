"""uWSGI, which forks in C: the application imported before the fork and after it. Each answered request is on the one
tape once, also over a reload and a worker that is killed.
"""

import os
import signal
import sys
from pathlib import Path

import pytest
from conftest import RunProgram
from serving import APPLICATION, Server, ask, check, check_warnings, free_port, served, wait_until

uwsgi = Path(sys.executable).with_name("uwsgi")

WORKERS = 2


def command(port: int, lazy: bool, threads: int) -> list[str]:
    options = ["--lazy-apps"] if lazy else []
    options += ["--enable-threads", "--threads", str(threads)] if threads > 1 else []
    return [
        *(str(uwsgi), "--http-socket", f"127.0.0.1:{port}", "--module", "app", "--pythonpath", ".", "--master"),
        *("--processes", str(WORKERS), "--need-app", "--disable-logging", "--die-on-term", "--virtualenv", sys.prefix),
        *options,
    ]


def imported(server: Server, lazy: bool) -> bool:
    """Whether all workers have imported the application: one that is told to end meanwhile never does."""
    log = server.log.read_text()
    return not lazy or all(f"pid: {pid} (default app)" in log for pid in server.children())


@pytest.mark.skipif(not uwsgi.exists(), reason="uWSGI is not installed: it needs a C compiler")
@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("lazy", [False, True], ids=["imported by the master", "lazy"])
def test_each_request_is_on_the_one_tape_once(
    lazy: bool, threads: int, environment: dict[str, str], tmp_path: Path, run_program: RunProgram
) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    port = free_port()
    environment = environment | {"PYTHONWARNINGS": "default"}
    with served(command(port, lazy, threads), environment, tmp_path, port) as server:
        wait_until(lambda: len(server.children()) == WORKERS, server.log)
        first = server.children()
        answered = ask(port, range(300))
        assert len(answered) == 300
        assert set(answered.values()) <= first

        wait_until(lambda: imported(server, lazy), server.log)
        # It tells its workers to end once they have answered, and begins itself anew.
        server.process.send_signal(signal.SIGHUP)
        answered |= ask(port, range(300, 600))
        wait_until(lambda: len(server.children()) == WORKERS and not server.children() & first, server.log)
        answered |= ask(port, range(600, 700))

        before = server.children()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        answered |= ask(port, range(700, 800))
        wait_until(lambda: len(server.children() - {victim}) == WORKERS, server.log)
        answered |= ask(port, range(800, 900))
        wait_until(lambda: imported(server, lazy), server.log)
        server.end()
        log = server.log.read_text()
    check_warnings(log)
    assert "calltape: " not in log
    tape = run_program("import calltape\ncalltape.start()\nassert calltape.flush(20)\n").tape
    assert len(answered) >= 800
    check(tape, answered, range(900))
    endings = {run["pid"]: run["ending"] for run in tape.rows("SELECT pid, ending FROM runs")}
    assert endings.get(victim, "died") == "died"
    assert set(endings.values()) <= {"exit", "died"}
