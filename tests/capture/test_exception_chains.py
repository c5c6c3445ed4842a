"""What an error came from: causes, contexts, groups and their members, notes; each listed once, bounded, told from
storage whatever the exception says of itself."""

import json
from typing import Any

from conftest import RunProgram, Tape

Link = dict[str, Any]


def chain_of(tape: Tape, function: str) -> list[Link]:
    """The exceptions that the last call of a function ended with; what was cut stands at the end as text."""
    chain: list[Link] = json.loads(tape.calls(function)[-1]["traceback"])
    return chain


def shape(chain: list[Link]) -> list[tuple[str, str | None, int | None]]:
    """Type, relation and what it belongs to, of those that are listed."""
    return [(link["type"], link["relation"], link.get("of")) for link in chain if isinstance(link, dict)]


RAISING = """
from calltape import monitor
def raised(function):
    recorded = monitor(function)
    try: recorded()
    except BaseException: pass
"""


def test_a_group_lists_its_members_and_what_they_came_from(run_program: RunProgram) -> None:
    tape = run_program(
        RAISING
        + """
import asyncio
async def one(): raise ValueError("first")
async def two():
    try: {}["k"]
    except KeyError as error: raise RuntimeError("second") from error
def tasks():
    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(one()); group.create_task(two())
    asyncio.run(main())
raised(tasks)
"""
    ).tape
    chain = chain_of(tape, "tasks")
    assert shape(chain) == [
        ("ExceptionGroup", None, None),
        ("ValueError", "member", 0),
        ("RuntimeError", "member", 0),
        ("KeyError", "cause", 2),
    ]
    assert chain[0]["message"] == "unhandled errors in a TaskGroup (2 sub-exceptions)"
    assert [frame["function"] for frame in chain[1]["frames"]] == ["one"]


def test_what_except_star_leaves_is_told_with_its_own_groups(run_program: RunProgram) -> None:
    tape = run_program(
        RAISING
        + """
def part():
    try:
        raise ExceptionGroup("all", [ValueError(1), ExceptionGroup("inner", [KeyError(2), OSError(3)])])
    except* ValueError:
        raise TypeError("while handling")
raised(part)
"""
    ).tape
    told = shape(chain_of(tape, "part"))
    assert told[0] == ("ExceptionGroup", None, None)
    assert {kind for kind, relation, _ in told if relation == "member"} >= {"TypeError", "KeyError", "OSError"}
    assert ("ExceptionGroup", "context", 1) in told or ("ExceptionGroup", "context", 2) in told


def test_groups_a_thousand_deep_and_wide_are_bounded(run_program: RunProgram) -> None:
    tape = run_program(
        RAISING
        + """
def deep():
    error = ValueError("innermost")
    for level in range(1000): error = ExceptionGroup(f"level {level}", [error])
    raise error
def wide(): raise ExceptionGroup("wide", [ValueError("x" * 5000) for _ in range(100_000)])
def long():
    error = None
    for number in range(5000):
        later = ValueError(number); later.__cause__ = error; error = later
    raise error
raised(deep); raised(wide); raised(long)
"""
    ).tape
    for function in ("deep", "wide", "long"):
        text = tape.calls(function)[-1]["traceback"]
        chain = json.loads(text)
        assert 10 < len(chain) < 40
        assert len(text) < 100_000
        assert chain[-1].startswith("... ")
        assert chain[-1].endswith(" more")
    assert chain_of(tape, "wide")[0]["message"] == "wide (100000 sub-exceptions)"
    assert str(chain_of(tape, "wide")[-1]) == "... 99988 more"


def test_cycles_end(run_program: RunProgram) -> None:
    tape = run_program(
        RAISING
        + """
def contexts():
    a, b, c = ValueError("a"), KeyError("b"), OSError("c")
    a.__context__, b.__context__, c.__context__ = b, c, b
    raise a
def itself():
    error = ValueError("a"); error.__cause__ = error
    raise error
def members():
    inner = ValueError("inner")
    group = ExceptionGroup("group", [inner, inner])
    inner.__context__ = group
    raise group
raised(contexts); raised(itself); raised(members)
"""
    ).tape
    assert [kind for kind, *_ in shape(chain_of(tape, "contexts"))] == ["ValueError", "KeyError", "OSError"]
    assert len(chain_of(tape, "itself")) == 1
    assert shape(chain_of(tape, "members")) == [("ExceptionGroup", None, None), ("ValueError", "member", 0)]


