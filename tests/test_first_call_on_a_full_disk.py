"""A function called for the first time while the disk is full: its calls are counted, and cost next to nothing.

The failure there was: the function's definition could not be written, so each of its calls tried to write it again and
was neither stored nor counted. The damage: calls lost silently, and a failing system call for each of them.
"""

import json

from conftest import RunProgram

PROGRAM = """
import json, os, sys, time
import calltape
from calltape import monitor
from faults import Faults

@monitor()
def known(n): return n
@monitor()
def unknown(n): return n

known(0)
assert calltape.flush(10)
shim = Faults()
shim.calls(0, 28, names=("write", "pwrite", "fallocate"), forever=True, threads="this")
for n in range(2000): unknown(n)
failed = shim.off().failed_calls
time.sleep(0.3)
unknown("again")
assert calltape.flush(10)
figures = calltape.stats()
json.dump([figures.recorded, figures.dropped, figures.stored, failed], sys.stdout)
"""


def test_calls_of_a_function_that_cannot_be_defined_are_counted_and_try_seldom(
    run_program: RunProgram, fault_environment: dict[str, str]
) -> None:
    ended = run_program(PROGRAM, env=fault_environment)
    recorded, dropped, stored, failed = json.loads(ended.stdout)
    assert (recorded, dropped, stored) == (2002, 2000, 2)
    assert 0 < failed < 100
    assert [json.loads(row["args"]) for row in ended.tape.calls("unknown")] == [{"n": "again"}]
    books = ended.tape.accounting()
    assert (books["unknown"]["calls"], books["unknown"]["stored"]) == (1, 1)
    assert books["(more functions)"]["dropped"] == books["(more functions)"]["calls"] == 2000


FAILING = """
import asyncio, json, os, sys, time
import calltape
from calltape import monitor, span
from faults import Faults

@monitor()
def known(n): return n
@monitor()
def fails(n): raise ValueError(n)
@monitor()
def passes(n): return fails(n)
@monitor()
async def fails_later(n):
    await asyncio.sleep(0)
    raise OSError(n)
@monitor()
def items(n):
    yield n
    raise EOFError
def attempt(work, *given):
    try: work(*given)
    except (ValueError, OSError, EOFError, KeyError): pass
def block():
    with span("a block"): raise KeyError

known(0)
assert calltape.flush(10)
shim = Faults()
shim.calls(0, 28, names=("write", "pwrite", "fallocate"), forever=True, threads="this")
for n in range(10): attempt(passes, n)
for n in range(5): attempt(lambda: asyncio.run(fails_later(n)))
for n in range(3): attempt(lambda: list(items(n)))
for n in range(2): attempt(block)
shim.off()
figures = calltape.stats()
json.dump([figures.recorded, figures.dropped, figures.dropped_errors, figures.in_flight, figures.faults], sys.stdout)
time.sleep(0.3)
attempt(fails, "again")
"""


def test_their_errors_are_counted_by_kind_and_their_time_is_in_the_minutes(
    run_program: RunProgram, fault_environment: dict[str, str]
) -> None:
    """There, such a call was counted at its beginning only: its error was nowhere, and its time neither."""
    ended = run_program(FAILING, env=fault_environment)
    assert json.loads(ended.stdout) == [31, 30, 30, 0, 0]
    lost = ended.tape.rows("SELECT function, error_type, place, sum(calls) AS n FROM lost_errors GROUP BY 1, 2, 3")
    assert {(row["function"], row["error_type"], row["place"]): row["n"] for row in lost} == {
        ("(more functions)", "ValueError", "fails"): 20,
        ("(more functions)", "OSError", "fails_later"): 5,
        ("(more functions)", "EOFError", "items"): 3,
        ("(more functions)", "KeyError", "block"): 2,
    }
    [failed] = ended.tape.calls("fails")
    assert (failed["status"], failed["error_message"]) == ("error", "again")
    minutes = ended.tape.rows(
        "SELECT sum(calls) AS calls, sum(errors) AS errors, sum(dropped) AS dropped, sum(total_ns) > 0 AS timed"
        " FROM function_minutes WHERE function = '(more functions)'"
    )
    assert minutes == [{"calls": 30, "errors": 30, "dropped": 30, "timed": 1}]
