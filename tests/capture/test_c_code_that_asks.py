"""C code of the standard library that asks objects or sets state of the program's: capture keeps it from both."""

import json

from conftest import RunProgram

PRELUDE = """
import datetime, decimal, os, threading, zoneinfo
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
