"""Random values of every kind, made fast from a seeded generator; `python -m random_values` captures many of them.

Used by test_leaks.py, for whose million values Hypothesis would take an hour. The values that Hypothesis makes, shrinks
and reports are those of test_any_value.py.
"""
# ruff: noqa: ARG005 - each maker takes the same arguments

import collections
import dataclasses
import datetime
import decimal
import fractions
import gc
import json
import pathlib
import random
import sys
import types
import uuid
from collections.abc import Callable, Hashable
from typing import Any

# Levels of containers, and items of one: enough to pass the default depth, and now and then the limit of items.
DEPTH = 8
ITEMS = 70


@dataclasses.dataclass
class Record:
    """A dataclass with an ordinary and a secret field."""

    name: object
    password: object


class Plain:
    """Attributes of any name."""

    def __init__(self, attributes: dict[str, object]) -> None:
        vars(self).update(attributes)


class Slots:
    """One slot set, one not."""

    __slots__ = ("left", "never")

    def __init__(self, left: object) -> None:
        self.left = left


Pair = collections.namedtuple("Pair", "first second")

ALPHABETS = ["abc ", "é世\U0001f600", "\ud800\udfff", '"\\\n\0\x7f', "=:@/&?-_."]
NAMES = ["a", "name", "password", "Api-Key", "items", "x" * 200, "", "é", "author", "\ud800"]
PLANTED = [
    "https://ann:pw@example.org/",
    "Authorization: Bearer abcdefghijklmnop",
    "password=12345",
    "-----BEGIN PRIVATE KEY-----\nMIIE",
    "4111 1111 1111 1111",
]

Random = random.Random


def text(rng: Random) -> str:
    """Short, long, odd, or with something secret in it."""
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(PLANTED) + "x" * rng.choice([0, 5, 980])
    if kind < 0.2:
        return rng.choice(NAMES)
    return "".join(rng.choices(rng.choice(ALPHABETS), k=rng.choice([0, 1, 3, 10, 60, 2000])))


SCALARS: list[Callable[[Random], Any]] = [
    lambda rng: None,
    lambda rng: rng.random() < 0.5,
    lambda rng: rng.randint(-1000, 1000),
    lambda rng: rng.getrandbits(rng.choice([63, 64, 65, 500, 5000])),
    lambda rng: -rng.getrandbits(64),
    lambda rng: rng.uniform(-1e9, 1e9),
    lambda rng: rng.choice([float("nan"), float("inf"), -0.0, 5e-324, 1e308]),
    lambda rng: complex(rng.random(), rng.choice([0.0, float("nan")])),
    text,
    text,
    lambda rng: rng.randbytes(rng.choice([0, 3, 500])),
    lambda rng: bytearray(rng.randbytes(5)),
    lambda rng: decimal.Decimal(rng.getrandbits(200)).scaleb(rng.randint(-300, 300)),
    lambda rng: fractions.Fraction(rng.getrandbits(60), 1 + rng.getrandbits(60)),
    lambda rng: datetime.datetime(1, 1, 1) + datetime.timedelta(seconds=rng.getrandbits(36)),
    lambda rng: datetime.timedelta(microseconds=rng.getrandbits(60)),
    lambda rng: uuid.UUID(int=rng.getrandbits(128)),
    lambda rng: pathlib.PurePosixPath("/srv", "a" * rng.choice([1, 300])),
    lambda rng: range(rng.randint(-5, 5), rng.getrandbits(80)),
    lambda rng: ValueError(text(rng), rng.randint(0, 9)),
    lambda rng: rng.choice([int, len, json, json.dumps, Record, NotImplemented, ..., object]),
    lambda rng: iter("text"),
    lambda rng: (letter for letter in "text"),
]


def key(rng: Random) -> Hashable:
    """A dict key or a member of a set."""
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(NAMES)
    if kind < 0.6:
        return (rng.randint(0, 9), rng.choice(NAMES))
    if kind < 0.65:
        return frozenset({rng.randint(0, 9)})
    return rng.choice([rng.randint(-9, 9), rng.random(), None, True, rng.randbytes(3), float("nan"), 1j, int])


def items(rng: Random, depth: int) -> list[Any]:
    """A few values, seldom many."""
    count = rng.choice([0, 1, 1, 2, 3]) if rng.random() < 0.97 else ITEMS
    if count == ITEMS:
        return [rng.randint(0, 9)] * count
    return [value(rng, depth - 1) for _ in range(count)]


def named(rng: Random, depth: int) -> dict[str, object]:
    """Values by name."""
    return {rng.choice(NAMES): one for one in items(rng, depth)}


COMPOUND: list[Callable[[Random, int], Any]] = [
    items,
    lambda rng, depth: tuple(items(rng, depth)),
    lambda rng, depth: {key(rng): one for one in items(rng, depth)},
    lambda rng, depth: {key(rng) for _ in range(3)},
    lambda rng, depth: frozenset(key(rng) for _ in range(2)),
    lambda rng, depth: collections.deque(items(rng, depth)),
    lambda rng, depth: collections.OrderedDict(named(rng, depth)),
    lambda rng, depth: collections.Counter(range(rng.randint(0, 5))),
    lambda rng, depth: types.MappingProxyType(named(rng, depth)),
    lambda rng, depth: named(rng, depth).items(),
    lambda rng, depth: types.SimpleNamespace(one=value(rng, depth - 1)),
    lambda rng, depth: Pair(value(rng, depth - 1), 1),
    lambda rng, depth: Record(value(rng, depth - 1), 2),
    lambda rng, depth: Slots(value(rng, depth - 1)),
    lambda rng, depth: Plain(named(rng, depth)),
    lambda rng, depth: ring(value(rng, depth - 1)),
    lambda rng, depth: nested(value(rng, depth - 1), rng.choice([3, 50])),
]


def ring(inner: object) -> list[object]:
    """A list that holds itself, and a value twice."""
    made = [inner, inner]
    made.append(made)
    return made


def nested(inner: object, levels: int) -> object:
    for _ in range(levels):
        inner = [inner]
    return inner


def value(rng: Random, depth: int = DEPTH) -> Any:
    """Any value."""
    if depth <= 0 or rng.random() < 0.55:
        return rng.choice(SCALARS)(rng)
    return rng.choice(COMPOUND)(rng, depth)


def resident() -> int:
    """Bytes of resident memory."""
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


def main(count: int, seed: int) -> None:
    """Captures so many values in both ways, after a tenth as many to warm up; prints what memory grew by."""
    import calltape

    calltape.start(on_full="drop")
    serializers = [calltape.SmartSerializer(max_repr=budget) for budget in (50, 200, 1000, 5000)]

    @calltape.monitor
    def keep(value: object, *, other: object = None) -> object:
        return value

    def some(count: int) -> tuple[int, int]:
        for _ in range(count):
            one = value(rng)
            keep(one, other=one)
            rng.choice(serializers).serialize(one)
        del one
        gc.collect()
        return resident(), sys.getallocatedblocks()

    rng = random.Random(seed)
    some(count // 10)
    calltape.flush(timeout=60)
    before = some(count // 10)
    after = some(count)
    print(json.dumps({"resident": after[0] - before[0], "blocks": after[1] - before[1]}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
