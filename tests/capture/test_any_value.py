"""Whatever a value holds, capturing it raises nothing, keeps to its budget, makes the same valid JSON each time, and
leaves every reference as it was.
"""

import collections
import dataclasses
import datetime
import enum
import gc
import json
import math
import os
import pathlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import calltape

# The least budget there is: the setting's own.
LEAST = 16

# Values of each test; `make deep` asks for more.
EXAMPLES = int(os.environ.get("CALLTAPE_EXAMPLES", "150"))

# Parts of a value whose references are counted; a wide value has more.
PARTS = 2000

# An object with so many references is one that the whole process shares: a small int, a short text, a type.
SHARED = 100
SHARED_KINDS = (type, types.ModuleType, types.FunctionType)


@dataclasses.dataclass
class Record:
    name: object
    password: object = "hidden"


class Plain:
    def __init__(self, attributes: dict[str, object]) -> None:
        vars(self).update(attributes)


class Slots:
    __slots__ = ("left", "never")

    def __init__(self, left: object) -> None:
        self.left = left


class Color(enum.Enum):
    RED = 1


Pair = collections.namedtuple("Pair", "first second")

# ---------------------------------------------------------------------------------------------------- what values are

WORDS = st.sampled_from(["password", "Authorization", "api_key", "author", "x" * 300, "Bearer abcdefghijklmnopqrst"])
SHAPES = st.sampled_from(
    ["https://ann:pw@example.org/", "password=12345", "4111 1111 1111 1111", "-----BEGIN PRIVATE KEY-----\nMII"]
)
TEXT = (
    st.text(st.characters(), max_size=40) | WORDS | SHAPES | st.builds(str.__mul__, st.text(max_size=3), st.just(700))
)
HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | TEXT
    | st.binary(max_size=30)
    | st.decimals().filter(lambda number: not number.is_snan())  # one that cannot be hashed
    | st.fractions()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones() | st.just(datetime.timezone(datetime.timedelta(hours=2))))
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.builds(pathlib.PurePosixPath, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
    | st.sampled_from([int, len, json, Color.RED, Color, NotImplemented, ..., Record, math.inf])
    | st.builds(range, st.integers(), st.integers())
    | st.builds(int.__lshift__, st.just(1), st.integers(0, 20_000)),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.frozensets(inner, max_size=4),
    max_leaves=6,
)
SCALAR = HASHABLE | st.builds(bytearray, st.binary(max_size=30)) | st.builds(ValueError, TEXT, st.integers())


def compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Everything that holds other values."""
    many = st.lists(inner, max_size=6) | st.builds(list.__mul__, st.lists(inner, min_size=1, max_size=2), st.just(80))
    named = st.dictionaries(TEXT, inner, max_size=6)
    return (
        many
        | many.map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=6)
        | named
        | st.sets(HASHABLE, max_size=6)
        | many.map(collections.deque)
        | named.map(collections.OrderedDict)
        | named.map(types.MappingProxyType)
        | named.map(lambda made: made.items())
        | named.map(lambda made: types.SimpleNamespace(**made))
        | named.map(Plain)
        | inner.map(Slots)
        | inner.map(Record)
        | st.builds(Pair, inner, inner)
        | st.builds(nested, inner, st.integers(1, 300))
    )


def nested(inner: object, levels: int) -> object:
    for _ in range(levels):
        inner = [inner]
    return inner


def parts_of(value: object) -> list[Any]:
    """The value and what it holds, each once, as the collector and a look into scalars find it."""
    found: dict[int, Any] = {id(value): value}
    queue = [value]
    while queue and len(found) < PARTS:
        for part in gc.get_referents(queue.pop()):
            if id(part) not in found and sys.getrefcount(part) < SHARED and not isinstance(part, SHARED_KINDS):
                found[id(part)] = part
                queue.append(part)
    return [part for part in found.values() if sys.getrefcount(part) < SHARED]


def containers_in(value: Any) -> list[Any]:
    """The first few lists, dicts and deques of a value, the same each time."""
    found: list[Any] = []
    queue = [value]
    while queue and len(found) < 8:
        part = queue.pop(0)
        if type(part) in (list, dict, collections.deque):
            found.append(part)
        if type(part) in (list, tuple, collections.deque):
            queue += part
        elif type(part) in (dict, collections.OrderedDict):
            queue += part.values()
    return found


@st.composite
def values(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Any value; some hold a part of themselves a second time, or within itself."""
    value = draw(st.recursive(SCALAR, compound, max_leaves=12))
    open_parts = containers_in(value)
    for _ in range(draw(st.integers(0, min(3, len(open_parts))))):
        into, what = draw(st.sampled_from(open_parts)), draw(st.sampled_from(open_parts))
        if type(into) is dict:
            into[draw(TEXT)] = what
        else:
            into.append(what)
    return value


@pytest.fixture(scope="module", autouse=True)
def collector() -> Iterator[None]:
    """Keeps what stands around from being looked through for each value."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@calltape.monitor
def keep(value: object) -> object:
    return value


# --------------------------------------------------------------------------------------------------------- properties


@given(values(), st.integers(LEAST, 1500))
@example(Slots({"": None, '"\x1f00"': None, "https://ann:pw@example.org/": bytearray()}.items()), 111)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_value_keeps_to_any_budget_as_valid_json_that_is_the_same_each_time(value: Any, budget: int) -> None:
    for most in (budget, *range(LEAST, LEAST + 30)):
        serializer = calltape.SmartSerializer(max_repr=most)
        text = serializer.serialize(value)
        assert len(text.encode("utf-8")) <= most
        json.loads(text)
        assert serializer.serialize(value) == text


@given(values())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_value_and_its_references_are_as_they_were(value: Any) -> None:
    serializer = calltape.SmartSerializer()
    assert keep(value) is value
    serializer.serialize(value)  # what is made once: how the type is read, the thread's segment
    parts = parts_of(value)
    gc.collect()
    gc.disable()
    try:
        before = [sys.getrefcount(part) for part in parts]
        objects = len(gc.get_objects())
        for _ in range(3):
            keep(value)
            serializer.serialize(value)
        counted = len(gc.get_objects())
        after = [sys.getrefcount(part) for part in parts]
    finally:
        gc.enable()
    assert after == before
    assert counted == objects
