"""No value takes more than its budget, whatever it holds, and what is left out is said with its real size."""

import collections
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import RunProgram

from calltape import SmartSerializer


def chain(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class Plain:
    def __init__(self) -> None:
        self.name = 'a "quoted" name'
        self.items = [1, 2.5, None, True, "é\n"]


VALUES: list[Any] = [
    None,
    True,
    -(2**63),
    2**300,
    -(10**2000),
    1 << 100_000,
    5e-324,
    -0.1,
    "",
    "short",
    '"' * 300,
    "\0" * 300,
    "é" * 300,
    "\u4e16\U0001f600" * 100,
    "\ud800" * 100,
    "\ud7ff" * 100,
    "x" * 100_000,
    b"",
    b"'" * 300,
    bytes(range(256)),
    bytearray(b"\\" * 300),
    [bytearray()],
    [],
    [[]] * 50,
    [[[]]],
    [1, 2, 3],
    list(range(64)),
    list(range(65)),
    [None] * 64,
    ["x" * 50] * 64,
    ["\n" * 5] * 20,
    [0.1] * 64,
    [["a", ["b", ["c", ["d"]]]]] * 9,
    chain(100),
    {},
    {"a": 1},
    {"k" * 500: 1},
    {"k" * 500: {"v" * 500: "w" * 500}},
    {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}},
    {i: str(i) for i in range(64)},
    {str(i): i for i in range(1000)},
    {(1, 'a"\\', (2.5, None)): [1], None: 1, True: 2, 1.5: 3, b"k'": 4, frozenset([1]): 5, -7: 6},
    {(("x" * 40,) * 8,) * 8: 1},
    {"password": "hunter2", "token": [1, 2, 3]},
    [{"password": "x"}] * 64,
    ("password", "hunter2"),
    set(range(64)),
    frozenset("abc"),
    collections.OrderedDict(b=1, a=2),
    collections.deque(range(40)),
    {"a": 1, "b": [2]}.items(),
    Plain(),
    [Plain(), Plain()],
    {"plain": Plain()},
    ValueError('a "bad" thing' * 50),
    range(10**30),
    Plain,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_never_takes_more_bytes_than_it_may_and_is_always_json(value: object) -> None:
    for max_repr in [*range(16, 130), 200, 255, 256, 500, 1000, 5000]:
        text = SmartSerializer(max_repr).serialize(value)
        assert len(text.encode()) <= max_repr, text
        json.loads(text)


def test_what_does_not_fit_at_all_is_only_named() -> None:
    smallest = SmartSerializer(16)
    assert smallest.serialize([1, [2], 3]) == "[1,[2],3]"
    assert smallest.serialize([1, [2], 3] * 3) == '"[list]"'
    assert smallest.serialize(-(2**63)) == '"[int]"'
    assert smallest.serialize("abcdefghijklmnopqrs") == '"abcdefghijk..."'
    assert smallest.serialize(type("AVeryLongNameOfAClass", (), {})()) == '"..."'
    assert SmartSerializer(24).serialize([1, 2, 3] * 9) == '[1,2,"... 25 more"]'


def test_a_value_that_fits_is_shown_in_full() -> None:
    for value in VALUES:
        text = SmartSerializer(100_000).serialize(value)
        assert SmartSerializer(max(16, len(text.encode()))).serialize(value) == text


def test_an_item_that_does_not_fit_is_left_out_with_all_after_it() -> None:
    value = {"a": 1, "b": {"c": [1, 2], "d": 3}, "e": [0] * 9}
    whole = '{"a":1,"b":{"c":[1,2],"d":3},"e":[0,0,0,0,0,0,0,0,0]}'
    assert SmartSerializer(len(whole)).serialize(value) == whole
    assert SmartSerializer(len(whole) - 1).serialize(value) == '{"a":1,"b":"[dict with 2 items]","...":"1 more"}'
    assert SmartSerializer(40).serialize(value) == '{"a":1,"...":"2 more"}'
    assert SmartSerializer(20).serialize(value) == '"[dict]"'


def test_items_levels_and_attributes_have_limits_of_their_own() -> None:
    assert SmartSerializer(max_items=3).serialize([1, 2, 3, 4]) == '"[list with 4 items]"'
    assert SmartSerializer(max_items=3).serialize([[1, 2, 3, 4]]) == '[[1,2,3,"... 1 more"]]'
    assert SmartSerializer(max_items=1).serialize([{"a": 1, "b": 2}]) == '[{"a":1,"...":"1 more"}]'
    assert SmartSerializer(max_depth=1).serialize([[1], {}]) == '["[list with 1 item]","[dict with 0 items]"]'
    assert SmartSerializer(max_depth=32).serialize(chain(31)) == "[" * 32 + "]" * 32
    assert SmartSerializer(max_attributes=1).serialize(Plain()).endswith('"...":"1 more"}')


def test_items_beyond_the_limit_cost_nothing() -> None:
    serializer = SmartSerializer()
    large = list(range(5_000_000))
    began = time.thread_time()
    for _ in range(1000):
        serializer.serialize(large)
        serializer.serialize([large])
        serializer.serialize("x" * 10)
    assert time.thread_time() - began < 1.0, "each of 2000 captures of a large list took over half a millisecond"


def nearly_emptied_dict() -> dict[int, int]:
    table = dict.fromkeys(range(1_000_000), 0)
    for key in range(999_997):
        del table[key]
    return table


def test_a_table_that_was_emptied_from_the_front_is_not_searched_through() -> None:
    table = nearly_emptied_dict()
    assert SmartSerializer().serialize(table) == '"[dict with 3 items]"'
    assert SmartSerializer().serialize([table, 1]) == '["[dict with 3 items]",1]'
    assert SmartSerializer().serialize(table.items()) == '"[dict_items with 3 items]"'
    few = dict.fromkeys(range(3000), 0)
    for key in range(2998):
        del few[key]
    assert SmartSerializer().serialize(few) == '{"2998":0,"2999":0}'


def test_attributes_that_were_emptied_and_ints_that_are_no_uuids_are_not_read() -> None:
    value = Plain()
    value.__dict__.update(dict.fromkeys(map(str, range(100_000)), 0))
    for name in list(value.__dict__)[:-3]:
        del value.__dict__[name]
    assert SmartSerializer().serialize(value) == '"[Plain]"'
    number = uuid.UUID(int=1)
    object.__setattr__(number, "int", 1 << 100_000_000)
    begun = time.thread_time()
    assert SmartSerializer().serialize([value, number]) == '["[Plain]","[UUID]"]'
    assert time.thread_time() - begun < 0.05


def test_a_set_that_was_emptied_is_not_searched_through() -> None:
    items = set(range(1_000_000))
    for item in range(999_998):
        items.discard(item)
    assert SmartSerializer().serialize(items) == '"[set with 2 items]"'
    assert json.loads(SmartSerializer().serialize({7, 8})) == list({7, 8})


def nested_rows() -> list[list[Any]]:
    return [[row, [row]] for row in range(64)]


def test_when_the_time_is_over_the_rest_is_only_named() -> None:
    patient = SmartSerializer(100_000, max_capture_time=60.0).serialize(nested_rows())
    assert json.loads(patient) == nested_rows()
    hurried = json.loads(SmartSerializer(100_000, max_capture_time=0.0).serialize(nested_rows()))
    assert len(hurried) == 64
    assert hurried[0] == [0, [0]]
    assert hurried[-1] == "[list with 2 items]"


def test_the_arguments_of_a_call_share_a_budget(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor(capture={"max_call_bytes": 300})
def many(a, b, c, d, e, *rest, **named): return None
many("a" * 200, "b" * 200, [1, 2, 3], 4, None, *["f"] * 50, g="g" * 100)
@monitor(capture={"max_call_bytes": 40})
def ints(*values): return None
ints(*range(64))
@monitor(max_repr=16)
def small(value): return value
small(-(2**63)); small("short"); small(2.5)
"""
    many, ints, *small = run_program(program).tape.calls()
    values = json.loads(many["args"])
    assert values["a"] == "a" * 200
    assert values["b"].endswith("... [200 chars]")
    assert len(values["b"]) <= 98
    assert [values["c"], values["d"], values["e"]] == ["...", 4, None], "what comes after is as short as can be"
    assert sum(len(json.dumps(value)) for value in values.values()) <= 300 + 5 * len(values)
    assert len(ints["args"].removeprefix('{"values":').removesuffix("}")) <= 40
    assert [call["args"] for call in small] == ['{"value":"[int]"}', '{"value":"short"}', '{"value":2.5}']


def test_local_variables_and_keywords_count_by_their_values(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor
def keywords(**named): return None
keywords(**{f"a_rather_long_name_of_a_keyword_{i}": i for i in range(15)})
"""
    (call,) = run_program(program).tape.calls()
    assert len(json.loads(call["args"])["named"]) == 15


class Growing:
    """Two items that make more of themselves, for values without an end."""

    def __iter__(self) -> Iterator[int]:
        return iter(int, 1)

    def __len__(self) -> int:
        raise SystemExit("user code ran")


def test_objects_that_pretend_to_be_containers_are_not_asked() -> None:
    assert SmartSerializer().serialize([Growing()]) == '["[Growing]"]'
