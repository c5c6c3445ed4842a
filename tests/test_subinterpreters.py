"""A sub-interpreter is left alone: nothing of the main interpreter's recording gets into it, nor the other way round.

The hook behind `copy_context` stands in a definition that all interpreters share. Run by another one, it put the main
interpreter's context variable into that one's contexts, counted under another lock, and took that one's `asyncio.Task`
for the only one there is, so that the main interpreter's tasks lost their parents.
"""

from conftest import RunProgram

PROGRAM = """
import asyncio
from calltape import monitor
try:
    import _interpreters
except ImportError:
    import _xxsubinterpreters as _interpreters
run = getattr(_interpreters, "exec", None) or _interpreters.run_string
INSIDE = '''
import _asyncio, contextvars
assert list(contextvars.copy_context()) == [], list(contextvars.copy_context())
'''
@monitor
def leaf(): pass
@monitor
def elsewhere():
    other = _interpreters.create()
    problem = run(other, INSIDE)
    _interpreters.destroy(other)
    assert problem is None, problem
async def bare(): leaf()
@monitor
async def parent(): await asyncio.create_task(bare())
elsewhere()
asyncio.run(parent())
"""


def test_a_sub_interpreter_gets_no_context_variable_and_the_main_one_keeps_its_tree(run_program: RunProgram) -> None:
    # 3.13 says of the module that its interface may change.
    tape = run_program(PROGRAM, env={"PYTHONWARNINGS": "ignore"}).tape
    (parent,), (leaf,) = tape.calls("parent"), tape.calls("leaf")
    assert leaf["parent_id"] == parent["id"]
