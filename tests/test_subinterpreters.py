"""A sub-interpreter is left alone: nothing of the main interpreter's recording gets into it, nor the other way round.

The hook behind `copy_context` stands in a definition that all interpreters share. Run by another one, it put the main
interpreter's context variable into that one's contexts, counted under another lock, and took that one's `asyncio.Task`
for the only one there is, so that the main interpreter's tasks lost their parents.
"""

import pytest
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


# What each program begins with: `inside` runs a text in a new sub-interpreter and gives the error's text, or None. By
# default such an interpreter has a lock of its own from 3.12 on; one like those of mod_wsgi shares the main one's.
BEGIN = """
import os, sys, threading
from calltape import flush, monitor, stats
try:
    import _interpreters
except ImportError:
    import _xxsubinterpreters as _interpreters
def made(shares):
    if not shares: return _interpreters.create()
    if sys.version_info >= (3, 13): return _interpreters.create("legacy")
    return _interpreters.create(isolated=False)
def inside(text, shares):
    other = made(shares)
    try:
        run = getattr(_interpreters, "exec", None) or _interpreters.run_string
        problem = run(other, text)
        return problem and problem.formatted
    except Exception as failure:
        return str(failure)
    finally:
        _interpreters.destroy(other)
@monitor
def work(n): return n
"""


@pytest.mark.parametrize("shares", [False, True])
def test_an_import_there_is_refused_in_words_and_changes_nothing_here(run_program: RunProgram, shares: bool) -> None:
    program = f"""{BEGIN}
work(1)
for _ in range(3):
    problem = inside("import calltape", {shares})
    assert "does not support loading in subinterpreters" in problem, problem
    problem = inside("try: import calltape\\nexcept ImportError: pass\\nelse: raise AssertionError", {shares})
    assert problem is None, problem
    work(2)
assert flush(20) and stats().faults == 0
"""
    tape = run_program(program, env={"PYTHONWARNINGS": "ignore"}).tape
    assert [call["args"] for call in tape.calls("work")] == ['{"n":1}'] + ['{"n":2}'] * 3


def test_sub_interpreters_come_and_go_while_threads_record(run_program: RunProgram) -> None:
    program = f"""{BEGIN}
going, made_calls = True, [0] * 3
def record(number):
    while going:
        work(number * 1_000_000_000 + made_calls[number]); made_calls[number] += 1
        if made_calls[number] % 16 == 0: threading.Event().wait(0.001)
threads = [threading.Thread(target=record, args=[number], daemon=True) for number in range(3)]
for thread in threads: thread.start()
TEXT = "import contextvars\\ncontextvars.copy_context()\\n" \\
    "try: import calltape\\nexcept ImportError: pass\\n"
for n in range(20):
    problem = inside(TEXT, n % 2)
    assert problem is None, problem
going = False
for thread in threads: thread.join()
assert flush(60)
print(sum(made_calls))
"""
    ended = run_program(program, env={"PYTHONWARNINGS": "ignore"})
    rows = ended.tape.rows("SELECT count(*) AS n, count(DISTINCT args) AS numbers FROM calls WHERE status = 'ok'")
    assert rows == [{"n": int(ended.stdout), "numbers": int(ended.stdout)}]


def test_a_fork_in_a_sub_interpreter_leaves_the_drain_working(run_program: RunProgram) -> None:
    """The hook behind `os.fork` stands in a definition that all interpreters share. The child is ended by CPython
    itself, which knows only the main interpreter after a fork.
    """
    program = f"""{BEGIN}
import resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
work(1)
problem = inside("import os\\npid = os.fork()\\nif pid == 0: os._exit(0)\\nos.waitpid(pid, 0)", True)
assert problem is None, problem
work(2)
assert flush(20) and stats().faults == 0
"""
    assert len(run_program(program, env={"PYTHONWARNINGS": "ignore"}).tape.calls("work")) == 2