def test_notes_are_kept_and_bounded(run_program: RunProgram) -> None:
    tape = run_program(
        RAISING
        + """
def noted():
    error = ValueError("bad"); error.add_note("order 17"); error.add_note("customer 7\\nin Paris")
    raise error
def many():
    error = ValueError("bad")
    for number in range(1000): error.add_note(f"{number} " + "n" * 10_000)
    raise error
class Odd:
    def __repr__(self): raise SystemExit("user code ran")
    __str__ = __iter__ = __len__ = __repr__
class Text(str):
    def __str__(self): raise SystemExit("user code ran")
    __repr__ = __len__ = __str__
def odd(): return noted_as([Odd(), Text("subclass"), None])
def tuple_(): return noted_as(("one", "two"))
def text(): return noted_as("not a list")
def object_(): return noted_as(Odd())
def noted_as(notes):
    error = ValueError("bad"); error.__notes__ = notes
    raise error
class Property(ValueError):
    @property
    def __notes__(self): raise SystemExit("user code ran")
def property_(): raise Property()
class Key:
    def __hash__(self): return hash("__notes__")
    def __eq__(self, other): raise SystemExit("user code ran")
def key():
    error = ValueError(); error.__dict__[Key()] = 1
    raise error
for function in (noted, many, odd, tuple_, text, object_, property_, key): raised(function)
"""
    ).tape
    assert chain_of(tape, "noted")[0]["notes"] == ["order 17", "customer 7\nin Paris"]
    many = chain_of(tape, "many")[0]["notes"]
    assert many[0].startswith("0 nnn")
    assert many[0].endswith("... [10002 chars]")
    assert many[-1] == f"... {1000 - len(many) + 1} more"
    assert sum(map(len, many)) < 4000
    assert chain_of(tape, "odd")[0]["notes"] == ["[Odd]", "subclass", "[NoneType]"]
    assert chain_of(tape, "tuple_")[0]["notes"] == ["one", "two"]
    for function in ("text", "object_", "property_", "key"):
        assert "notes" not in chain_of(tape, function)[0]


def test_exceptions_that_lie_about_themselves_are_read_from_storage(run_program: RunProgram) -> None:
    ended = run_program(
        RAISING
        + """
class Meta(type):
    @property
    def __module__(cls): raise SystemExit("user code ran")
class Group(ExceptionGroup):
    @property
    def exceptions(self): raise SystemExit("user code ran")
    @property
    def message(self): raise SystemExit("user code ran")
    def __str__(self): raise SystemExit("user code ran")
class Lying(ValueError, metaclass=Meta):
    __class__ = KeyError
    @property
    def __cause__(self): raise SystemExit("user code ran")
    __context__ = __traceback__ = args = __dict__ = __cause__
    def __getattribute__(self, name): raise SystemExit("user code ran")
    def __getattr__(self, name): raise SystemExit("user code ran")
def group(): raise Group("liars", [ValueError("inside")])
def lying(): raise Lying("really a ValueError")
raised(group); raised(lying)
print("done")
"""
    )
    assert ended.stdout == "done\n"
    group = chain_of(ended.tape, "group")
    assert shape(group) == [("__main__.Group", None, None), ("ValueError", "member", 0)]
    assert group[0]["message"] == "liars (1 sub-exception)"
    assert chain_of(ended.tape, "lying")[0]["message"] == "really a ValueError"
    assert ended.tape.calls("lying")[0]["error_type"] == "__main__.Lying"


def test_nothing_hangs_on_a_recorded_chain_afterwards(run_program: RunProgram) -> None:
    run_program(
        RAISING
        + """
import gc, sys
cause, member, note = KeyError("cause"), OSError("member"), "".join(["a ", "note"])
group = ExceptionGroup("group", [member]); group.__cause__ = cause; group.add_note(note)
def fail(): raise group
def counts(): return [sys.getrefcount(thing) for thing in (cause, member, note, group, group.__notes__)]
raised(fail); group.__traceback__ = None; gc.collect()
before = counts()
for _ in range(1000):
    raised(fail); group.__traceback__ = None
gc.collect()
assert counts() == before, (before, counts())
"""
    )
