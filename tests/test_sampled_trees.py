"""A tree is kept or left out as a whole: by the outermost function with a rate below 1, over threads and tasks."""

import json
from typing import Any

from conftest import RunProgram, Tape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LATE = '"(taken at end)":true'

# A node: name of the function, whether it raises, how it runs its children, and these.
Node = tuple[str, bool, str, list[Any]]
WAYS = ("plain", "thread", "gather", "task", "generator", "async generator", "span")


def nodes() -> st.SearchStrategy[Node]:
    name = st.sampled_from(["all", "half", "tenth", "none", "auto"])
    leaf: st.SearchStrategy[Node] = st.tuples(name, st.booleans(), st.just("plain"), st.just([]))
    return st.recursive(
        leaf,
        lambda children: st.tuples(
            name, st.sampled_from([False, False, True]), st.sampled_from(WAYS), st.lists(children, max_size=3)
        ),
        max_leaves=25,
    )


PROGRAM = """
import asyncio, json, sys, threading
from calltape import monitor, span, current

RATES = {"all": 1.0, "half": 0.5, "tenth": 0.1, "none": 0.0, "auto": "auto"}

def below(children, path, way):
    numbered = [(child, f"{path}/{n}") for n, child in enumerate(children)]
    if way == "thread":
        import calltape._native as native
        for child, at in numbered:
            thread = threading.Thread(target=native.carry(quietly), args=(child, at))
            thread.start(); thread.join()
    elif way in ("gather", "task", "async generator"):
        asyncio.run(drive(way, numbered))
    elif way == "generator":
        for child, at in numbered:
            try:
                for _ in BODIES[child[0]](at, child): pass
            except ValueError: pass
    elif way == "span":
        with span("span", path=path):
            for child, at in numbered: quietly(child, at)
    else:
        for child, at in numbered: quietly(child, at)

async def drive(way, numbered):
    if way == "gather":
        await asyncio.gather(*(COROUTINES[child[0]](at, child) for child, at in numbered), return_exceptions=True)
    elif way == "task":
        for child, at in numbered:
            try: await asyncio.create_task(COROUTINES[child[0]](at, child))
            except ValueError: pass
    else:
        for child, at in numbered:
            try:
                async for _ in ASYNC_BODIES[child[0]](at, child): pass
            except ValueError: pass

def quietly(node, path):
    try: FUNCTIONS[node[0]](path, node)
    except ValueError: pass

def run(path, node):
    name, raises, way, children = node
    # A loop that runs is in the way of another: what a task calls is called plainly.
    try: asyncio.get_running_loop(); inside = True
    except RuntimeError: inside = False
    below(children, path, "plain" if inside and way in ("gather", "task", "async generator") else way)
    if raises: raise ValueError(path)

FUNCTIONS, COROUTINES, BODIES, ASYNC_BODIES = {}, {}, {}, {}
def functions_of(name, rate):
    options = dict(sample_rate=rate, capture={"args": {"node": False}})
    @monitor(name=f"f.{name}", **options)
    def function(path, node): run(path, node)
    @monitor(name=f"c.{name}", **options)
    async def coroutine(path, node):
        await asyncio.sleep(0); run(path, node)
    @monitor(name=f"g.{name}", **options)
    def body(path, node):
        yield 1
        run(path, node)
        yield 2
    @monitor(name=f"a.{name}", **options)
    async def async_body(path, node):
        yield 1
        await asyncio.sleep(0); run(path, node)
        yield 2
    FUNCTIONS[name], COROUTINES[name], BODIES[name], ASYNC_BODIES[name] = function, coroutine, body, async_body
for name, rate in RATES.items(): functions_of(name, rate)

for number, node in enumerate(json.load(open(sys.argv[1]))):
    for turn in range(4): quietly(node, f"{number}.{turn}")
    assert current().id is None
"""


def made(node: Node, path: str, into: dict[str, Node]) -> None:
    """All calls that a tree makes, by path."""
    into[path] = node
    for number, child in enumerate(node[3]):
        made(child, f"{path}/{number}", into)


