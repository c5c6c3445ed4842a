"""What a fault is: its name, how often it is made, and the function that makes it once and judges what is left."""

from collections.abc import Callable
from dataclasses import dataclass

from .oracle import Verdict
from .stage import Round


@dataclass(frozen=True)
class Fault:
    """A line of the table."""

    name: str
    what: str
    run: Callable[[Round], Verdict]
    rounds: int
    short_rounds: int
    # Where one run of the function makes the fault many times.
    counts: int = 1
