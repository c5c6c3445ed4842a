"""Signals and their exceptions reach the program: capture neither runs handlers nor swallows what they raise.

Capture once asked the interpreter for the text of paths, UUIDs and large ints. That runs pending signal handlers in the
middle of it, and their exceptions (Ctrl-C, a timeout) were cleared with capture's own errors. Values are now read from
storage.
"""

import pytest
from conftest import RunProgram


@pytest.mark.parametrize(
    "value",
    [
        "pathlib.Path('/srv/data/x')",
        "uuid.uuid4()",
        "decimal.Decimal('1.5')",
        "range(10)",
        "1 + 2j",
        "2 ** 200",
        "ValueError('text')",
        "Color.RED",
        "datetime.timedelta(1)",
        "[{'deep': (decimal.Decimal(1), uuid.UUID(int=7))}]",
    ],
)
def test_every_exception_of_a_signal_handler_reaches_the_program(run_program: RunProgram, value: str) -> None:
    program = f"""
import datetime, decimal, enum, pathlib, signal, time, uuid
from calltape import monitor

class Color(enum.Enum):
    RED = 1
class Alarm(Exception): pass
armed = False
raised = caught = 0
def handler(number, frame):
    global armed, raised
    if armed:
        armed = False
        raised += 1
        raise Alarm
signal.signal(signal.SIGALRM, handler)

@monitor
def work(argument): return argument

value = {value}
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
until = time.monotonic() + 0.4
while time.monotonic() < until:
    try:
        armed = True
        for _ in range(1000): work(value)
        armed = False
    except Alarm:
        caught += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(raised, caught)
assert raised == caught > 20
"""
    run_program(program)


def test_a_daemon_thread_inside_a_monitored_call_does_not_disturb_the_exit(run_program: RunProgram) -> None:
    """The interpreter unwinds a daemon thread when it exits; the wrapper once stopped that, and the process aborted."""
    program = """
import threading, time
from calltape import monitor
@monitor
def forever():
    while True: inner(); time.sleep(0.001)
@monitor
def inner(): return 1
for _ in range(5): threading.Thread(target=forever, daemon=True).start()
time.sleep(0.1)
"""
    for _ in range(5):
        ended = run_program(program)
        assert ended.stderr == ""
    statuses = ended.tape.rows("SELECT DISTINCT status FROM calls WHERE function LIKE '%forever'")
    assert statuses == [{"status": "interrupted"}]


def test_endless_timeouts_are_taken_as_very_long_ones(run_program: RunProgram) -> None:
    program = """
from calltape import monitor, flush, stop
monitor(lambda: 1, name="m.one")()
assert flush(float("inf")) and flush(float("nan")) in (True, False) and stop(1e300)
"""
    assert len(run_program(program).tape.calls("one")) == 1
