"""The nth system call, or the nth allocation, of the recorder fails: once, or from then on for a while.

Made with the fault shim of `tests/faults`, which fails calls of the extension alone. The promise: the program gets what
it always gets, each call is stored or counted, and once calls succeed again the recorder goes on by itself.
"""

import errno
import threading
from pathlib import Path

import faults

from .fault import Fault
from .oracle import Allowance, Verdict
from .stage import Round, SkippedError, Stage

# What a disk, a limit or an administrator may say.
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.ENOMEM, errno.EROFS, errno.EDQUOT, errno.EMFILE)

# Where in a run of some seconds the first failure comes: the drain makes some hundred calls in it.
LATEST_CALL = 200
LATEST_ALLOCATION = 3_000

THREADS = 2

BUILDING = threading.Lock()


def library(stage: Stage) -> Path:
    """The shim, compiled once."""
    with BUILDING:
        try:
            return faults.build(stage.folder)
        except faults.CannotBuildError as error:
            raise SkippedError(f"the fault shim cannot be compiled: {error}") from None


def nth_fails(what: str, place: Round) -> Verdict:
    """One failure, or all from one on for half a second; two threads call all the while."""
    plan = {
        "what": what,
        "nth": place.chance.randrange(LATEST_CALL if what == "call" else LATEST_ALLOCATION),
        "error": place.chance.choice(ERRORS),
        "forever": place.number % 2 == 1,
        "threads": THREADS,
    }
    env = faults.environment(library(place.stage))
    program = place.stage.begin_alone("fails", env, db=str(place.db), **plan)
    numbers, code = program.end()
    if code != 0:
        raise RuntimeError(f"with {plan} the process ended with {code}")
    place.next_start()
    verdict = place.judged(numbers, Allowance(in_flight=0, losses=True))
    verdict.wrong = [f"with {plan}: {line}" for line in verdict.wrong]
    return verdict


FAULTS = [
    Fault("nth-call", "the nth system call of the recorder fails", lambda place: nth_fails("call", place), 80, 8),
    Fault("nth-allocation", "the nth allocation fails", lambda place: nth_fails("allocation", place), 80, 8),
]
