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
