"""The tape's times are the clock's: each call lies between the program's own readings, also after a pause."""

import json

from conftest import RunProgram


def test_starts_and_durations_agree_with_the_programs_own_clock(run_program: RunProgram) -> None:
    program = """
import json, threading, time
from calltape import monitor

@monitor
def work(seconds):
    if seconds: time.sleep(seconds)

def measured(seconds):
    before, began = time.time_ns(), time.monotonic_ns()
    work(seconds)
    took = time.monotonic_ns() - began
    print(json.dumps([before, time.time_ns(), took, int(seconds * 1e9)]))

for seconds in (0, 0.06, 0, 0.3, 0, 0.02): measured(seconds)
time.sleep(0.6)
for seconds in (0, 0.1, 0): measured(seconds)
thread = threading.Thread(target=measured, args=(0.01,))
thread.start(); thread.join()
"""
    ended = run_program(program)
    calls = ended.tape.calls("work")
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(calls) == len(told) == 10
    # Unix times come from an offset that is taken anew every 25 ms; the clock may be slewed meanwhile.
    slack_ns = 2_000_000
    # The counter against the kernel's clock: a rate off by 1 in 10,000 would show.
    tolerance = 1e-4
    for call, (before, after, took, slept) in zip(calls, told, strict=True):
        assert before - slack_ns <= call["started_ns"] <= after + slack_ns
        assert slept * (1 - tolerance) <= call["duration_ns"] <= took * (1 + tolerance) + 1000
