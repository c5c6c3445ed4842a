"""`Tape.diff`: what changed between two times or two runs."""

import dataclasses

import pytest
from conftest import RunProgram

import calltape

# The second run fails in one function, no longer calls another, and has a new one.
PROGRAM = """
import sys, calltape
second = sys.argv[1] == "second"
@calltape.monitor(name="steady")
def steady(): pass
@calltape.monitor(name="failing")
def failing():
    if second: raise ValueError("now it does")
@calltape.monitor(name="second" if second else "first")
def other(): pass
for _ in range(40):
    steady(); other()
    try: failing()
    except ValueError: pass
"""


@pytest.fixture
def tape(run_program: RunProgram) -> calltape.Tape:
    run_program(PROGRAM, "first")
    return calltape.open(run_program(PROGRAM, "second").tape.path)


def test_two_runs_are_compared_function_by_function(tape: calltape.Tape) -> None:
    second, first = tape.runs()
    diff = tape.diff(first, second)
    stands_out = {row.function: row.stands_out for row in diff}
    # How long it takes is the machine's.
    assert stands_out.pop("steady") in (None, "slower", "faster")
    assert stands_out == {"failing": "fails more", "first": "gone", "second": "new"}
    assert (diff.a.calls, diff.b.calls, diff.a.errors, diff.b.errors) == (120, 120, 0, 40)
    failing = next(row for row in diff.standing_out if row.function == "failing")
    assert (failing.a.error_rate, failing.b.error_rate) == (0.0, 1.0)
    assert failing.ratio("calls") == 1.0
    assert failing.ratio("errors") is None
    assert tape.diff(f"run:{first.id}", f"run:{second.id}") == diff
    assert tape.diff(f"run:{first.id:016x}", "run:last") == diff
    assert [row.function for row in tape.diff(first, second, "failing")] == ["failing"]


def test_two_times_are_compared(tape: calltape.Tape) -> None:
    diff = tape.diff(("1h", None), (None, "2000-01-01"))
    assert {row.stands_out for row in diff} == {"gone"}
    assert tape.diff("1h..", "..2000-01-01") == diff
    assert len(tape.diff("2001-01-01..2002-01-01", ("1970-01-01", "2000-01-01"))) == 0


def test_a_comparison_shows_itself(tape: calltape.Tape) -> None:
    second, first = tape.runs()
    lines = repr(tape.diff(first, second)).splitlines()
    assert lines[0].startswith("<Diff of 120 calls and 120 calls: ")
    assert any(line.split()[0] == "failing" and "0 → 40" in line and line.endswith("fails more") for line in lines)
    assert "fails more" in tape.diff(first, second)._repr_html_()


@pytest.mark.parametrize("side", ["2h", "1h..2h..3h", ("1h",), ("1h", "x"), 7, None, "run:shop.py", "run:"])
def test_a_side_that_is_none_is_named(tape: calltape.Tape, side: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^diff: b must be"):
        tape.diff("1h..", side)  # type: ignore[arg-type]


def test_a_run_of_another_tape_is_refused(tape: calltape.Tape) -> None:
    second, first = tape.runs()
    for side in (f"run:{first.id + 1:016x}", dataclasses.replace(first, id=first.id + 1)):
        with pytest.raises(ValueError, match=rf"^diff: a is the run {first.id + 1:016x}, which is not on this tape"):
            tape.diff(side, second)


@pytest.mark.parametrize("side", ["1h..2h", ("1h", "2h")])
def test_a_side_that_ends_before_it_begins_is_refused(tape: calltape.Tape, side: object) -> None:
    with pytest.raises(ValueError, match=r"^diff: b ends before it begins"):
        tape.diff("1h..", side)  # type: ignore[arg-type]
