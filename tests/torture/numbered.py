"""What call number n is: its arguments, what it gives, what it raises. All of it follows from n.

Used by the worker, which makes the calls, and by the oracle, which knows from a number alone what must be on the tape.
Never imports calltape.
"""

import hashlib
from typing import Any

# Each thread of each process numbers its calls from its own multiple of this.
STRIDE = 1_000_000_000

# Plain words: a digest in hexadecimal would be masked as a secret.
WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron",
    "inlet", "jetty", "knoll", "larch", "marsh", "north", "ochre", "pearl",
)  # fmt: skip

# Repetitions of the words: notes of 0 to about 600 bytes, below the limit of one text.
MOST_REPETITIONS = 6


def words(n: int, salt: bytes) -> str:
    """Sixteen words that no other number has."""
    digest = hashlib.blake2b(n.to_bytes(8, "little"), digest_size=16, salt=salt).digest()
    return " ".join(WORDS[byte & 15] for byte in digest)


def note(n: int) -> str:
    """The text that call n carries: what was asked, of a length that varies."""
    return " ".join([words(n, b"note")] * (n % (MOST_REPETITIONS + 1)))


def refuses(n: int) -> bool:
    """Whether call n raises: one in eight."""
    return n % 8 == 3


def result(n: int) -> str:
    """What call n gives."""
    return f"{n} {words(n, b'result')}"


def refusal(n: int) -> str:
    """The message of the exception that call n raises."""
    return f"call {n} is refused"


def arguments(function: str, n: int) -> dict[str, Any]:
    """The arguments of call n of `outer`, or of the `inner` it makes."""
    return {"n": n, "note": note(n)} if function == "outer" else {"n": n}
