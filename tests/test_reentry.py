"""Calls that calltape's own work sets off are passed through and counted, never recorded inside another record."""

from conftest import RunProgram


def test_a_finaliser_run_by_an_allocation_of_the_capture_is_passed_through(run_program: RunProgram) -> None:
    program = """
import decimal, gc, pathlib
from calltape import monitor, stats

@monitor
def finaliser(): return "inside"
class Dying:
    def __del__(self): finaliser()
@monitor
def work(value): return value

gc.set_threshold(1, 1, 1)
for n in range(3000):
    dying = Dying(); dying.me = dying; del dying
    assert work([{n}, decimal.Decimal(n), pathlib.Path(str(n)), range(n)]) is not None
gc.collect()
figures = stats()
print(figures.reentrant, figures.faults)
assert figures.recorded + figures.reentrant == 6000, figures
"""
    ended = run_program(program)
    book = ended.tape.accounting()
    assert book["work"]["stored"] == 3000
    reentrant, faults = map(int, ended.stdout.split())
    assert faults == 0
    assert book["finaliser"]["stored"] == 3000 - reentrant
    assert all(call["result"] for call in ended.tape.calls())


def test_a_log_handler_that_calls_a_monitored_function_is_passed_through(run_program: RunProgram) -> None:
    program = """
import logging
from calltape import monitor, stats
@monitor
def shout(text): return text
class Handler(logging.Handler):
    def emit(self, record): print(shout(record.getMessage())[:10])
logging.getLogger("calltape").addHandler(Handler())
shout("first")
assert stats().reentrant == 1
"""
    ended = run_program(program, env={"CALLTAPE_ON_FULL": "explode"})
    assert [call["args"] for call in ended.tape.calls("shout")] == ['{"text":"first"}']
