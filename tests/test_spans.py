"""Blocks as calls, the running call as an object, and blocks in which nothing is recorded; sync and async."""

import pytest
from conftest import RunProgram

from calltape import current, span

HEAD = """
import asyncio, threading
from calltape import monitor, span, current, suppressed, flush, stats
@monitor
def leaf(n): return n
"""


def lines(tape_calls: list[dict[str, object]]) -> list[str]:
    by_id = {call["id"]: call for call in tape_calls}

    def line(call: dict[str, object]) -> str:
        parent = by_id.get(call["parent_id"])
        label = str(call["function"]).rpartition(".")[2] + str(call["args"])
        return (line(parent) + " > " if parent else "") + label

    return sorted(line(call) for call in tape_calls)


def test_a_span_stands_in_the_tree_like_a_call(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor
def top():
    with span("load", rows=3, password="p") as block:
        assert block.id == current().id
        leaf(1)
        with span("inner"): leaf(2)
    leaf(3)
top()
with span("outside"): leaf(4)
leaf(5)
try:
    with span("fails"): {}["k"]
except KeyError: pass
"""
    )
    tape = run_program(program).tape
    assert lines(tape.calls()) == sorted(
        [
            "top{}",
            'top{} > load{"rows":3,"password":"***"}',
            'top{} > load{"rows":3,"password":"***"} > leaf{"n":1}',
            'top{} > load{"rows":3,"password":"***"} > inner{}',
            'top{} > load{"rows":3,"password":"***"} > inner{} > leaf{"n":2}',
            'top{} > leaf{"n":3}',
            "outside{}",
            'outside{} > leaf{"n":4}',
            'leaf{"n":5}',
            "fails{}",
        ]
    )
    spans = {call["function"]: call for call in tape.calls() if call["kind"] == "span"}
    assert set(spans) == {"load", "inner", "outside", "fails"}
    assert (spans["fails"]["status"], spans["fails"]["error_type"]) == ("error", "KeyError")
    assert spans["load"]["status"] == "ok"
    assert {book["calls"] for book in tape.accounting().values() if book["function"] in spans} == {1}


def test_spans_of_tasks_on_one_thread_do_not_meet(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
async def bare(n):
    async with span("bare", n=n):
        await asyncio.sleep(0.001 * n)
        leaf(n)
@monitor
async def recorded(n):
    async with span("in", n=n):
        await asyncio.sleep(0.001 * n)
        leaf(n)
    leaf(-n)
async def bystander():
    for _ in range(20):
        leaf(0)
        await asyncio.sleep(0.0005)
async def main():
    await asyncio.gather(*map(bare, (1, 2, 3)), *map(recorded, (4, 5)), bystander())
asyncio.run(main())
"""
    )
    found = lines(run_program(program).tape.calls())
    bare = [f'bare{{"n":{n}}} > leaf{{"n":{n}}}' for n in (1, 2, 3)]
    inside = [f'recorded{{"n":{n}}} > in{{"n":{n}}} > leaf{{"n":{n}}}' for n in (4, 5)]
    after = [f'recorded{{"n":{n}}} > leaf{{"n":{-n}}}' for n in (4, 5)]
    assert [line for line in found if " > leaf" in line] == sorted([*bare, *inside, *after])
    assert found.count('leaf{"n":0}') == 20


def test_one_span_object_serves_several_tasks(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
shared = span("shared")
async def use(n, gate):
    async with shared as block:
        block.set("n", n)
        leaf(n)
        await gate.wait()
    leaf(-n)
@monitor
async def recorded(n, gate): await use(n, gate)
async def main():
    gates = {n: asyncio.Event() for n in (1, 2, 3, 4)}
    tasks = {n: asyncio.create_task((use if n < 3 else recorded)(n, gate)) for n, gate in gates.items()}
    await asyncio.sleep(0)
    for n in (4, 1, 3, 2):
        gates[n].set()
        await tasks[n]
asyncio.run(main())
"""
    )
    tape = run_program(program).tape
    spans = {call["id"]: call for call in tape.calls("shared")}
    ends = sorted(spans.values(), key=lambda call: call["started_ns"] + call["duration_ns"])
    assert [call["args"] for call in ends] == [f'{{"(set)":{{"n":{n}}}}}' for n in (4, 1, 3, 2)]
    parents = {call["args"]: spans.get(call["parent_id"], {}).get("args") for call in tape.calls("leaf")}
    inside = {f'{{"n":{n}}}': f'{{"(set)":{{"n":{n}}}}}' for n in (1, 2, 3, 4)}
    assert parents == inside | {f'{{"n":{-n}}}': None for n in (1, 2, 3, 4)}


def test_a_span_that_is_not_recorded_ends_no_other_of_its_object(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
shared = span("shared")
hidden = suppressed()
hidden.__enter__(); shared.__enter__(); hidden.__exit__(None, None, None)
with shared: leaf(1)
leaf(2)
assert flush() and stats().in_flight == 0
with shared:
    with suppressed(), shared: pass
    leaf(3)
leaf(4)
"""
    )
    found = lines(run_program(program).tape.calls())
    assert found == sorted(
        ["shared{}"] * 2 + ['shared{} > leaf{"n":1}', 'leaf{"n":2}', 'shared{} > leaf{"n":3}', 'leaf{"n":4}']
    )


def test_values_are_added_to_the_running_call(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor(capture={"args": False})
def bare():
    current().set("rows", 3)
@monitor
def top(order):
    call = current()
    call.set("user", {"id": 7})
    leaf(1)
    current().set("user", {"id": 8})
    current().set("api_key", "s3cret")
    call.set("nothing", None)
@monitor
async def later():
    call = current()
    await asyncio.sleep(0.01)
    call.set("after", [1, 2])
current().set("ignored", 1)
top(5); bare(); asyncio.run(later())
assert stats().dropped_values == 0
"""
    )
    tape = run_program(program).tape
    args = {call["function"].rpartition(".")[2]: call["args"] for call in tape.calls()}
    assert args == {
        "top": '{"order":5,"(set)":{"user":{"id":8},"api_key":"***","nothing":null}}',
        "leaf": '{"n":1}',
        "bare": '{"(set)":{"rows":3}}',
        "later": '{"(set)":{"after":[1,2]}}',
    }


def test_nothing_is_recorded_inside_suppressed(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor
def top():
    with suppressed():
        leaf(1)
        assert current().id is None
        with span("hidden"), suppressed(): leaf(2)
        leaf(3)
    leaf(4)
async def quiet():
    async with suppressed():
        await asyncio.sleep(0.005)
        leaf(5)
        await asyncio.create_task(task())
        await asyncio.to_thread(leaf, 6)
async def task(): leaf(7)
async def loud():
    for _ in range(10):
        leaf(8)
        await asyncio.sleep(0.001)
async def main():
    await asyncio.gather(quiet(), loud())
    leaf(9)
top()
with suppressed(): leaf(10)
leaf(11)
asyncio.run(main())
assert stats().recorded == 1 + 1 + 1 + 10 + 1
"""
    )
    tape = run_program(program).tape
    assert lines(tape.calls()) == sorted(
        ["top{}", 'top{} > leaf{"n":4}', 'leaf{"n":11}', *['leaf{"n":8}'] * 10, 'leaf{"n":9}']
    )


def test_wrong_uses_say_so() -> None:
    with pytest.raises(TypeError, match="span: the name must be a str, not 3"):
        span(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="span: the name must not be empty"):
        span("")
    with pytest.raises(TypeError, match="set: the key must be a str"):
        current().set(3, 4)  # type: ignore[arg-type]
    assert repr(current()) == "<no call>"
