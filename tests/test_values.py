"""What each kind of value reads like on the tape, and that none costs more than its budget."""

import json

from conftest import RunProgram

# Each line: the expression the program makes, and the JSON text the tape holds.
CORPUS: list[tuple[str, str]] = [
    ("None", "null"),
    ("True", "true"),
    ("0", "0"),
    ("-129", "-129"),
    ("2**63 - 1", "9223372036854775807"),
    ("-(2**63)", "-9223372036854775808"),
    ("2**64", "18446744073709551616"),
    ("-(10**40)", "-1" + "0" * 40),
    ("1 << 100_000", '"[int with 100001 bits]"'),
    ("0.1", "0.1"),
    ("1e22", "1e22"),
    ("float('nan')", '"nan"'),
    ("float('-inf')", '"-inf"'),
    ("1+2j", '"(1+2j)"'),
    ("'tea'", '"tea"'),
    ("'h\\u00e9llo \\u4e16 \\U0001f600'", '"h\u00e9llo \u4e16 \U0001f600"'),
    ("'\\ud800x'", '"\\ud800x"'),
    ("'quote\" back\\\\ line\\n nul\\0'", '"quote\\" back\\\\ line\\n nul\\u0000"'),
    ("b'ab\\x00\\xff'", "\"b'ab\\\\x00\\\\xff'\""),
    ("[1, [2, 'x'], (3,)]", '[1,[2,"x"],[3]]'),
    ("{'a': 1, 2: 'b', None: [], (1, 2): 0}", '{"a":1,"2":"b","None":[],"[1,2]":0}'),
    ("{7}", "[7]"),
    ("frozenset({'x'})", '["x"]'),
    ("range(2, 10, 3)", '"range(2, 10, 3)"'),
    ("Color.RED", '"Color.RED"'),
    ("Level.HIGH", '"Level.HIGH"'),
    ("datetime.datetime(2026, 1, 2, 3, 4, 5, 6)", '"2026-01-02T03:04:05.000006"'),
    ("datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)", '"2026-01-02T00:00:00+00:00"'),
    ("datetime.datetime(2026, 1, 2, tzinfo=Mine())", '"2026-01-02T00:00:00[Mine]"'),
    ("datetime.date(2026, 1, 2)", '"2026-01-02"'),
    ("datetime.timedelta(days=1, seconds=2)", '"1 day, 0:00:02"'),
    ("decimal.Decimal('1.10')", '"1.10"'),
    ("uuid.UUID(int=5)", '"00000000-0000-0000-0000-000000000005"'),
    ("pathlib.Path('/srv/data')", '"/srv/data"'),
    ("ValueError('bad')", '"[ValueError: bad]"'),
    ("KeyError('k')", "\"[KeyError: 'k']\""),
    ("Portfolio()", '"[Portfolio]"'),
    ("print", '"[function print]"'),
    ("int", '"[type int]"'),
    ("collections.OrderedDict(a=1)", '{"a":1}'),
    ("Point(1, 2)", '{"__class__":"Point","x":1,"y":2}'),
    ("Name('ann')", '"ann"'),
    ("list(range(10_000_000))", '"[list with 10000000 items]"'),
    ("dict.fromkeys(range(65))", '"[dict with 65 items]"'),
    ("[[0] * 100]", "[[" + "0," * 64 + '"... 36 more"]]'),
    ("[[[[[[['deep']]]]]]]", '[[[[[["[list with 1 item]"]]]]]]'),
    ("circular_list()", '[1,"[circular list]"]'),
    ("circular_dict()", '{"me":"[circular dict]"}'),
    ("'a' * 1048576", '"' + "a" * 979 + '... [1048576 chars]"'),
    ("b'a' * 70000", "\"b'" + "a" * 978 + "'... [70000 bytes]\""),
]

PRELUDE = """
import collections, datetime, decimal, enum, json, pathlib, uuid
from calltape import monitor

class Color(enum.Enum):
    RED = 1
class Level(enum.IntEnum):
    HIGH = 3
class Mine(datetime.tzinfo):
    def utcoffset(self, when): raise SystemExit("user code ran")
class Hostile(type):
    def __instancecheck__(cls, other): raise SystemExit("user code ran")
class Portfolio(metaclass=Hostile):
    __slots__ = ()
    def __repr__(self): raise SystemExit("user code ran")
    __str__ = __len__ = __iter__ = __bool__ = __eq__ = __getattribute__ = __repr__
class Name(str):
    def __str__(self): raise SystemExit("user code ran")
Point = collections.namedtuple("Point", "x y")
def circular_list():
    value = [1]
    value.append(value)
    return value
def circular_dict():
    value = {}
    value["me"] = value
    return value
@monitor
def keep(value): return None
"""


def test_every_kind_of_value_reads_as_expected(run_program: RunProgram) -> None:
    lines = [f"keep({expression})" for expression, _ in CORPUS]
    tape = run_program(PRELUDE + "\n".join(lines)).tape
    seen = [call["args"] for call in tape.calls("keep")]
    expected = ['{"value":' + text + "}" for _, text in CORPUS]
    pairs = zip(CORPUS, seen, expected, strict=True)
    differing = [(expression, got, want) for (expression, _), got, want in pairs if got != want]
    assert differing == []
    for text in seen:
        json.loads(text)


def test_a_values_budget_holds_for_results_and_for_the_whole_call(run_program: RunProgram) -> None:
    program = (
        PRELUDE
        + """
@monitor(max_repr=100)
def small(*args): return ["word" * 5] * 60
small(*["x" * 500] * 300)
@monitor
def large(a, b, c, d, e, f, g): return None
large(*["y" * 900] * 7)
"""
    )
    small, large = run_program(program).tape.calls()
    assert len(small["args"].removeprefix('{"args":').removesuffix("}")) <= 100
    assert len(small["result"]) <= 100
    assert "more" in small["result"]
    assert sum(len(json.dumps(value)) for value in json.loads(large["args"]).values()) <= 4096 + 7 * 5


def test_references_are_as_without_monitoring(run_program: RunProgram) -> None:
    program = (
        PRELUDE
        + """
import gc, sys, weakref
class Thing: pass
def bare(value, *rest, **named): return value
recorded = monitor(bare)
for function in (bare, recorded):
    thing = Thing()
    nested = {"things": [thing, (thing,)]}
    before = sys.getrefcount(thing), sys.getrefcount(nested)
    for _ in range(100):
        function(thing); function(nested, thing, key=nested); function(value=thing)
    assert (sys.getrefcount(thing), sys.getrefcount(nested)) == before
    reference = weakref.ref(thing)
    del thing, nested
    assert reference() is None
"""
    )
    assert run_program(program).tape.accounting()["bare"]["stored"] == 300
