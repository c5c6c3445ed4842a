"""`capture={"args": {"user": False}}` keeps one argument out of the record, however it is given."""

import json

import pytest
from conftest import RunProgram

from calltape import monitor

PROGRAM = """
import functools
from calltape import monitor

@monitor(capture={"args": {"user": False}})
def place(order, user="default", *, dry_run=False): return order
place(1, "canary"); place(2, user="canary"); place(3)

@monitor(capture={"args": {"user": False}})
def any_names(**values): return None
any_names(user="canary", order=4)

@monitor(capture={"args": {"values": False}})
def all_values(first, *values): return None
all_values(5, "canary", "canary")

partial = monitor(functools.partial(place.__wrapped__, user="canary"), capture={"args": {"user": False}}, name="m.part")
partial(6)

@monitor(capture={"args": {"user": False}})
class Shop:
    def sell(self, user): return 7
    def close(self): return 8
Shop().sell("canary"); Shop().close()
try:
    place(9, "canary", "canary")
except TypeError:
    pass
"""


def test_it_is_on_no_record(run_program: RunProgram) -> None:
    tape = run_program(PROGRAM).tape
    seen = [json.loads(call["args"]) for call in tape.calls("place")]
    defaults = [{"(defaults)": ["dry_run"]} for _ in range(3)]
    assert seen[:3] == [
        {"order": number, "dry_run": False, **rest} for number, rest in zip((1, 2, 3), defaults, strict=True)
    ]
    assert json.loads(tape.calls("any_names")[0]["args"]) == {"values": {"order": 4}}
    assert json.loads(tape.calls("all_values")[0]["args"]) == {"first": 5}
    assert json.loads(tape.calls("sell")[0]["args"]) == {}
    assert "canary" not in json.dumps(tape.rows("SELECT args, result FROM calls"))


def test_a_name_that_is_no_argument_is_refused_at_decoration() -> None:
    with pytest.raises(ValueError, match=r"""capture\["args"\] names "usr", which is no argument of .*place"""):

        @monitor(capture={"args": {"usr": False}})
        def place(user: str) -> None: ...


def test_a_class_is_refused_where_none_of_its_methods_has_the_argument() -> None:
    class Shop:
        def sell(self, *users: str, price: int) -> int:
            return price * len(users)

        def close(self) -> None: ...

    before = dict(vars(Shop))
    message = r"""capture\["args"\] names "usr", which is no argument of the methods of .*Shop"""
    with pytest.raises(ValueError, match=message):
        monitor(Shop, capture={"args": {"users": False, "usr": False}})
    assert dict(vars(Shop)) == before
    monitor(Shop, capture={"args": {"users": False, "price": False}})
    assert vars(Shop)["close"] is not before["close"]
