"""A private folder for a tape that nobody keeps: in memory where the system offers it.

Used by `calltape.testing`. A folder is locked by the process that made it, as long as that lives; so what a killed one
left behind can be told from what is in use, also by processes that do not see each other's ids, and is removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["Scratch"]

_MEMORY = Path("/dev/shm")
_PREFIX = "calltape-test-"
_LOCK = "lock"

# Bytes that must be free: a journal at its limit, and a tape of some ten thousand calls.
_ROOM = 64 << 20

_swept = False


class Scratch:
    """A folder, deleted by the process that made it."""

    __slots__ = ("_lock", "_pid", "folder")

    def __init__(self) -> None:
        base = _base()
        _sweep(base)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        self._pid = os.getpid()
        # Locked before it has its name, so that nobody finds it unlocked.
        self._lock = os.open(self.folder / "new", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        (self.folder / "new").rename(self.folder / _LOCK)

    @property
    def database(self) -> Path:
        """Where the tape goes."""
        return self.folder / "calls.db"

    def delete(self) -> None:
        """Delete the folder; not in a process that was forked since, for it is the parent's."""
        if os.getpid() == self._pid:
            self._pid = 0
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._lock)


def _base() -> Path:
    with suppress(OSError):
        room = os.statvfs(_MEMORY)
        if room.f_bavail * room.f_frsize >= _ROOM and os.access(_MEMORY, os.W_OK | os.X_OK):
            return _MEMORY
    return Path(tempfile.gettempdir())


def _sweep(base: Path) -> None:
    """Remove what killed processes left behind; once a process."""
    global _swept
    if _swept:
        return
    _swept = True
    for folder in base.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
