"""Arguments stand on the tape under their parameters' names, whatever way the call gave them."""

import json
from typing import Any

from conftest import RunProgram

PROGRAM = """
import functools
from calltape import monitor

@monitor
def every(a, b=2, /, c=3, *args, d, e=5, **kwargs):
    return a

every(1, d=4)
every(1, 20, 30, 40, 50, d=4, e=6, f=7, g="x")
every(1, c=9, d=4)

@monitor
def plain(x, y):
    return x

plain(1, 2)
plain(y=2, x=1)

class Shop:
    @monitor
    def method(self, item): return item
    @staticmethod
    @monitor
    def static_inside(item): return item
    @monitor
    @staticmethod
    def static_outside(item): return item
    @classmethod
    @monitor
    def class_inside(cls, item): return cls
    @monitor
    @classmethod
    def class_outside(cls, item): return cls
    @monitor
    def odd(this, item): return item
    @monitor
    def __call__(self, item): return item

shop = Shop()
assert shop.method("a") == "a" and Shop.method(shop, "b") == "b"
assert shop.static_inside("a") == Shop.static_outside("a") == "a"
assert Shop.class_inside("a") is Shop and shop.class_outside("a") is Shop
assert shop.odd("a") == "a" and shop("a") == "a"
bound = shop.method
assert bound("c") == "c" and bound.__self__ is shop

assert monitor(lambda v: v + 1, name="lambda.plus")(4) == 5
assert monitor(max, name="builtin.max")(3, 9) == 9
assert monitor(divmod, name="builtin.divmod")(9, 4) == (2, 1)
assert monitor(functools.partial(plain.__wrapped__, 1, y=5), name="partial.plain")() == 1
assert monitor(functools.partial(plain.__wrapped__, 1), name="partial.plain")(y=7) == 1
class Bare:
    def __call__(self, item): return item
assert monitor(Bare(), name="callable.bare")("z") == "z"
assert monitor(shop.method.__func__.__wrapped__.__get__(shop), name="bound.method")("q") == "q"

class Holder:
    largest = monitor(max, name="builtin.attribute")
assert Holder().largest(1, 2) == 2
"""


def args_of(calls: list[dict[str, Any]]) -> list[Any]:
    return [json.loads(call["args"]) for call in calls]


def test_every_kind_of_parameter_is_named_and_defaults_are_shown_as_such(run_program: RunProgram) -> None:
    tape = run_program(PROGRAM).tape
    assert args_of(tape.calls("every")) == [
        {"a": 1, "d": 4, "b": 2, "c": 3, "e": 5, "(defaults)": ["b", "c", "e"]},
        {"a": 1, "b": 20, "c": 30, "args": [40, 50], "d": 4, "e": 6, "kwargs": {"f": 7, "g": "x"}},
        {"a": 1, "c": 9, "d": 4, "b": 2, "e": 5, "(defaults)": ["b", "e"]},
    ]
    assert args_of(tape.calls("plain")) == [{"x": 1, "y": 2}, {"y": 2, "x": 1}, {"x": 1, "y": 5}, {"x": 1, "y": 7}]


def test_self_and_cls_are_left_out_in_every_order_of_decorators(run_program: RunProgram) -> None:
    tape = run_program(PROGRAM).tape
    assert args_of(tape.calls("method")) == [{"item": "a"}, {"item": "b"}, {"item": "c"}, {"item": "q"}]
    for name in ("static_inside", "static_outside", "class_inside", "class_outside", "odd", "__call__"):
        seen = args_of(tape.calls(name))
        assert {*map(tuple, seen)} == {("item",)}, name
    assert {call["function"] for call in tape.calls("method")} == {"__main__.Shop.method", "bound.method"}


def test_lambdas_builtins_partials_and_callables_are_recorded(run_program: RunProgram) -> None:
    tape = run_program(PROGRAM).tape
    by_name = {call["function"]: call for call in tape.calls()}
    assert json.loads(by_name["lambda.plus"]["args"]) == {"v": 4}
    assert json.loads(by_name["builtin.divmod"]["args"]) == {"x": 9, "y": 4}
    assert json.loads(by_name["builtin.max"]["args"]) == {"args": [3, 9]}
    assert json.loads(by_name["builtin.attribute"]["args"]) == {"args": [1, 2]}
    assert json.loads(by_name["callable.bare"]["args"]) == {"item": "z"}


