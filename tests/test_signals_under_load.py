"""A signal a thousand times a second, whose handler calls monitored functions in the middle of others: no gap, no
deadlock. `CALLTAPE_SIGNAL_CALLS` sets how many calls the main program makes.
"""

import os

import pytest
from conftest import RunProgram

CALLS = int(os.environ.get("CALLTAPE_SIGNAL_CALLS", "100000"))

PROGRAM = f"""
import faulthandler, itertools, json, signal, sys, time
faulthandler.dump_traceback_later(250, exit=True)
import calltape
from calltape import flush, monitor, start, stats

class Shown:
    def __calltape__(self): return {{"shown": inside("__calltape__")}}

shown = 0
@monitor
def inside(what):
    # Called by capture itself, to show an object: such calls are passed through and counted.
    global shown
    shown += 1
    return what
@monitor
def outer(n, value): return inner(n)
@monitor
def inner(n): return n
@monitor
def handled(n): return helper(n)
@monitor
def helper(n): return n
@monitor
def generates(n): yield inner(n)

# A handler may interrupt a handler: one step takes a number.
numbers = itertools.count()
def handler(number, frame): handled(next(numbers))

start(on_full="block", block_timeout=60)
signal.signal(signal.SIGALRM, handler)
values = [[1, 2, 3], {{"a": "b" * 50}}, Shown(), 1.5, None, ValueError("v")]
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
begun = time.monotonic()
n = 0
while n < {CALLS}:
    outer(n, values[n % len(values)])
    n += 1
    if n % 100 == 0: list(generates(n))
    if n % 10_000 == 0: flush(60)
    if n % 10_000 == 1: stats()
signal.setitimer(signal.ITIMER_REAL, 0)
lasted = time.monotonic() - begun
assert flush(60)
figures = stats()
assert figures.faults == 0 and figures.dropped == 0, figures
print(json.dumps([n, next(numbers), shown, figures.reentrant, lasted]))
"""


@pytest.mark.timeout(280)
def test_calls_of_a_signal_handler_are_recorded_among_those_that_it_interrupts(run_program: RunProgram) -> None:
    ended = run_program(PROGRAM)
    assert ended.stderr == ""
    made, handlers, shown, reentrant, _lasted = map(float, ended.stdout.strip().strip("[]").split(","))
    tape = ended.tape
    assert handlers > 50
    # While capture runs the program's own code its calls are passed through: those of the objects, and of handlers that
    # come in just then, each of which calls once and is called on by nobody recorded.
    passed = reentrant - shown
    assert 0 <= passed <= 2 * handlers

    def numbers(function: str) -> list[int]:
        rows = tape.rows(
            "SELECT args ->> 'n' AS n FROM calls WHERE function = ? AND status = 'ok' ORDER BY id", function
        )
        return [row["n"] for row in rows]

    assert numbers("__main__.outer") == list(range(int(made)))
    handled, helped = numbers("__main__.handled"), numbers("__main__.helper")
    assert len(handled) == len(set(handled))
    assert len(helped) == len(set(helped))
    assert 2 * handlers - passed == len(handled) + len(helped)
    assert len(numbers("__main__.inner")) == made + made // 100
    # A handler's call has the call that it interrupted as its parent, or none.
    wrong = """SELECT count(*) AS n FROM calls AS below JOIN calls AS above ON above.id = below.parent_id
        WHERE below.started_ns < above.started_ns
           OR below.started_ns + below.duration_ns > above.started_ns + above.duration_ns"""
    assert tape.rows(wrong) == [{"n": 0}]
    assert tape.rows("SELECT count(*) AS n FROM calls WHERE status != 'ok'") == [{"n": 0}]
