"""SmartSerializer: the capture as a tool, with no run and no tape, from anywhere."""

import copy
import json
import pickle
import threading
from typing import Any

import pytest
from conftest import RunProgram

from calltape import SmartSerializer


class Order:
    def __init__(self) -> None:
        self.id = 1

    def __repr__(self) -> str:
        return "an order"


def test_the_usual_values_read_as_on_the_tape() -> None:
    show = SmartSerializer().serialize
    assert show({"user": "ann", "password": "x", "ids": range(3)}) == (
        '{"user":"ann","password":"***","ids":"range(0, 3)"}'
    )
    assert show(Order()) == '{"__class__":"Order","id":1}'
    assert show([float("nan"), float("inf"), -0.0]) == '["nan","inf",-0.0]'
    assert show(...) == '"[ellipsis]"'


def test_a_huge_list_is_summarised_in_a_few_bytes() -> None:
    text = SmartSerializer(max_repr=1000).serialize(list(range(10_000_000)))
    assert "[list with 10000000 items]" in text
    assert len(text) < 100


def test_a_lone_surrogate_reads_as_its_escape_so_that_the_text_can_be_encoded() -> None:
    text = SmartSerializer().serialize("a\ud800b")
    assert text == '"a\\ud800b"'
    assert json.loads(text) == "a\ud800b"
    assert text.encode("utf-8")


def test_own_code_runs_where_it_was_asked_for() -> None:
    assert SmartSerializer(repr=True).serialize([Order()]) == '["an order"]'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_repr": 15}, "SmartSerializer: max_repr must be a whole number of bytes from 16, not 15"),
        ({"max_repr": "1000"}, "SmartSerializer: max_repr must be .*, not '1000'"),
        ({"max_repr": True}, "max_repr must be .*, not True"),
        ({"max_items": 0}, "SmartSerializer: max_items must be a whole number of items from 1 to .*, not 0"),
        ({"max_depth": 33}, "SmartSerializer: max_depth must be .* levels from 1 to 32, not 33"),
        ({"max_attributes": -1}, "max_attributes must be .*, not -1"),
        ({"max_capture_time": -1}, "max_capture_time must be a number of seconds from 0 to 3600, not -1"),
        ({"repr": 1}, "SmartSerializer: repr must be True or False, not 1"),
        ({"sensitive_fields": "badge"}, r"SmartSerializer: sensitive_fields must be a collection such as \['badge'\]"),
        ({"sensitive_fields": ["ba*dge"]}, r"SmartSerializer: sensitive_fields has 'ba\*dge'"),
        ({"sensitive_fields": [3]}, "SmartSerializer: sensitive_fields has 3"),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_do(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SmartSerializer(**arguments)


def test_equal_arguments_make_equal_serializers_that_can_be_copied_and_pickled() -> None:
    one = SmartSerializer(200, ["badge"], max_depth=2)
    same = SmartSerializer(200, (name for name in ("badge",)), max_depth=2)
    assert one == same
    assert hash(one) == hash(same)
    assert one != SmartSerializer(200, ["badge"])
    for made in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert made == one
        assert made.serialize({"badge": 1}) == '{"badge":"***"}'
    assert repr(SmartSerializer()) == (
        "SmartSerializer(max_repr=1000, sensitive_fields=None, max_items=64, max_depth=6, max_attributes=20, "
        "max_capture_time=0.001, repr=False)"
    )
    with pytest.raises(AttributeError):
        one.max_repr = 5  # type: ignore[misc]


def test_one_serializer_serves_many_threads() -> None:
    serializer = SmartSerializer(300)
    value = {"rows": [{"id": number, "name": "x" * number} for number in range(40)]}
    expected = serializer.serialize(value)
    seen: list[bool] = []

    def work() -> None:
        seen.append(all(serializer.serialize(value) == expected for _ in range(500)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 4


PROGRAM = """
import os, pathlib
from calltape import SmartSerializer, monitor, stats
serializer = SmartSerializer()
assert serializer.serialize([1]) == "[1]"
assert not pathlib.Path(os.environ["CALLTAPE_DB"]).exists(), "serializing starts no run"
@monitor
def inner(): return 1
@monitor
def outer(value):
    inner()
    return serializer.serialize({"value": value})
assert outer(5) == '{"value":5}'
assert outer([outer(6)]) == '{"value":["{\\\\"value\\\\":6}"]}'
print(stats().recorded, stats().reentrant)
"""


def test_it_starts_no_run_and_disturbs_none(run_program: RunProgram) -> None:
    ended = run_program(PROGRAM)
    assert ended.stdout == "6 0\n"
    assert [call["status"] for call in ended.tape.calls()] == ["ok"] * 6


def test_it_works_where_recording_is_disabled(run_program: RunProgram) -> None:
    assert run_program(PROGRAM, env={"CALLTAPE_DISABLED": "1"}).stdout == "0 0\n"
