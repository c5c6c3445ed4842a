"""Celery's prefork pool, with broker and results in SQLite: each task that gave a result is on the one tape once,
though the pool's processes leave by `os._exit` after some tasks and at the end, and one is killed.
"""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import RunProgram
from serving import PATIENCE, served, wait_until

pytest.importorskip("celery")

TASKS = """
import os, signal, time
from celery import Celery
from kombu.transport import sqlalchemy
from calltape import monitor

folder = os.environ["TASKS_FOLDER"]
# kombu's broker of plain files reads a message before it is all written, now and then.
broker, results = f"sqla+sqlite:///{folder}/broker.sqlite", f"db+sqlite:///{folder}/results.sqlite"
app = Celery("tasks", broker=broker, backend=results)
sqlalchemy.Transport.polling_interval = 0.05
app.conf.broker_transport_options = {"connect_args": {"timeout": 60}}
app.conf.database_engine_options = {"connect_args": {"timeout": 60}}
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_connection_retry_on_startup = False

@app.task
@monitor
def handle(number):
    return [doubled(number), os.getpid()]

@monitor
def doubled(number): return 2 * number

@app.task
@monitor
def failing(number): raise ValueError(number)

@app.task
def die(): os.kill(os.getpid(), signal.SIGKILL)

@monitor
def imported(): return os.getpid()

imported()
"""

# Sends the tasks of a range, and prints each result's number and process.
CLIENT = """
import os, sys
os.environ["CALLTAPE_DISABLED"] = "1"
import tasks
begin, end = map(int, sys.argv[1:])
results = [(number, tasks.handle.delay(number)) for number in range(begin, end)]
if begin == 0: tasks.failing.delay(1)
if begin: tasks.die.delay()
for number, result in results:
    doubled, pid = result.get(timeout=60, interval=0.05)
    assert doubled == 2 * number
    print(number, pid)
"""


def test_each_task_is_on_the_one_tape_once(
    environment: dict[str, str], tmp_path: Path, run_program: RunProgram
) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)
    # kombu and billiard use what Python has deprecated; of calltape's nothing is said.
    environment = environment | {"PYTHONWARNINGS": "ignore", "TASKS_FOLDER": str(tmp_path), "PYTHONPATH": "."}
    command = [
        *(sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", "2"),
        *("--max-tasks-per-child", "20", "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"),
    ]

    def given(begin: int, end: int) -> dict[int, int]:
        client = [sys.executable, "-c", CLIENT, str(begin), str(end)]
        done = subprocess.run(
            client, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        return {int(number): int(pid) for number, pid in (line.split() for line in done.stdout.splitlines())}

    with served(command, environment, tmp_path, None) as server:
        wait_until(lambda: " ready." in server.log.read_text() or server.process.poll() is not None, server.log)
        answered = given(0, 60)
        answered |= given(60, 100)
        server.end(signal.SIGTERM)
        log = server.log.read_text()
    assert "calltape: " not in log
    tape = run_program("import calltape\ncalltape.start()\nassert calltape.flush(20)\n").tape

    assert set(answered) == set(range(100))
    handled = Counter(
        (int(call["result"].strip("[]").split(",")[0]) // 2, call["pid"]) for call in tape.calls("handle")
    )
    assert handled == Counter(answered.items())
    assert len(tape.calls("doubled")) == 100
    assert [call["status"] for call in tape.calls("failing")] == ["error"]
    endings = Counter(run["ending"] for run in tape.rows("SELECT ending FROM runs"))
    # The one that was killed, if it had recorded anything; all others, Celery's own main process too, ended in order.
    assert endings["died"] <= 1
    assert set(endings) <= {"exit", "died"}
    assert len(set(answered.values())) >= 4
