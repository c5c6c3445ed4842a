"""Worker processes: how the benchmark runs each measurement in a process of its own, and how it hears from it.

Used by the scenarios. A worker is a module of this package run with `-m`; it prints one JSON document a line. The
process that starts them never imports calltape.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Measured

REPOSITORY = Path(__file__).resolve().parent.parent

# Seconds a worker may take for one answer; the slowest, a throughput round, takes a tenth of it.
ANSWER_TIMEOUT = 300


@dataclass(frozen=True)
class Scale:
    """How much is measured: `make bench` or `make bench-quick`."""

    rounds: int  # of each figure; the median is shown
    calls: int  # of a recorded function in one round of the call's cost
    throughput_calls: int
    throughput_rounds: int
    process_rounds: int  # for figures that need a new process each time

    @classmethod
    def full(cls) -> "Scale":
        """Every median over at least 5 rounds, throughput over a million calls."""
        return cls(rounds=9, calls=100_000, throughput_calls=1_000_000, throughput_rounds=5, process_rounds=7)

    @classmethod
    def quick(cls) -> "Scale":
        """Under a minute in all, good for a first look."""
        return cls(rounds=5, calls=50_000, throughput_calls=300_000, throughput_rounds=3, process_rounds=3)


def environment() -> dict[str, str]:
    """The workers' environment: no setting of calltape's, and this package on the path."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CALLTAPE_")}
    return clean | {"PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": "0"}


def command(module: str, *arguments: object) -> list[str]:
    """The command line of a worker."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def answer(module: str, *arguments: object, extra: dict[str, str] | None = None) -> dict[str, Any]:
    """Runs a worker to its end; what it printed."""
    done = subprocess.run(
        command(module, *arguments),
        env=environment() | (extra or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        timeout=ANSWER_TIMEOUT,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class Worker:
    """A worker that stays: it answers one line for each line it is sent."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            command(module, *arguments),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, question: object) -> dict[str, Any]:
        """Sends a line and waits for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """The next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()} instead of an answer")
        result: dict[str, Any] = json.loads(line)
        return result

    def end(self) -> None:
        """Closes the worker's input, upon which it ends."""
        self._process.communicate(timeout=ANSWER_TIMEOUT)


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for tapes, on the same disk as the project, gone afterwards."""
    place = REPOSITORY / ".calltape"
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=place) as directory:
        yield Path(directory)


def measured(key: str, values: Sequence[float], note: str = "") -> Measured:
    """The figure that a series of rounds gives."""
    return Measured(key, statistics.median(values), min(values), max(values), len(values), note)
