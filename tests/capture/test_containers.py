"""Containers are read from what they store, in their own order, whatever their classes define."""

import array
import collections
import gc
import json
import types
from typing import Any

import pytest

from calltape import SmartSerializer

show = SmartSerializer().serialize


def moved(*keys: str) -> "collections.OrderedDict[str, int]":
    ordered = collections.OrderedDict.fromkeys("abc", 1)
    for key in keys:
        ordered.move_to_end(key)
    return ordered


class Silent:
    """Whatever is asked of it ends the program."""

    def end(self, *_: object) -> Any:
        raise SystemExit("user code ran")

    __iter__ = __len__ = __getitem__ = __contains__ = __bool__ = __eq__ = __repr__ = end
    __hash__ = end
    keys = values = items = end


class OwnList(Silent, list):  # type: ignore[type-arg,misc]
    pass


class OwnDict(Silent, dict):  # type: ignore[type-arg,misc]
    pass


class OwnSet(Silent, set):  # type: ignore[type-arg,misc]
    pass


class OwnDeque(Silent, collections.deque):  # type: ignore[type-arg,misc]
    pass


class OwnOrdered(Silent, collections.OrderedDict):  # type: ignore[type-arg,misc]
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (moved(), '{"a":1,"b":1,"c":1}'),
        (moved("a"), '{"b":1,"c":1,"a":1}'),
        (moved("b", "a"), '{"c":1,"b":1,"a":1}'),
        (types.MappingProxyType(moved("a")), '{"b":1,"c":1,"a":1}'),
        (types.MappingProxyType({"a": 1, "token": 2}), '{"a":1,"token":"***"}'),
        (collections.deque([1, [2]], maxlen=5), "[1,[2]]"),
        (collections.deque(range(100)), '"[deque with 100 items]"'),
        ([collections.deque(range(66))], "[[" + ",".join(map(str, range(64))) + ',"... 2 more"]]'),
        (array.array("d", [1.5, 2]), "[1.5,2.0]"),
        (array.array("b", b"ab"), "[97,98]"),
        ({"a": 1, "token": 2}.keys(), '["a","token"]'),
        ({"a": 1, "token": 2}.values(), '[1,"***"]'),
        ({"a": 1, "token": 2}.items(), '[["a",1],["token","***"]]'),
        (collections.Counter("aab"), '{"a":2,"b":1}'),
        (collections.defaultdict(list, a=[1]), '{"a":[1]}'),
        (collections.UserDict(a=1, token=2), '{"a":1,"token":"***"}'),
        (collections.UserList([1, 2]), "[1,2]"),
        (collections.UserString("abc"), '"abc"'),
        (bytearray(b"a'\x00"), "\"bytearray(b'a\\\\'\\\\x00')\""),
        (frozenset([3]), "[3]"),
        (set(), "[]"),
    ],
)
def test_a_container_reads_as_a_list_or_an_object(value: object, text: str) -> None:
    assert show(value) == text


def test_a_subclass_is_not_asked_for_what_it_holds() -> None:
    assert show(list.__new__(OwnList)) == "[]"
    filled = OwnList.__new__(OwnList)
    list.append(filled, 1)
    assert show([filled]) == "[[1]]"
    table = dict.__new__(OwnDict)
    dict.__setitem__(table, "a", 1)
    assert show(table) == '{"a":1}'
    items = set.__new__(OwnSet)
    set.add(items, 7)
    assert show(items) == "[7]"
    queue = collections.deque.__new__(OwnDeque)
    collections.deque.append(queue, 7)
    assert show(queue) == "[7]"
    ordered = collections.OrderedDict.__new__(OwnOrdered)
    for key in "ab":
        collections.OrderedDict.__setitem__(ordered, key, 1)
    collections.OrderedDict.move_to_end(ordered, "a")
    assert show(ordered) == '{"b":1,"a":1}'


def test_keys_of_an_ordered_dict_are_not_compared_by_their_own_code() -> None:
    class Key:
        armed = False

        def __hash__(self) -> int:
            if Key.armed:
                raise SystemExit("user code ran")
            return 1

        def __eq__(self, other: object) -> bool:
            if Key.armed:
                raise SystemExit("user code ran")
            return self is other

    ordered = collections.OrderedDict((Key(), number) for number in range(3))
    ordered.move_to_end(next(iter(ordered)))
    Key.armed = True
    assert show(ordered) == '{"[Key]":1,"[Key]":2,"[Key]":0}'


@pytest.mark.parametrize("make", [list, collections.deque, collections.UserList])
def test_a_container_in_itself_is_named(make: Any) -> None:
    value = make([1])
    value.append(value)
    assert show(value) in (f'[1,"[circular {make.__name__}]"]', '[1,"[circular list]"]')


@pytest.mark.parametrize("make", [list, dict.fromkeys, set, collections.deque, collections.OrderedDict.fromkeys])
def test_a_container_that_a_finaliser_empties_meanwhile_is_read_as_far_as_it_goes(make: Any) -> None:
    """Iterating a deque allocates, and up to 3.11 any allocation may collect garbage, which runs finalisers."""

    class Emptying:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            outer.clear()
            inner.clear()
            inner.__init__(fresh)

    fresh = [(10**30 + number, number) for number in range(40)]
    threshold = gc.get_threshold()
    for _ in range(50):
        inner = make(fresh)
        queue = collections.deque(range(5))
        outer = [queue, inner, queue, [inner, queue, {"inner": inner}, inner], inner]
        Emptying()
        gc.set_threshold(1, 1, 1)
        try:
            text = show(outer)
        finally:
            gc.set_threshold(*threshold)
        assert len(text) <= 1000
        json.loads(text)
