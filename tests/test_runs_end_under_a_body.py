"""A run may end, and the next one begin, while bodies of the first are running or wait: the next one's tree is its own.

A body that gave control back put its caller's place back, which was one in the ended run: calls of the new run got a
parent there. And an object of the ended run that was freed inside a call of the new one made the thread forget that
call: its end was lost, as were calls after it, for the room kept for ends was no number any more.
"""

from conftest import RunProgram

HEAD = """
import os, sys, calltape
from calltape import monitor
def again():
    calltape.stop()
    calltape.start(db=os.environ["CALLTAPE_DB"])
@monitor
def leaf(how): pass
"""


def test_after_a_body_that_changed_the_run_a_call_has_no_parent_in_the_ended_one(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
@monitor
def steps():
    yield
    again(); leaf("inside")
    yield
@monitor
def outer():
    stepping = steps()
    next(stepping); next(stepping)
    leaf("after")
outer()
leaf("outside")
"""
    )
    tape = run_program(program).tape
    assert [(call["args"], call["parent_id"]) for call in tape.calls("leaf")] == [
        ('{"how":"inside"}', None),
        ('{"how":"after"}', None),
        ('{"how":"outside"}', None),
    ]


def test_an_object_of_an_ended_run_is_freed_inside_a_call_of_the_next(run_program: RunProgram) -> None:
    program = (
        HEAD
        + """
kept = []
sys.set_asyncgen_hooks(finalizer=kept.append)
@monitor
async def items(): yield 1
made = items()
try: made.__anext__().send(None)
except StopIteration: pass
del made
assert len(kept) == 1
again()
@monitor
def freeing():
    kept.clear()
    leaf("inside")
freeing()
leaf("after")
assert calltape.stats().faults == 0
"""
    )
    tape = run_program(program).tape
    (freeing,) = tape.calls("freeing")
    assert freeing["status"] == "ok"
    assert [(call["status"], call["parent_id"]) for call in tape.calls("leaf")] == [("ok", freeing["id"]), ("ok", None)]
