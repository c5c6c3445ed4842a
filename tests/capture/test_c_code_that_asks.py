"""C code of the standard library that asks objects or sets state of the program's: capture keeps it from both."""

import json

import pytest
from conftest import RunProgram

PRELUDE = """
import _datetime, _decimal, _thread, array, collections, datetime, decimal, mmap, os, threading, zoneinfo
from calltape import monitor

@monitor
def keep(value): return None

def ran(*args, **kwargs):
    os.write(2, b"the program's code ran")
    os._exit(3)
"""


def test_a_time_of_a_subclass_is_not_asked_by_its_zone(run_program: RunProgram) -> None:
    program = """
class Time(datetime.datetime):
    toordinal = __getattribute__ = ran
    hour = minute = second = property(ran)
class OfDay(datetime.time):
    __getattribute__ = ran
berlin = zoneinfo.ZoneInfo("Europe/Berlin")
keep(Time(2026, 10, 25, 2, 30, 0, 5, tzinfo=berlin))
keep(Time(2026, 10, 25, 2, 30, 0, 5, tzinfo=berlin, fold=1))
keep(Time(2026, 7, 1, tzinfo=datetime.timezone.utc)); keep(OfDay(1, 2, tzinfo=berlin)); keep(Time(1, 1, 1))
"""
    calls = run_program(PRELUDE + program).tape.calls("keep")
    assert [json.loads(call["args"])["value"] for call in calls] == [
        "2026-10-25T02:30:00.000005+02:00",
        "2026-10-25T02:30:00.000005+01:00",
        "2026-07-01T00:00:00+00:00",
        "01:02:00",
        "0001-01-01T00:00:00",
    ]


def test_a_decimal_leaves_the_threads_context_to_the_program(run_program: RunProgram) -> None:
    program = """
number = decimal.Decimal("1.5")
def compute():
    keep(number)
    decimal.DefaultContext.prec = 7
    print(decimal.getcontext().prec)
thread = threading.Thread(target=compute)
thread.start()
thread.join()
"""
    ended = run_program(PRELUDE + program)
    assert ended.stdout == "7\n"
    assert json.loads(ended.tape.calls("keep")[0]["args"]) == {"value": "1.5"}


def test_a_class_that_was_put_in_the_place_of_one_of_cs_is_no_such_class(run_program: RunProgram) -> None:
    program = """
for module, name in [
    (collections, "deque"), (array, "array"), (_datetime, "datetime"), (_datetime, "date"), (_datetime, "time"),
    (_datetime, "timedelta"), (_decimal, "Decimal"), (mmap, "mmap"),
]:
    special = dict.fromkeys(["__iter__", "__len__", "__str__", "__repr__", "__sizeof__", "__getitem__"], ran)
    stand_in = type(name, (), special | {"__slots__": ()})
    real = getattr(module, name)
    setattr(module, name, stand_in)
    for _ in range(50): keep(stand_in())
    setattr(module, name, real)
"""
    calls = run_program(PRELUDE + program).tape.calls("keep")
    names = ["deque", "array", "datetime", "date", "time", "timedelta", "Decimal", "mmap"]
    assert [json.loads(call["args"])["value"] for call in calls][::50] == [f"[{name}]" for name in names]


def test_records_of_numpy_show_their_size_alone(run_program: RunProgram) -> None:
    pytest.importorskip("numpy")
    program = """
import numpy, time
record = numpy.array([(1, "hidden")], dtype=[("id", "i4"), ("password", "U9")])
keep(record[0]); keep(record.view(numpy.recarray)[0]); keep(numpy.void(b"ab"))
large = numpy.void(b"x" * 100_000_000)
begun = time.thread_time()
keep(large)
assert time.thread_time() - begun < 0.02
"""
    calls = run_program(PRELUDE + program).tape.calls("keep")
    assert [json.loads(call["args"])["value"] for call in calls] == [
        "[void 40 bytes]",
        "[record 40 bytes]",
        "b'ab'",
        "[void 100000000 bytes]",
    ]
