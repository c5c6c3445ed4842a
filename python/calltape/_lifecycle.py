"""Starting, flushing, stopping and asking: thin words over the engine.

Called by programs; nothing here runs on a recorded call.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from calltape import _native
from calltape._options import name_rules

Setting = str | int | float | bool | os.PathLike[str] | list[str] | tuple[str, ...] | set[str] | frozenset[str]


@dataclass(frozen=True, slots=True)
class Breaker:
    """The circuit breaker between the background thread and the database.

    ``state`` is ``"closed"`` (writing), ``"open"`` (not writing, the journal holds) or ``"half-open"`` (trying one
    batch). ``next_probe_s`` is in seconds from now, None while closed.
    """

    state: str
    opens: int
    failures: int
    last_error: str | None
    next_probe_s: float | None


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of this process's recording.

    Calls: ``recorded`` is all calls made of monitored functions, and equals ``stored + sampled_out + dropped +
    in_flight``, where ``in_flight`` counts what has not ended or is not in the database yet. Sizes are bytes, ``lag_s``
    is the age in seconds of the oldest record that is not in the database yet, ``writes`` counts committed batches.
    ``drains`` is whether this process moves calls to the database; else another one does, or none.
    ``pressure`` is what a filling journal has done to recording now: ``"none"``, ``"shortened"`` (payloads),
    ``"sampled"`` (harder than asked), ``"dropping"`` (successes) or ``"counting_errors"``; ``journal`` is where calls
    are recorded: ``"file"``, ``"small"`` (a smaller file than asked for), ``"memory"`` (lost with the process),
    ``"counting"`` (nowhere, only counted) or ``"none"`` (no run).
    ``reentrant`` counts calls that calltape's own work made (finalisers run by an allocation), passed through and in no
    other figure; ``dropped_values`` counts values given to ``current().set`` that found no room in the journal;
    ``failed_captures`` counts failures of the program's own code for showing objects (:func:`register`,
    ``__calltape__``, ``repr``); ``faults`` counts errors inside calltape; ``hurried_forks`` counts
    forks that did not wait until the background thread had finished its batch, which they do for 50 ms: such a child
    leaves storing its calls to other processes.
    """

    recorded: int
    stored: int
    sampled_out: int
    dropped: int
    dropped_errors: int
    in_flight: int
    journal_bytes: int
    journal_capacity: int
    breaker: Breaker
    writes: int
    lag_s: float
    drains: bool
    pressure: str
    journal: str
    reentrant: int
    dropped_values: int
    failed_captures: int
    faults: int
    hurried_forks: int


def start(db: str | os.PathLike[str] | None = None, **settings: Setting) -> None:
    """Open the tape now; without it the first recorded call does, with the settings of environment and file.

    ``db`` is the database, by default ``.calltape/calls.db`` under the working directory. A setting given here is
    stronger than ``CALLTAPE_<NAME>`` in the environment, that is stronger than ``[tool.calltape]`` in pyproject.toml.
    Calling it again for the tape that is open changes nothing.

    Raises:
        ValueError: a setting is unknown or its value cannot be used.
        RuntimeError: another tape is open in this process.
        OSError: the database's path is a folder. Where the journal beside the database cannot be made, recording
            begins with a smaller one, or in memory: see ``stats().journal``.
    """
    given = [] if db is None else [("db", as_text("db", db))]
    given.extend((name, as_text(name, value)) for name, value in settings.items())
    _native.start(given)


def flush(timeout: float = 5.0) -> bool:
    """Wait until everything recorded before this call is committed in the database.

    ``timeout`` is in seconds. Returns True when it is, False when the time was over first.
    """
    return _native.flush(timeout)


def stop(timeout: float = 2.0) -> bool:
    """Drain what was recorded and close the tape; calls made afterwards are not recorded until :func:`start`.

    ``timeout`` is in seconds. Returns True when everything is in the database. What is not stays in the journal beside
    it, is said in the log, and is drained by the next start. Runs by itself when the program exits.
    """
    return _native.stop(timeout)


def stats() -> Stats:
    """The figures of this process's recording; zeros before the first recorded call and after :func:`stop`."""
    figures = _native.stats()
    return Stats(breaker=Breaker(**figures.pop("breaker")), **figures)


def as_text(name: str, value: Setting) -> str:
    """A setting as the native side reads it."""
    if name == "sensitive_fields" and not isinstance(value, str):
        return ",".join(name_rules("start", value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return os.fspath(value) if isinstance(value, (str, os.PathLike)) else repr(value)
