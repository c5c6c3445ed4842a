"""Forks under load: a process whose threads record forks again and again, and its children record too.

The promise: no deadlock, no warning, one tape for all, each call once. Children end by `stop`, by SIGKILL and by
`os._exit` in turn; each has ten seconds, then the fault counts as a hang.
"""

from .fault import Fault
from .oracle import Allowance, Verdict
from .stage import Round

THREADS = 4
CALLS = 3
# Children a round; the table counts each as a round.
CHILDREN = 100


def fork_storm(place: Round) -> Verdict:
    """So many forks while four threads record."""
    program = place.stage.begin_alone(
        "forks", db=str(place.db), children=CHILDREN, threads=THREADS, calls=CALLS, watchdog=10.0
    )
    numbers, code = program.end(300)
    if code != 0:
        raise RuntimeError(f"the process that forks ended with {code}")
    place.next_start()
    return place.judged(numbers, Allowance(in_flight=THREADS))


FAULTS = [Fault("forks", "forks under load, children that record", fork_storm, 20, 1, counts=CHILDREN)]
