"""Faults on purpose: the nth allocation, or the nth system call, of calltape's extension fails.

Used by the tests of memory pressure and by the torture runs. `environment` gives what a program is started with; inside
that program `Faults` makes plans and counts. Needs a C compiler; `CannotBuild` says where there is none.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")

# The system calls by name, in the shim's order.
CALLS = (
    "open",
    "read",
    "pread",
    "write",
    "pwrite",
    "fsync",
    "fdatasync",
    "fallocate",
    "mmap",
    "rename",
    "unlink",
    "ftruncate",
    "mkdir",
    "opendir",
    "stat",
    "fcntl",
    "thread",
)

# Calls that a round of `faults.rounds` makes: ordinary ones, those that raise, and one that takes up what is left.
CALLS_OF_A_ROUND = 5 + 3 + 1

_THREADS = {"any": 0, "this": 1, "others": 2}


class CannotBuildError(Exception):
    """There is no C compiler, or it did not like the shim."""


def build(folder: Path) -> Path:
    """The shim as a library in `folder`, compiled unless it is there and newer than its source."""
    library = folder / "calltape_faults.so"
    if library.exists() and library.stat().st_mtime > SOURCE.stat().st_mtime:
        return library
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise CannotBuildError("no C compiler was found")
    folder.mkdir(parents=True, exist_ok=True)
    half_made = folder / f"calltape_faults.{os.getpid()}.so"
    command = [compiler, "-O1", "-fPIC", "-shared", "-Wall", "-Werror", "-o", str(half_made), str(SOURCE)]
    command += ["-fno-optimize-sibling-calls", "-fno-builtin", "-pthread", "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotBuildError(done.stderr)
    half_made.replace(library)
    return library


def environment(library: Path, plan: str = "") -> dict[str, str]:
    """What to add to a program's environment; `plan` as the shim's head says, for the time before it makes its own."""
    here = str(SOURCE.parent.parent)
    variables = {"LD_PRELOAD": str(library), "PYTHONPATH": here}
    return variables | ({"CALLTAPE_FAULTS": plan} if plan else {})


@dataclass(frozen=True)
class Counts:
    """What plans came to: calls seen while they were in force, and how many of these failed."""

    allocations: int
    failed_allocations: int
    calls: int
    failed_calls: int

    @property
    def failed(self) -> int:
        """All that failed."""
        return self.failed_allocations + self.failed_calls


class Faults:
    """The shim of this process, which was started with `environment`."""

    def __init__(self) -> None:
        shim = ctypes.CDLL(None)
        self._plan = shim.fault_plan
        self._plan.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_int]
        self._plan.restype = None
        self._end, self._seen, self._failed = shim.fault_end, shim.fault_seen, shim.fault_failed
        self._seen.restype = self._failed.restype = ctypes.c_long
        if not shim.fault_find():
            raise RuntimeError("import calltape first: its extension is not loaded")

    def allocations(self, nth: int = -1, *, forever: bool = False, threads: str = "any") -> None:
        """Lets the nth allocation from now fail, 0 being the next one; -1 only counts."""
        self._plan(0, 2**64 - 1, nth, 0, forever, _THREADS[threads])

    def calls(
        self,
        nth: int = -1,
        error: int = 0,
        *,
        names: tuple[str, ...] = CALLS,
        forever: bool = False,
        threads: str = "any",
    ) -> None:
        """Lets the nth system call from now fail with an errno, of those named; -1 only counts."""
        mask = sum(1 << CALLS.index(name) for name in names)
        self._plan(1, mask, nth, error, forever, _THREADS[threads])

    def failed(self) -> int:
        """How much has failed since the plans were made."""
        return int(self._failed(0) + self._failed(1))

    def off(self) -> Counts:
        """Ends the plans; what they saw and made fail."""
        self._end(0)
        self._end(1)
        return Counts(self._seen(0), self._failed(0), self._seen(1), self._failed(1))
