"""Sampled-out calls are counted, and a kept call says for how many it stands."""

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


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "half", True, None])
def test_a_rate_that_is_none_is_refused_at_decoration(rate: object) -> None:
    from calltape import monitor

    with pytest.raises(ValueError, match=r"sample_rate must be a number from 0\.0 to 1\.0"):
        monitor(sample_rate=rate)  # type: ignore[call-overload]
