"""Recording in tests: what did the code under test call, with what, and what came of it?

    from calltape.testing import record

    def test_an_order_is_charged_once():
        with record() as tape:
            shop.place({"id": 1})
        charge, = tape.calls("charge")
        assert charge.args == {"amount": 5}

The tape of a block is a file of its own in memory (a private folder on ``/dev/shm``, or among the temporary files where
there is none) and is gone when the object is, at the latest when the process exits. It takes room there: about 4 MiB,
and more as the block records. ``pytest --calltape`` gives each test such a tape, see :mod:`pytest_calltape`.
"""

from __future__ import annotations

import os
import shutil
import weakref
from pathlib import Path
from types import TracebackType

from calltape import _native
from calltape._faults import TapeError
from calltape._lifecycle import Setting, as_text
from calltape._scratch import Scratch
from calltape._tape import Tape

__all__ = ["RecordedTape", "record"]

# Seconds that a question waits for what was recorded, and the end of a block for its last calls.
_PATIENCE = 10.0

# The blocks that are open in this process, the outermost first.
_open: list[record] = []


class RecordedTape(Tape):
    """The tape of a :class:`record` block: a :class:`calltape.Tape` whose answers have every call made before them.

    It may be asked inside the block and after it. :meth:`close`, or the end of the object, deletes it.
    """

    __slots__ = ("__weakref__", "_block", "_delete", "_path")

    def __init__(self, scratch: Scratch, block: record) -> None:
        self._path = scratch.database
        self._block = block
        self._delete = weakref.finalize(self, scratch.delete)

    @property
    def path(self) -> Path:
        """The tape's file, which is deleted with this object."""
        return self._path

    def close(self) -> None:
        """Close the tape and delete it. Asking afterwards is a :class:`calltape.TapeError`; closing again is not."""
        self._asked().close()
        self._delete()

    def _copy_to(self, path: Path) -> None:
        """Copy the tape's file once its block is over. Asking it goes on afterwards.

        Whoever opens and closes a database that is open in the same process drops the locks SQLite has on it: so
        nothing of this process may have it open.
        """
        if self._block in _open:
            raise RuntimeError("a tape is copied after its block")
        if hasattr(self, "_native"):
            self._native.close()
            del self._native
        for suffix in ("", "-wal"):
            source = Path(f"{self._path}{suffix}")
            if source.exists():
                copy = Path(f"{path}{suffix}")
                # A tape is its owner's alone from its first byte on, whatever the umask.
                copy.unlink(missing_ok=True)
                copy.touch(mode=0o600)
                shutil.copyfile(source, copy)
            else:
                Path(f"{path}{suffix}").unlink(missing_ok=True)

    def _asked(self) -> _native.Tape:
        if not self._block.is_stored():
            found = f"{self._path}: what was recorded is not stored after {_PATIENCE:g} s"
            raise TapeError(found, "look at calltape.stats().breaker for the cause", str(self._path))
        try:
            return self._native
        except AttributeError:
            self._native = _native.Tape(os.fspath(self._path), 60.0)
            return self._native


class record:  # noqa: N801 - reads as what it does: `with record() as tape`
    """Record what the block calls on a tape of its own: ``with record() as tape: ...``.

    The tape can be asked inside the block and afterwards, and has every call that was made before the question. Every
    call is kept in full: one for which there is no room waits. ``settings`` are those of :func:`calltape.start`, but
    ``db``; they are stronger than environment and file, whose settings hold too.

    The block is the whole process's: calls of all threads go to its tape. What the process recorded before rests
    meanwhile and goes on after the block, on its own tape; blocks may stand in each other. A call of another thread
    that is open where a block begins or ends is ``interrupted`` on its tape; of the thread with the block it is not.
    A process that is forked inside records on the same tape; one that is started anew does not. Functions decorated
    while ``CALLTAPE_DISABLED`` was set are not monitored, here neither.

    An object serves one block at a time.

    Raises:
        ValueError: a setting is unknown or its value cannot be used.
        OSError: there is no room for the tape.
    """

    __slots__ = ("_interlude", "_settings", "_tape")

    def __init__(self, **settings: Setting) -> None:
        if "db" in settings:
            raise ValueError("record: db cannot be set, the tape is in memory; calltape.start(db) records to a file")
        standing: dict[str, Setting] = {
            "on_full": "block",
            "journal_limit": "8MiB",
            "drain": "here",
            "disabled": False,
            "retention_size": 0,
        }
        self._settings = [(name, as_text(name, value)) for name, value in {**standing, **settings}.items()]
        self._interlude: _native.Interlude | None = None
        # Held while the block lasts, for it is deleted when nobody has it.
        self._tape: RecordedTape | None = None

    def is_stored(self) -> bool:
        """Have what was recorded up to now stored; False where that takes longer than ten seconds."""
        # Outside of the innermost block nothing is under way: its calls were stored when that began, or this ended.
        return self not in _open[-1:] or _native.flush(_PATIENCE)

    def __enter__(self) -> RecordedTape:
        if self._interlude is not None:
            raise RuntimeError("record: this block has begun already; make a record() for each")
        if _open:
            # Its background thread rests from here on.
            _native.flush(_PATIENCE)
        scratch = Scratch()
        try:
            self._interlude = _native.Interlude([("db", os.fspath(scratch.database)), *self._settings])
        except BaseException:
            scratch.delete()
            raise
        _open.append(self)
        self._tape = RecordedTape(scratch, self)
        return self._tape

    def discard(self) -> None:
        """End the block where nobody wants its tape: what is not stored yet is given up, which is quicker."""
        self._end(None)

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self._end(_PATIENCE)

    def _end(self, timeout: float | None) -> None:
        # Blocks that were begun inside and have not ended, as of a fixture that goes first, end with it.
        while self in _open:
            ended = _open.pop()
            interlude, tape = ended._interlude, ended._tape
            ended._interlude = ended._tape = None
            if interlude is not None:
                interlude.end(timeout)
            del tape  # Here, after the recording on it has ended.
