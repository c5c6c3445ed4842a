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
import pathlib
import sys
import types
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import calltape

# The least budget there is: the setting's own.
LEAST = 16

# Parts of a value whose references are counted; a wide value has more.
PARTS = 2000


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
    | st.decimals()
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
            if not isinstance(part, type | types.ModuleType | types.FunctionType) and id(part) not in found:
                found[id(part)] = part
                queue.append(part)
    return list(found.values())


@st.composite
def values(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Any value; some hold a part of themselves a second time, or within itself."""
    value = draw(st.recursive(SCALAR, compound, max_leaves=12))
    open_parts = [part for part in parts_of(value) if type(part) in (list, dict, collections.deque)][:8]
    for _ in range(draw(st.integers(0, min(3, len(open_parts))))):
        into, what = draw(st.sampled_from(open_parts)), draw(st.sampled_from(open_parts))
        if type(into) is dict:
            into[draw(TEXT)] = what
        else:
            into.append(what)
    return value


def size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


@calltape.monitor
def keep(value: object) -> object:
    return value


# --------------------------------------------------------------------------------------------------------- properties


@given(values(), st.integers(LEAST, 1500))
@settings(max_examples=600, deadline=None)
def test_a_value_keeps_to_any_budget_as_valid_json_that_is_the_same_each_time(value: Any, budget: int) -> None:
    serializer = calltape.SmartSerializer(max_repr=budget)
    text = serializer.serialize(value)
    assert size(text) <= budget
    json.loads(text)
    assert serializer.serialize(value) == text


@given(values())
@settings(max_examples=300, deadline=None)
def test_a_tiny_budget_is_kept_as_well(value: Any) -> None:
    for budget in range(LEAST, LEAST + 40):
        text = calltape.SmartSerializer(max_repr=budget).serialize(value)
        assert size(text) <= budget
        json.loads(text)


@given(values())
@settings(max_examples=300, deadline=None)
def test_references_are_as_they_were(value: Any) -> None:
    serializer = calltape.SmartSerializer()
    keep(serializer.serialize(value))  # what is made once: the type's reading, the thread's segment
    keep(value)
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
    assert counted - objects <= 1  # the list `before`


@given(values())
@settings(max_examples=300, deadline=None)
def test_the_call_is_what_it_was(value: Any) -> None:
    assert keep(value) is value