def paths_of(tape: Tape) -> dict[str, dict[str, Any]]:
    calls = [call for call in tape.calls() if call["kind"] != "span"]
    by_path = {json.loads(call["args"])["path"]: call for call in calls}
    assert len(by_path) == len(calls)
    return by_path


def assert_there_are_no_orphans(tape: Tape) -> None:
    orphans = "SELECT id FROM calls WHERE parent_id IS NOT NULL AND parent_id NOT IN (SELECT id FROM calls)"
    assert tape.rows(orphans) == []
    rootless = "SELECT id FROM calls WHERE root_id NOT IN (SELECT id FROM calls WHERE parent_id IS NULL)"
    assert tape.rows(rootless) == []
    late = "SELECT c.id FROM calls c JOIN calls p ON p.id = c.parent_id WHERE c.root_id <> p.root_id"
    assert tape.rows(late) == []


def decides(name: str, row: dict[str, Any] | None) -> bool:
    """Whether a call decides for what it calls: not where all calls of its function are kept, as by "auto" at first."""
    keeps_all = name == "auto" and row is not None and LATE not in row["args"] and row["weight"] == 1.0
    return name != "all" and not keeps_all


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees=st.lists(nodes(), min_size=4, max_size=8))
def test_any_trees_are_kept_or_left_out_whole(run_program: RunProgram, tmp_path: Any, trees: list[Node]) -> None:
    for left in (tmp_path / "tape").glob("calls.db*"):
        if left.is_file():
            left.unlink()
    (tmp_path / "trees.json").write_text(json.dumps(trees))
    tape = run_program(PROGRAM, str(tmp_path / "trees.json")).tape
    calls: dict[str, Node] = {}
    for number, tree in enumerate(trees):
        for turn in range(4):
            made(tree, f"{number}.{turn}", calls)
    assert_there_are_no_orphans(tape)
    stored = paths_of(tape)
    for path, node in calls.items():
        if node[1]:
            assert path in stored, f"the error of {path} is not kept"
    for path, node in calls.items():
        above = [path.rsplit("/", cut)[0] for cut in range(path.count("/"), 0, -1)]
        if any(calls[at][0] == "auto" and calls[at][1] for at in above):
            continue  # an error has weight 1 whatever was decided, so nobody can tell what that was
        decider = next((at for at in above if decides(calls[at][0], stored.get(at))), None)
        if decider is not None:
            is_kept = decider in stored and LATE not in stored[decider]["args"]
            is_whole = path in stored and LATE not in stored[path]["args"]
            assert is_whole == is_kept, f"{path} below {decider}"
            if is_whole and not node[1] and not calls[decider][1]:
                assert stored[path]["weight"] == stored[decider]["weight"]
        elif node[0] == "all":
            assert stored[path]["weight"] == 1.0
    for book in tape.accounting().values():
        assert book["calls"] == book["stored"] + book["sampled_out"], book
        assert (book["dropped"], book["in_flight"], book["unknown"]) == (0, 0, 0), book


def test_a_function_of_rate_one_above_is_recorded_and_switches_nothing_off(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor
def main():
    for n in range(2000): work(n)
@monitor(sample_rate=0.1)
def work(n): return helper(n)
@monitor(sample_rate=0.5)
def helper(n): return n
main()
"""
    tape = run_program(program).tape
    [main] = tape.calls("main")
    works, helpers = tape.calls("work"), tape.calls("helper")
    assert 100 < len(works) < 300  # Binomial(2000, 0.1): 7 standard deviations of 13.4
    assert [call["parent_id"] for call in helpers] == [call["id"] for call in works]
    assert {call["weight"] for call in works + helpers} == {10.0}
    assert {call["parent_id"] for call in works} == {main["id"]}


def test_a_call_outside_of_any_tree_is_decided_anew_each_time(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor(sample_rate=0.5)
def work(n):
    if n: work(n - 1)
for _ in range(400): work(2)
"""
    tape = run_program(program).tape
    roots = [call for call in tape.calls() if call["parent_id"] is None]
    assert 130 < len(roots) < 270  # Binomial(400, 0.5): 7 standard deviations of 10
    assert len(tape.calls()) == 3 * len(roots)
