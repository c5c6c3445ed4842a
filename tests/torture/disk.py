"""A disk that fills and empties while calls are recorded: a small tmpfs that this test mounts.

The promise: no SIGBUS, no exception in the caller, every call stored or counted, and once there is room again the
recorder goes on by itself. Needs the right to mount; elsewhere the fault is skipped.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .fault import Fault
from .oracle import Allowance, Verdict
from .stage import Round, SkippedError

# Room for the journal at its limit, the tape of a round and its WAL: it is full when the other process fills it,
# and then alone.
DISK_BYTES = 48 << 20
JOURNAL = "2MiB"


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A tmpfs at `place`."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "calltape-torture", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SkippedError(f"a tmpfs cannot be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        # Lazily: where a round failed, a program may still have a file open there.
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class Filler:
    """Another user of the disk."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "filler"

    def fill(self, leave: int = 0) -> None:
        """Takes all room but so many bytes. Where there is none even for a file's name, the disk is full already."""
        try:
            file = self._file.open("ab", buffering=0)
        except OSError:
            return
        with file:
            free = os.statvfs(self._file).f_bavail * os.statvfs(self._file).f_frsize
            try:
                os.posix_fallocate(file.fileno(), file.tell(), max(free - leave, 4096))
            except OSError:
                for _ in range(1 << 14):
                    try:
                        file.write(b"x" * 4096)
                    except OSError:
                        return

    def free(self) -> None:
        """Gives it back."""
        self._file.unlink(missing_ok=True)


def fills_and_empties(place: Round) -> Verdict:
    """The disk is full for random spans while two threads call; every second round ends in a SIGKILL."""
    dies = place.number % 2 == 1
    with small_disk(place.folder / "tape"):
        filler = Filler(place.db.parent)
        how = {
            "threads": 2,
            "settings": {"journal_limit": JOURNAL, "breaker_timeout": "1s"},
            "pause": place.chance.choice([0.0003, 0.001]),
        }
        program = place.begin("load", **how) if dies else place.begin("load", **how, seconds=2.5)
        program.first_call()
        for _ in range(4):
            program.watch(place.chance.uniform(0, 0.3))
            filler.fill(leave=place.chance.choice([0, 0, 8192, 65536]))
            program.watch(place.chance.uniform(0, 0.3))
            filler.free()
        if dies:
            filler.fill()
            program.watch(0.2)
            numbers = program.kill()
            filler.free()
        else:
            numbers, code = program.end()
            if code != 0:
                raise RuntimeError(f"the process ended with {code}")
        place.next_start()
        return place.judged(numbers, Allowance(in_flight=2 if dies else 0, losses=True))


FAULTS = [Fault("disk-full", "a small disk that another process fills and frees", fills_and_empties, 16, 4)]
