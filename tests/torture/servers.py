"""Real servers whose processes are forked, reloaded and killed: gunicorn, uWSGI, Celery.

The answer to a request, or the word that a task succeeded, is the acknowledgement. The promise: one tape for all
processes, each answered call on it once. Uses the helpers of `tests/servers`; what is not installed is skipped.
"""

import http.client
import importlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from .fault import Fault
from .numbered import STRIDE
from .oracle import Allowance, Verdict
from .stage import TESTS, Round, SkippedError, environment

WORKERS = 2
CLIENTS = 4

TASK_COUNT = 150

# Seconds under load: some before a worker is killed, some for a graceful reload, some after.
SPAN = 0.6

APPLICATION = """
from calltape import monitor
from torture.numbered import note
from torture.worker import RefusedError, outer

@monitor
def imported(): pass

imported()  # where the application is imported before the fork, a run begins there

def application(environ, start_response):
    n = int(environ["QUERY_STRING"])
    try:
        outer(n, note=note(n))
    except RefusedError:
        pass
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
"""

TASKS = """
import os
from celery import Celery
from torture.numbered import note
from torture.worker import RefusedError, outer

folder = os.environ["TASKS_FOLDER"]
app = Celery("tasks", broker="filesystem://")
queue = folder + "/queue"
app.conf.broker_transport_options = {
    "data_folder_in": queue, "data_folder_out": queue, "control_folder": folder + "/control", "polling_interval": 0.02
}
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_connection_retry_on_startup = False

@app.task
def handle(n):
    try:
        outer(n, note=note(n))
    except RefusedError:
        pass
    return n
"""

TASK_CLIENT = """
import os, sys
os.environ["CALLTAPE_DISABLED"] = "1"
import tasks
for n in range(int(sys.argv[1])): tasks.handle.delay(n)
"""


def helpers() -> Any:
    """The module that starts servers."""
    folder = TESTS / "servers"
    if not (folder / "serving.py").exists():
        raise SkippedError("tests/servers is not here")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module("serving")


def needs(module: str) -> None:
    """Skips where a server is not installed."""
    if importlib.util.find_spec(module) is None:
        raise SkippedError(f"{module} is not installed")


class Client(threading.Thread):
    """Asks for one number after the other; where a connection breaks it goes on in another lane."""

    def __init__(self, port: int, lane: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.numbers: list[int] = []
        self.broken = 0
        self._port, self._lane, self._stop_asking = port, lane, stop

    def run(self) -> None:
        n = self._lane * STRIDE
        while not self._stop_asking.is_set():
            if self._ask(n):
                self.numbers.append(n)
                n += 1
            else:
                self.broken += 1
                n = (self._lane + CLIENTS * self.broken) * STRIDE

    def _ask(self, n: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", f"/?{n}")
            return connection.getresponse().read() == b"ok"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def asked(place: Round, command: list[str], port: int, ready: str = "") -> Verdict:
    """Clients ask while a worker is killed and the server reloads; then it ends in order. `ready`: what the log says of
    each worker that can be told to end, with `PID` for its process.
    """
    serving = helpers()
    (place.folder / "app.py").write_text(APPLICATION)
    env = environment() | {"CALLTAPE_DB": str(place.db), "PYTHONWARNINGS": "default"}
    stop = threading.Event()
    clients = [Client(port, lane, stop) for lane in range(CLIENTS)]
    with serving.served(command, env, place.folder, port) as server:

        def at_rest() -> bool:
            children, log = server.children(), server.log.read_text()
            return len(children) == WORKERS and all(ready.replace("PID", str(pid)) in log for pid in children)

        serving.wait_until(at_rest, server.log)
        for client in clients:
            client.start()
        stop.wait(place.chance.uniform(0.2, SPAN))
        os.kill(place.chance.choice(sorted(server.children())), signal.SIGKILL)
        stop.wait(SPAN)
        serving.wait_until(at_rest, server.log)
        before = server.children()
        server.process.send_signal(signal.SIGHUP)
        serving.wait_until(lambda: len(server.children()) == WORKERS and not server.children() & before, server.log)
        stop.wait(SPAN)
        stop.set()
        for client in clients:
            client.join()
        server.end()
    place.next_start()
    # A connection that broke may have been a call that had begun.
    broken = sum(client.broken for client in clients)
    verdict = place.judged([n for client in clients for n in client.numbers], Allowance(in_flight=broken))
    if "DeprecationWarning" in server.log.read_text():
        verdict.blame(f"the server's log has warnings: {server.log}")
    return verdict


def gunicorn(place: Round) -> Verdict:
    """With the application imported before the fork and after it, in processes and in threads."""
    needs("gunicorn")
    port = helpers().free_port()
    options = ["--preload"] if place.number % 2 else []
    options += ["--worker-class", "gthread", "--threads", "4"] if place.number // 2 % 2 else []
    command = [sys.executable, "-m", "gunicorn", "app:application", "--bind", f"127.0.0.1:{port}", *options]
    return asked(place, [*command, "--workers", str(WORKERS), "--worker-tmp-dir", "/dev/shm"], port)


def uwsgi(place: Round) -> Verdict:
    """It forks in C, before the application is imported or after."""
    program = Path(sys.executable).with_name("uwsgi")
    if not program.exists():
        raise SkippedError("uWSGI is not installed")
    port = helpers().free_port()
    options = ["--lazy-apps"] if place.number % 2 else []
    options += ["--enable-threads", "--threads", "4"] if place.number // 2 % 2 else []
    command = [str(program), "--http-socket", f"127.0.0.1:{port}", "--module", "app", "--pythonpath", ".", "--master"]
    options += ["--processes", str(WORKERS), "--need-app", "--disable-logging", "--die-on-term"]
    # A worker that is told to end while it imports its application never does.
    ready = "pid: PID (default app)" if place.number % 2 else ""
    return asked(place, [*command, *options, "--virtualenv", sys.prefix], port, ready)


def celery(place: Round) -> Verdict:
    """The prefork pool, whose processes leave by `os._exit` after some tasks."""
    needs("celery")
    serving = helpers()
    (place.folder / "tasks.py").write_text(TASKS)
    for folder in ("queue", "control"):
        (place.folder / folder).mkdir()
    env = environment() | {"CALLTAPE_DB": str(place.db), "PYTHONWARNINGS": "ignore", "TASKS_FOLDER": str(place.folder)}
    env["PYTHONPATH"] += f"{os.pathsep}."
    celery = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", "2"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"]
    # Sent before the pool begins: its broker of files may read a message that is half written.
    client = [sys.executable, "-c", TASK_CLIENT, str(TASK_COUNT)]
    subprocess.run(client, env=env, cwd=place.folder, check=True, timeout=60)
    with serving.served([*celery, "--max-tasks-per-child", "30", *quiet], env, place.folder, None) as server:
        serving.wait_until(lambda: len(succeeded(server.log)) == TASK_COUNT, server.log)
        server.end(signal.SIGTERM)
    place.next_start()
    return place.judged(succeeded(server.log), Allowance(in_flight=0))


def succeeded(log: Path) -> list[int]:
    """The tasks whose results came back to Celery's main process."""
    return [int(n) for n in re.findall(r"succeeded in [0-9.e-]+s: (\d+)", log.read_text())]


FAULTS = [
    Fault("gunicorn", "gunicorn under load: a worker killed, a reload", gunicorn, 8, 2),
    Fault("uwsgi", "uWSGI under load: a worker killed, a reload", uwsgi, 8, 2),
    Fault("celery", "Celery's pool, whose processes come and go", celery, 2, 1),
]
