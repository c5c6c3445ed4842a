"""Processes that die under load: killed from outside, by a wild pointer, or by `os._exit`.

The promise: each call that returned is on the tape once, with its arguments and its outcome; what was in flight is
there as interrupted, with its arguments.
"""

from .fault import Fault
from .oracle import Allowance, Verdict
from .stage import Round

# Seconds between the first acknowledged call and the death, at most: long enough for segments to be sealed, drained and
# used again.
LATEST_DEATH = 0.12


def sigkill(threads: int, place: Round) -> Verdict:
    """SIGKILL at a random moment; the next start drains."""
    pause = place.chance.choice([0.0, 0.0, 0.0003])
    program = place.begin("load", threads=threads, settings={"on_full": "block"}, pause=pause)
    program.first_call()
    program.watch(place.chance.uniform(0, LATEST_DEATH))
    numbers = program.kill()
    place.next_start()
    return place.judged(numbers, Allowance(in_flight=threads))


def sigkill_of_two(place: Round) -> Verdict:
    """Two processes on one tape; one is killed, whichever drains, and the other goes on and adopts it."""
    first = place.begin("load", threads=2, settings={"on_full": "block"}, pause=0.0005)
    first.first_call()
    second = place.begin("load", threads=2, lane=2, settings={"on_full": "block"}, pause=0.0005, seconds=1.6)
    second.first_call()
    victim, survivor = (first, second) if place.number % 2 == 0 else (second, first)
    victim.watch(place.chance.uniform(0, LATEST_DEATH))
    numbers = victim.kill()
    if survivor is second:
        others, code = survivor.end()
        if code != 0:
            raise RuntimeError(f"the process that went on ended with {code}")
    else:
        survivor.watch(0.3)
        others = survivor.kill()
    place.next_start()
    return place.judged(numbers + others, Allowance(in_flight=4))


def ends_itself(how: str, code: int, place: Round) -> Verdict:
    """The process ends from within while its threads are in calls."""
    program = place.begin("dies", how=how, delay=place.chance.uniform(0.01, LATEST_DEATH))
    numbers, ended = program.end()
    if ended != code:
        raise RuntimeError(f"the process ended with {ended}, not {code}")
    place.next_start()
    return place.judged(numbers, Allowance(in_flight=4))


FAULTS = [
    Fault("sigkill-1", "SIGKILL under load, one thread", lambda place: sigkill(1, place), 450, 16),
    Fault("sigkill-8", "SIGKILL under load, eight threads", lambda place: sigkill(8, place), 450, 16),
    Fault("sigkill-of-two", "SIGKILL of one of two processes, the other goes on", sigkill_of_two, 100, 8),
    Fault("segfault", "a wild pointer under load", lambda place: ends_itself("segfault", -11, place), 50, 6),
    Fault("os-exit", "os._exit under load", lambda place: ends_itself("exit", 0, place), 50, 6),
]
