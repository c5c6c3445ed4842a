"""What goes wrong while a tape is read.

Raised by the native side and by `_tape`; every message says what happened and what to do.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["FilterError", "StatementError", "TapeError"]


class TapeError(Exception):
    """A tape cannot be read: it is missing, no tape, damaged, newer, locked, or the question took too long.

    ``str()`` says what happened and what to do; ``path`` is the tape's file and ``remedy`` the second half.
    """

    def __init__(self, found: str, remedy: str, path: str) -> None:
        super().__init__(found, remedy, path)
        self.remedy = remedy
        self.path = Path(path)

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.remedy}"


class FilterError(ValueError):
    """A condition does not parse. ``str()`` shows the place with a caret and an example."""


class StatementError(ValueError):
    """A statement given to :meth:`calltape.Tape.sql` cannot be run; ``str()`` says why, and where if known."""