def test_a_wrong_call_raises_the_functions_own_error_and_is_recorded(run_program: RunProgram) -> None:
    program = """
from calltape import monitor

def bare(a, *, b): return a
recorded = monitor(bare)
for args, kwargs in [((), {}), ((1, 2, 3), {"b": 1}), ((1,), {"c": 3}), ((1,), {"a": 1, "b": 2}), ((1,), {})]:
    texts = []
    for function in (bare, recorded):
        try:
            function(*args, **kwargs)
        except TypeError as error:
            texts.append(str(error))
    assert len(texts) == 2 and texts[0] == texts[1], texts
"""
    calls = run_program(program).tape.calls("bare")
    assert [call["error_type"] for call in calls] == ["TypeError"] * 5
    assert [json.loads(call["args"]) for call in calls] == [
        {},
        {"a": 1, "(extra)": [2, 3], "b": 1},
        {"a": 1, "(extra)": {"c": 3}},
        {"a": 1, "b": 2} | {"a": 1},
        {"a": 1},
    ]


def test_nothing_is_captured_where_the_decorator_says_so(run_program: RunProgram) -> None:
    program = """
from calltape import monitor

@monitor(capture={"args": False})
def no_args(a): return a
@monitor(capture={"result": False})
def no_result(a): return a
no_args(1); no_result(2)
"""
    tape = run_program(program).tape
    assert [(c["args"], c["result"]) for c in tape.calls()] == [(None, "1"), ('{"a":2}', None)]


def test_names_of_secrets_are_masked(run_program: RunProgram) -> None:
    program = """
from calltape import monitor

@monitor
def login(user, password, *, api_key=None, **rest): return {"token": "t0p-s3cret", "author": "ann"}
login("ann", "hunter2-canary", api_key="key-canary", Access_Token="tok-canary", tokenizer="bpe")
login("ann", {"deep": {"Password": "deep-canary", "passage": "kept"}}, api_key={"x": "y-canary"})
"""
    tape = run_program(program).tape
    assert [json.loads(call["args"]) for call in tape.calls()] == [
        {"user": "ann", "password": "***", "api_key": "***", "rest": {"Access_Token": "***", "tokenizer": "bpe"}},
        {"user": "ann", "password": "***", "api_key": "***"},
    ]
    assert json.loads(tape.calls()[0]["result"]) == {"token": "***", "author": "ann"}
    assert b"canary" not in b"".join(path.read_bytes() for path in tape.path.parent.rglob("*") if path.is_file())


def test_secrets_are_masked_in_every_place_a_name_tells(run_program: RunProgram) -> None:
    program = """
import functools, json
from calltape import monitor
class Key(str): pass
secret = "canary-5c1f"
@monitor
def variadic(*secrets, **credentials): pass
variadic(secret, secret, login=secret)
@monitor
def nested(value): pass
nested({Key("password"): secret, b"api_key": secret, "github_token": secret})
nested({"user.password": secret, "db_password_1": secret, "Proxy-Authorization": secret})
@monitor
def surplus(user, password): pass
try: surplus("ann", secret, secret)
except TypeError: pass
class Mine(functools.partial): pass
def login(user, password): pass
monitor(Mine(login, "ann"), name="p.mine")(secret)
monitor(functools.partial(login, "ann", password=secret), name="p.held")()
nested({"author": 1, "tokenizer": 2, "max_tokens": 3, "passage": 4, "keyboard": 5, "cardinal": 6, "has_auth": 7})
"""
    tape = run_program(program).tape
    assert b"canary" not in b"".join(path.read_bytes() for path in tape.path.parent.rglob("*") if path.is_file())
    kept = json.loads(tape.calls("nested")[-1]["args"])["value"]
    assert list(kept.values()) == [1, 2, 3, 4, 5, 6, 7]
    assert json.loads(tape.calls("held")[0]["args"]) == {"user": "ann", "password": "***"}
