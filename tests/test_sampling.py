"""What a sample rate keeps and what it says of the rest: the books, the weights, the figures by the minute."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import RunProgram


def test_the_books_balance_at_every_rate(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
made = {}
for rate in (0.0, 0.25, 1.0):
    @monitor(sample_rate=rate, name=f"rate.r{int(rate * 100)}")
    def work(n): return n
    for n in range(4000): assert work(n) == n
"""
    tape = run_program(program).tape
    books = tape.accounting()
    assert (books["r0"]["calls"], books["r0"]["stored"], books["r0"]["sampled_out"]) == (4000, 0, 4000)
    assert (books["r100"]["calls"], books["r100"]["stored"], books["r100"]["sampled_out"]) == (4000, 4000, 0)
    quarter = books["r25"]
    assert quarter["stored"] + quarter["sampled_out"] == quarter["calls"] == 4000
    # Binomial(4000, 0.25): 7 standard deviations of 27.4 either side, wrong once in 10^11 runs.
    assert 800 < quarter["stored"] < 1200
    assert {call["weight"] for call in tape.calls("r25")} == {4.0}
    assert {call["weight"] for call in tape.calls("r100")} == {1.0}
    minutes = tape.rows("SELECT sum(calls) AS calls, sum(sampled_out) AS sampled_out FROM function_minutes")
    assert minutes == [{"calls": 12000, "sampled_out": 4000 + quarter["sampled_out"]}]


def test_the_weights_add_up_to_the_calls_though_errors_and_slow_calls_are_always_kept(run_program: RunProgram) -> None:
    program = """
import time
from calltape import monitor
@monitor(sample_rate=0.1, keep_slower_than=0.002)
def work(n):
    if n % 10 == 0: raise ValueError(n)
    if n % 100 == 1: time.sleep(0.003)
    return below(n)
@monitor
def below(n): return n
for n in range(20_000):
    try: work(n)
    except ValueError: pass
"""
    tape = run_program(program).tape
    weights = {row["status"]: row for row in tape.rows(WEIGHTS, "%.work")}
    assert weights["error"] == {"status": "error", "calls": 2000, "weight": 2000.0}
    certain, drawn = tape.rows(CERTAIN, "%.work"), tape.rows(DRAWN, "%.work")
    assert certain[0]["calls"] >= 200  # the slow ones; a stalled machine makes more
    quick = 18_000 - certain[0]["calls"]
    # Binomial(quick, 0.1) calls of weight 10: a standard deviation is 10 * sqrt(17800 * 0.09) = 400 calls.
    assert abs(drawn[0]["weight"] - quick) < 7 * 400
    below = tape.rows(WEIGHTS, "%.below")
    assert abs(below[0]["weight"] - 18_000) < 7 * 410, below


def test_a_kept_call_that_raises_stands_for_itself_alone(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor(sample_rate=0.5)
def work(n): below(n)
@monitor
def below(n):
    if n % 2: raise ValueError(n)
for n in range(400):
    try: work(n)
    except ValueError: pass
"""
    tape = run_program(program).tape
    failed = [call for call in tape.calls() if call["status"] == "error"]
    assert len(failed) == 400  # both functions at each odd number
    assert {call["weight"] for call in failed} == {1.0}
    assert {call["weight"] for call in tape.calls() if call["status"] == "ok"} == {2.0}
    late = [call for call in failed if "(taken at end)" in call["args"]]
    assert 100 < len(late) < 300  # Binomial(200, 0.5) times two; 7 standard deviations of 14


def test_the_figures_by_the_minute_are_exact_at_any_rate(run_program: RunProgram) -> None:
    program = """
import time
from calltape import monitor
@monitor(sample_rate=0.01)
def work(n):
    if n % 50 == 0: raise ValueError
    if n % 1000 == 1: time.sleep(0.02)
for n in range(20_000):
    try: work(n)
    except ValueError: pass
"""
    tape = run_program(program).tape
    book = tape.accounting()["work"]
    assert (book["calls"], book["dropped"], book["unknown"]) == (20_000, 0, 0)
    sums = "SELECT sum(calls) AS calls, sum(errors) AS errors, sum(sampled_out) AS sampled_out, sum(total_ns) AS ns"
    [minutes] = tape.rows(f"{sums} FROM function_minutes")
    assert (minutes["calls"], minutes["errors"]) == (20_000, 400)
    assert minutes["sampled_out"] == book["sampled_out"] > 18_000
    assert minutes["ns"] > 20 * 20_000_000  # what the sleeping calls took, whether they are kept or not
    counted = sum(histogram_total(row["latency"]) for row in tape.rows("SELECT latency FROM function_minutes"))
    assert counted == 20_000


WEIGHTS = "SELECT status, count(*) AS calls, sum(weight) AS weight FROM calls WHERE function LIKE ? GROUP BY status"
CERTAIN = "SELECT count(*) AS calls FROM calls WHERE function LIKE ? AND status = 'ok' AND weight = 1"
DRAWN = "SELECT sum(weight) AS weight FROM calls WHERE function LIKE ? AND status = 'ok' AND weight > 1"


def histogram_total(encoded: bytes) -> int:
    """The values counted in `function_minutes.latency`: a format byte, then steps and counts as LEB128."""
    numbers: list[int] = []
    number = shift = 0
    for byte in encoded[1:]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
    return sum(numbers[1::2])


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "half", "AUTO", True, None])
def test_a_rate_that_is_none_is_refused_at_decoration(rate: object) -> None:
    from calltape import monitor

    with pytest.raises(ValueError, match=r"sample_rate must be a number from 0\.0 to 1\.0, or \"auto\", not "):
        monitor(sample_rate=rate)  # type: ignore[call-overload]


@pytest.mark.parametrize("time", [0, -1.0, True, "fast", "5 parsecs", "", "1e3s", timedelta(0), float("nan"), 1e12])
def test_a_time_that_is_none_is_refused_at_decoration(time: object) -> None:
    from calltape import monitor

    with pytest.raises(ValueError, match="keep_slower_than must be a time above 0") as refused:
        monitor(keep_slower_than=time)  # type: ignore[call-overload]
    assert repr(time) in str(refused.value)


@pytest.mark.parametrize("time", [0.05, 1, "50ms", "0.05s", " 50 ms ", "1min", ".5h", timedelta(milliseconds=50), None])
def test_a_time_is_taken_as_seconds_text_or_timedelta(time: Any) -> None:
    from calltape import monitor

    assert monitor(keep_slower_than=time, sample_rate="auto")(lambda: 7)() == 7
