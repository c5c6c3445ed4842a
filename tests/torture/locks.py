"""The database locked by another program for a long time.

The promise: callers do not notice; while the journal has room nothing is lost, and beyond it losses are counted
exactly; after the lock everything is stored.
"""

import sqlite3
from contextlib import closing

from .fault import Fault
from .oracle import Allowance, Verdict
from .stage import Round


def lock_seconds(place: Round) -> float:
    """How long the lock lasts."""
    return 5.0 if place.stage.short else 60.0


def locked(place: Round, pause: float, allow: Allowance, kill: bool, seconds: float) -> Verdict:
    """Calls while another program holds the write lock; then it lets go."""
    settings = {"breaker_timeout": "2s", "journal_limit": "64MiB" if not allow.losses else "4MiB"}
    how = {"threads": 2, "settings": settings, "pause": pause}
    program = place.begin("load", **how) if kill else place.begin("load", **how, seconds=seconds + 1)
    program.first_call()
    program.watch(0.3)
    with closing(sqlite3.connect(place.db, isolation_level=None, timeout=10)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        program.watch(seconds)
        numbers = program.kill() if kill else []
        holder.execute("ROLLBACK")
    if not kill:
        numbers, code = program.end()
        if code != 0:
            raise RuntimeError(f"the process ended with {code}")
    place.next_start()
    return place.judged(numbers, allow)


def quiet(place: Round) -> Verdict:
    """As many calls as the journal can hold: none is lost."""
    return locked(place, 0.002, Allowance(in_flight=0), kill=False, seconds=lock_seconds(place))


def busy(place: Round) -> Verdict:
    """More calls than the journal can hold: what is lost is counted. Every second round ends in a SIGKILL."""
    kill = place.number % 2 == 1
    return locked(place, 0.0, Allowance(in_flight=2 if kill else 0, losses=True), kill=kill, seconds=2.0)


FAULTS = [
    Fault("locked", "the database locked (60 s; short: 5 s), calls at a pace", quiet, 1, 1),
    Fault("locked-busy", "the database locked, calls at full speed, a small journal", busy, 8, 2),
]
