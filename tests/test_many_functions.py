"""Functions made over and over are one function on the tape; more functions than a run can name share a row."""

import json

from conftest import RunProgram


def test_a_function_made_anew_each_time_is_one_function(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
def outer(n):
    @monitor
    def inner(value): return value
    return inner(n)
for n in range(20_000): assert outer(n) == n
"""
    tape = run_program(program).tape
    assert [row["name"] for row in tape.rows("SELECT name FROM functions")] == ["__main__.outer.<locals>.inner"]
    assert tape.accounting()["inner"]["stored"] == 20_000


def test_beyond_16383_functions_the_books_still_balance(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
for n in range(16_500): monitor(lambda value: value, name=f"many.f{n}")(n)
"""
    tape = run_program(program).tape
    totals = tape.rows("SELECT sum(calls) AS calls, sum(stored) AS stored, sum(unknown) AS unknown FROM accounting")
    assert totals == [{"calls": 16_500, "stored": 16_500, "unknown": 0}]
    shared = tape.rows("SELECT args FROM calls WHERE function = '(more functions)'")
    assert len(shared) == 16_500 - 16_383
    assert json.loads(shared[0]["args"]) == {"(extra)": 16_383}
