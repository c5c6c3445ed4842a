"""`sample_rate="auto"`: seldom called functions are kept whole, hot ones by how often they are called.

The rates themselves are tested with a clock that is passed in (`calltape-engine`, `sampling`).
"""

from conftest import RunProgram


def test_auto_keeps_what_is_called_seldom_and_samples_what_is_hot(run_program: RunProgram) -> None:
    program = """
import time
from calltape import monitor
@monitor(sample_rate="auto")
def seldom(n): return n
@monitor(sample_rate="auto")
def hot(n): return helper(n)
@monitor
def helper(n): return n
begin = time.monotonic()
n = beats = 0
while (now := time.monotonic() - begin) < 1.5:
    hot(n); n += 1
    if now > beats * 0.15:
        beats += 1
        seldom(n)
"""
    tape = run_program(program).tape
    books = tape.accounting()
    seldom, hot = books["seldom"], books["hot"]
    assert hot["calls"] > 20_000, "a machine this slow cannot tell"
    assert seldom["stored"] == seldom["calls"] > 5
    # The first tenth of a second is kept whole, for nothing is known yet.
    assert hot["stored"] < hot["calls"] / 3
    assert hot["sampled_out"] + hot["stored"] == hot["calls"]
    hottest = [call["weight"] for call in tape.calls("hot")]
    assert hottest[0] == 1.0
    assert max(hottest) > 50
    assert all(weight * 8 == int(weight * 8) for weight in hottest)
    kept = {call["id"]: call["weight"] for call in tape.calls("hot")}
    helpers = tape.calls("helper")
    assert {call["parent_id"]: call["weight"] for call in helpers} == kept


def test_a_function_that_is_made_anew_each_time_is_known_by_its_place(run_program: RunProgram) -> None:
    program = """
import time
from calltape import monitor
def made():
    @monitor(sample_rate="auto")
    def inner(n): return n
    return inner
end = time.monotonic() + 1.0
while time.monotonic() < end: made()(1)
"""
    [book] = run_program(program).tape.accounting().values()
    assert book["stored"] < book["calls"] / 2


def test_a_seldom_called_auto_function_decides_nothing_for_what_it_calls(run_program: RunProgram) -> None:
    program = """
import time
from calltape import monitor
@monitor(sample_rate="auto")
def main():
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        for n in range(100): hot(n); one(n)
@monitor(sample_rate="auto")
def hot(n): return n
@monitor(sample_rate=0.01)
def one(n): return n
main()
"""
    books = run_program(program).tape.accounting()
    assert books["main"]["stored"] == 1
    for name in ("one", "hot"):
        assert books[name]["sampled_out"] > books[name]["calls"] / 2
