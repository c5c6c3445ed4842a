"""Real servers for the tests beside this: started on a free port of the loopback, asked many times at once, ended by
their process ids. What a client was answered is compared with the tape, call by call.
"""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from conftest import Tape

# Seconds for anything a server does: far above what it takes on a busy machine.
PATIENCE = 60

# A monitored application. It answers a number with the number and its process, and calls once while it is imported, so
# that a server that imports it before it forks has a run to fork with.
APPLICATION = """
import atexit, os, time
import calltape
from calltape import monitor

@monitor
def handle(number):
    if number % 10 == 7: time.sleep(0.002)
    return doubled(number)

@monitor
def doubled(number): return 2 * number

@monitor
def imported(): return os.getpid()

imported()
process = os.getpid()
def say():
    if process == os.getpid(): print(f"hurried forks: {calltape.stats().hurried_forks}", flush=True)
atexit.register(say)

def application(environ, start_response):
    number = int(environ["QUERY_STRING"])
    answer = f"{handle(number)} {os.getpid()}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: Callable[[], object], log: Path) -> None:
    """Waits until something holds; shows the server's log where it never does."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s:\n{log.read_text()}"
        time.sleep(0.02)


def asked(port: int, number: int) -> tuple[int, int] | None:
    """One request; the number answered and the process that did, or None where the connection broke."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", f"/?{number}")
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        doubled, pid = body.split()
        return int(doubled), int(pid)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def ask(port: int, numbers: Iterable[int], clients: int = 4) -> dict[int, int]:
    """Asks from several threads; the process that answered, by number."""
    answered = {}
    numbers = list(numbers)
    with ThreadPoolExecutor(clients) as pool:
        for number, answer in zip(numbers, pool.map(lambda number: asked(port, number), numbers), strict=True):
            if answer is not None:
                assert answer[0] == 2 * number
                answered[number] = answer[1]
    return answered


class Server:
    """A server that runs."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self) -> set[int]:
        """Its worker processes."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return {int(pid) for pid in path.read_text().split()}

    def end(self, number: int = signal.SIGTERM) -> None:
        """Asks it to end, and waits until it has."""
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.log.read_text()}") from None


@contextmanager
def served(command: Sequence[str], environment: dict[str, str], folder: Path, port: int | None) -> Iterator[Server]:
    """Runs a server in a session of its own, until the block ends; waits for its port where it has one."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, log)
    try:
        if port is not None:
            wait_until(lambda: answers(port) or fell_over(server), log)
        yield server
    except BaseException as failure:
        failure.add_note(f"the server's log:\n{log.read_text()}")
        raise
    finally:
        # The session's processes are this server's alone.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def fell_over(server: Server) -> bool:
    """Fails where the server ended by itself."""
    assert server.process.poll() is None, f"it ended:\n{server.log.read_text()}"
    return False


def check_warnings(log: str) -> None:
    """Python warned of threads only at forks that did not wait for the drain's, as on a very busy machine."""
    hurried = sum(int(line.partition("hurried forks: ")[2]) for line in log.splitlines() if "hurried forks: " in line)
    assert log.count("DeprecationWarning") <= hurried


def check(tape: Tape, answered: dict[int, int], asked_for: Iterable[int]) -> None:
    """What was answered is on the tape once, with the call below it, in the process that answered; what was not is
    there at most once, and nothing else is.
    """
    calls = tape.rows("SELECT function, args ->> 'number' AS number, status, pid, id, parent_id FROM calls")
    handled = [call for call in calls if call["function"].endswith("handle")]
    doubled = {call["parent_id"]: call for call in calls if call["function"].endswith("doubled")}
    numbers = Counter(call["number"] for call in handled)
    assert set(numbers.values()) <= {1}, "doubled"
    assert numbers.keys() <= set(asked_for)
    lost = answered.keys() - numbers.keys()
    assert not lost, f"lost: {sorted(lost)}"
    for call in handled:
        if call["number"] in answered:
            assert (call["status"], call["pid"]) == ("ok", answered[call["number"]])
            assert doubled[call["id"]]["number"] == call["number"]
    assert tape.rows("SELECT sum(unknown) + sum(dropped) AS n FROM accounting") == [{"n": 0}]
