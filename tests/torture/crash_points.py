"""A drain that dies at each named point between a batch and the removal of the journal it came from.

A process is killed under load; a second one takes over what it left and aborts at a point (`drain_until`, an example of
the engine's that is not shipped), perhaps several times at different points; an ordinary start does the rest. The
promise: each call once, whatever the second one had done. Where it also removes old calls, and dies with that, what is
gone is counted as removed.
"""

import os
import signal
import subprocess
from pathlib import Path

from .deaths import LATEST_DEATH
from .fault import Fault
from .oracle import Allowance, Verdict
from .stage import REPOSITORY, Round, SkippedError

DRAIN_UNTIL = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "debug" / "examples" / "drain_until"

# In the order of a pass, as `drain_until` names them.
POINTS = ("before-commit", "after-commit", "after-mark", "before-remove", "after-remove")

# Something is removed, nothing of that committed.
BEFORE_PRUNE = "before-prune"

# A point is not met as often.
NEVER = "1000000"

THREADS = 2

# Milliseconds after which a call is too old: some of a round's are when the second process comes, whatever it takes.
KEEP_MS = (1, 30)


def drain_until(db: Path, *point: str) -> int:
    """Runs the second process; how it ended. Its own words are shown where it failed."""
    if not DRAIN_UNTIL.exists():
        raise SkippedError(f"{DRAIN_UNTIL.name} is not built: cargo build -p calltape-engine --example drain_until")
    done = subprocess.run([DRAIN_UNTIL, db, *point], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode not in (0, 3, -signal.SIGABRT):
        raise RuntimeError(f"the second process ended with {done.returncode}: {done.stderr}")
    return done.returncode


def dead_under_load(place: Round, at_least: float = 0.0) -> list[int]:
    """A process that was killed, with a journal full of calls; the numbers it acknowledged."""
    program = place.begin("load", threads=THREADS, settings={"on_full": "block"}, pause=0.0002)
    program.first_call()
    program.watch(place.chance.uniform(at_least, LATEST_DEATH))
    return program.kill()


def dies_at_a_point(place: Round) -> Verdict:
    """One to three deaths of the second process, the first at this round's point."""
    numbers = dead_under_load(place)
    point, nth = POINTS[place.number % len(POINTS)], place.chance.choice([1, 1, 2])
    for _ in range(place.chance.randint(1, 3)):
        drain_until(place.db, point, str(nth))
        point, nth = place.chance.choice(POINTS), 1
    place.next_start()
    return place.judged(numbers, Allowance(in_flight=THREADS))


def dies_while_it_removes(place: Round) -> Verdict:
    """One to three deaths of the second process in the middle of removing what is too old; then it removes the rest."""
    numbers = dead_under_load(place, at_least=LATEST_DEATH / 2)
    keep = str(place.chance.randint(*KEEP_MS))
    if drain_until(place.db, BEFORE_PRUNE, "1", keep) != -signal.SIGABRT:
        raise RuntimeError(f"the second process never came to {BEFORE_PRUNE}")
    for _ in range(place.chance.randint(0, 2)):
        drain_until(place.db, place.chance.choice([*POINTS, BEFORE_PRUNE]), place.chance.choice(["1", "2"]), keep)
    drain_until(place.db, BEFORE_PRUNE, NEVER, keep)
    place.next_start()
    verdict = place.judged(numbers, Allowance(in_flight=THREADS, pruned=True))
    if not verdict.removed:
        verdict.blame("nothing was removed")
    return verdict


FAULTS = [
    Fault("crash-points", "a drain that dies at each named point", dies_at_a_point, 100, 15),
    Fault("crash-in-retention", "a drain that dies while it removes", dies_while_it_removes, 100, 8),
]
