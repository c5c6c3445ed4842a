"""What every fault needs: places for tapes, processes to break, numbers that were acknowledged, and chance with a seed.

Used by the faults. Programs run in forks of one warm process (`worker.py`), so that a thousand rounds take minutes; a
process that was killed is always drained by another one. Never imports calltape.
"""

import json
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .oracle import Allowance, Verdict, compare

TESTS = Path(__file__).resolve().parent.parent
REPOSITORY = TESTS.parent

# Seconds within which a program must acknowledge something, or end.
PATIENCE = 60.0


class SkippedError(Exception):
    """A fault that cannot be made on this machine; says why."""


def environment() -> dict[str, str]:
    """The programs' environment: no setting of calltape's from outside; a warning is an error."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("CALLTAPE_", "PYTHON"))}
    return clean | {"PYTHONPATH": str(TESTS), "PYTHONWARNINGS": "error", "NO_COLOR": "1"}


@dataclass
class Program:
    """A program that runs: its process and the numbers it has acknowledged so far."""

    pid: int
    pipe: int
    wait: Callable[[], int]
    tail: bytes = b""
    numbers: list[int] = field(default_factory=list)
    has_ended: bool = False

    def take(self, seconds: float) -> bool:
        """Reads what is acknowledged, waiting at most so long for something; false at the end of the pipe."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.pipe, selectors.EVENT_READ)
            if not selector.select(max(seconds, 0)):
                return True
        piece = os.read(self.pipe, 1 << 16)
        data = self.tail + piece
        whole = len(data) // 8 * 8
        self.numbers += [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
        self.tail = data[whole:]
        return bool(piece)

    def watch(self, seconds: float) -> bool:
        """Reads for so long; false when the program ended meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not self.take(left):
                return False
        return True

    def first_call(self) -> None:
        """Waits until something is acknowledged."""
        deadline = time.monotonic() + PATIENCE
        while not self.numbers:
            if not self.take(0.5) or time.monotonic() > deadline:
                raise RuntimeError(f"process {self.pid} acknowledged nothing")

    def kill(self) -> list[int]:
        """SIGKILL, then what was acknowledged until then."""
        os.kill(self.pid, signal.SIGKILL)
        numbers, code = self.end()
        if code != -signal.SIGKILL:
            raise RuntimeError(f"process {self.pid} ended with {code} before it was killed")
        return numbers

    def end(self, seconds: float = PATIENCE) -> tuple[list[int], int]:
        """Reads until the program ends; what it acknowledged, and how it ended. One that hangs is killed: SIGABRT."""
        deadline = time.monotonic() + seconds
        while self.take(deadline - time.monotonic()):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGABRT)
                deadline = time.monotonic() + 5
        os.close(self.pipe)
        self.has_ended = True
        return self.numbers, self.wait()

    def stop_anyhow(self) -> None:
        """Ends a program that a round left behind when it failed."""
        if not self.has_ended:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.end()


@dataclass
class Round:
    """One round of one fault: a folder, and where its tape goes."""

    number: int
    chance: random.Random
    folder: Path
    stage: "Stage"

    @property
    def db(self) -> Path:
        """The tape of this round. Nothing is there yet."""
        return self.folder / "tape" / "calls.db"

    def begin(self, program: str, **arguments: Any) -> Program:
        """Starts a program of `worker.py` on this round's tape."""
        return self.stage.begin(program, db=str(self.db), **arguments)

    def next_start(self, db: Path | None = None) -> None:
        """Starts a recorder on the tape, which takes over what the dead left, and ends it."""
        program = self.stage.begin("next_start", db=str(db or self.db))
        _, code = program.end()
        if code != 0:
            raise RuntimeError(f"the next start on {db or self.db} ended with {code}")

    def forget(self, folder: Path, verdict: Verdict) -> None:
        """Removes a folder of this round's that nothing is wrong with."""
        if not verdict.wrong:
            shutil.rmtree(folder, ignore_errors=True)

    def judged(self, numbers: list[int], allow: Allowance) -> Verdict:
        """Compares this round's tape."""
        return compare(self.db, numbers, allow)


@dataclass
class Stage:
    """One run of the torture: its seed, its scale, and the warm process."""

    seed: int
    short: bool
    keep: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # The programs of the round that each thread makes.
    _of_thread: threading.local = field(default_factory=threading.local)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="calltape-torture-")))
    _warm: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    @property
    def said(self) -> Path:
        """What the programs said: their log lines and tracebacks."""
        return self.folder / "said.log"

    def scale(self, long: int, short: int) -> int:
        """How many rounds: of the long form, of the short one."""
        return short if self.short else long

    def round(self, fault: str, number: int) -> Round:
        """A round with a folder and chances of its own, the same for each run with this seed."""
        folder = self.folder / f"{fault}-{number}"
        folder.mkdir()
        return Round(number, random.Random(f"{self.seed} {fault} {number}"), folder, self)

    def clear(self, place: Round) -> None:
        """Removes a round's folder."""
        shutil.rmtree(place.folder, ignore_errors=True)

    def _worker(self) -> socket.socket:
        if self._warm is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                command = [sys.executable, "-m", "torture.worker", str(theirs.fileno())]
                with self.said.open("ab") as said:
                    process = subprocess.Popen(
                        command, env=environment(), pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stderr=said
                    )
            self._warm = process, ours
        return self._warm[1]

    def _ask(self, request: dict[str, Any], descriptors: list[int]) -> Any:
        with self._lock:
            worker = self._worker()
            socket.send_fds(worker, [json.dumps(request).encode()], descriptors)
            answer = worker.recv(1 << 16)
        if not answer:
            raise RuntimeError("the process that forks the programs is gone")
        return json.loads(answer)

    def begin(self, program: str, **arguments: Any) -> Program:
        """Starts a program of `worker.py` in a fork of the warm process."""
        reading, writing = os.pipe()
        try:
            pid = self._ask({"program": program, "arguments": arguments}, [writing])
        finally:
            os.close(writing)
        return self._started(Program(pid, reading, lambda: int(self._ask({"wait": pid}, []))))

    def _started(self, program: Program) -> Program:
        self._of_thread.programs = [*self._programs(), program]
        return program

    def _programs(self) -> list[Program]:
        return getattr(self._of_thread, "programs", [])

    def stop_programs(self) -> None:
        """Ends what the round that this thread has just made left running."""
        for program in self._programs():
            program.stop_anyhow()
        self._of_thread.programs = []

    def begin_alone(self, program: str, env: dict[str, str] | None = None, **arguments: Any) -> Program:
        """Starts a program of `worker.py` in a new interpreter, where the environment matters."""
        reading, writing = os.pipe()
        code = (
            "import json, sys; from torture import worker;"
            " worker.run(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]))"
        )
        with self.said.open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-c", code, program, json.dumps(arguments), str(writing)],
                env=environment() | (env or {}),
                pass_fds=[writing],
                stdin=subprocess.DEVNULL,
                stderr=said,
            )
        os.close(writing)
        return self._started(Program(process.pid, reading, process.wait))

    def close(self) -> None:
        """Ends the warm process and removes what is left on the disk."""
        if self._warm is not None:
            process, ours = self._warm
            ours.close()
            process.wait()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
