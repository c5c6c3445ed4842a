"""Places where a secret gets into a recorded program, each with a secret of its own: a canary.

A place is a function of its canary: it passes it to recorded functions in one way that programs do. Started as
`python -m canaries` by ../test_canaries.py, which then looks for the canaries in all that calltape has written.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import calltape

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def canary(place: str, length: int = 64) -> str:
    """Letters and digits that no other place has, the same in every process."""
    digest = hashlib.shake_256(place.encode()).digest(length)
    return "q7" + "".join(LETTERS[byte % 62] for byte in digest)[2:]


@dataclass(frozen=True)
class Place:
    """One way of a secret into a program."""

    name: str
    function: Callable[[str], Awaitable[None] | None]
    # The value is only named on the tape, so there is no mark to be seen.
    only_named: bool

    @property
    def canary(self) -> str:
        return canary(self.name)


PLACES: dict[str, Place] = {}


def place(function: Callable[[str], Awaitable[None] | None]) -> Callable[[str], Awaitable[None] | None]:
    """Marks a function as a place."""
    PLACES[function.__name__] = Place(function.__name__, function, only_named=False)
    return function


def place_only_named(function: Callable[[str], Awaitable[None] | None]) -> Callable[[str], Awaitable[None] | None]:
    """Marks a function as a place whose value the tape only names."""
    PLACES[function.__name__] = Place(function.__name__, function, only_named=True)
    return function


@calltape.monitor
def keep(*values: object, **named: object) -> None:
    """A recorded function that any value may be passed to."""
