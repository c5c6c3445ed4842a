"""One system call of the background thread's fails, for each of those it makes: a disk that is full, or broken, for a
moment or for a while. The program's calls are as ever, and once the disk is well every one is stored or counted."""

import os
from collections.abc import Callable

import pytest
from calltape_faults import PRELUDE, assert_every_call_is_accounted_for, reported
from conftest import Ended

PROGRAM = (
    PRELUDE
    + """
from faults import Faults

shim = Faults()
call(50)
assert calltape.flush(20)
names, error, forever = sys.argv[1].split("+"), int(sys.argv[2]), sys.argv[3] == "forever"
failed = 0
for nth in range(int(sys.argv[4])):
    shim.calls(nth, error, names=tuple(names), forever=forever, threads="others")
    begun = time.monotonic()
    while time.monotonic() < begun + 0.06:
        call(10)
        time.sleep(0.005)
    failed += shim.off().failed_calls
    until(lambda: calltape.flush(0.5))
report(failed=failed)
"""
)

# How many calls one after the other are made to fail; each round takes half a second.
ROUNDS = "60" if "LONG_TESTS" in os.environ else "12"

WRITING = "write+pwrite+fsync+fdatasync+ftruncate+fallocate"
FINDING = "open+stat+unlink+rename+read+pread+mmap+fcntl"


@pytest.mark.parametrize("how", ["once", "forever"])
@pytest.mark.parametrize(("names", "error"), [(WRITING, 28), (WRITING, 5), (FINDING, 5)])
def test_a_call_that_fails_costs_no_recorded_call(
    run_program: Callable[..., Ended], fault_environment: dict[str, str], names: str, error: int, how: str
) -> None:
    settings = {"CALLTAPE_BREAKER_TIMEOUT": "50ms", "CALLTAPE_FLUSH_INTERVAL": "5ms"}
    ended = run_program(PROGRAM, names, str(error), how, ROUNDS, env=fault_environment | settings)
    figures = reported(ended)
    assert figures["failed"] > int(ROUNDS) // 2
    account = assert_every_call_is_accounted_for(ended, figures["made"])
    assert account["stored"] == figures["made"]
    assert not list(ended.tape.path.parent.glob("calls.db.quarantine-*")), figures["lines"]
    assert [row for row in ended.tape.rows("SELECT * FROM incidents") if row["kind"] == "database set aside"] == []
