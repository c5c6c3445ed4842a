"""The disk of the tape fills up, by another process, and is emptied again: no exception, no signal, exact books."""

from pathlib import Path

import pytest
from calltape_faults import PRELUDE, assert_every_call_is_accounted_for, reported, small_disk
from conftest import Ended, RunProgram, Tape

FULL = (
    PRELUDE
    + """
folder = os.path.dirname(DB)
call(200)
assert calltape.flush(20)
for _ in range(int(sys.argv[1])):
    opens = calltape.stats().breaker.opens
    other(f"dd if=/dev/zero of={folder}/fill bs=64k; dd if=/dev/zero of={folder}/fill2 bs=512; true")
    until(lambda: calltape.stats().breaker.opens > opens, calls=20)
    error = calltape.stats().breaker.last_error
    call(5000)
    other(f"rm {folder}/fill {folder}/fill2")
    until(lambda: calltape.flush(0.5))
    assert calltape.stats().breaker.state == "closed"
report(held=error)
"""
)


@pytest.mark.parametrize("journal", ["2MiB", "6MiB"])
def test_a_full_disk_costs_no_call_that_is_not_counted(run_program: RunProgram, tmp_path: Path, journal: str) -> None:
    with small_disk(tmp_path / "disk", "16m") as disk:
        settings = {
            "CALLTAPE_DB": str(disk / "calls.db"),
            "CALLTAPE_JOURNAL_LIMIT": journal,
            "CALLTAPE_BREAKER_TIMEOUT": "200ms",
        }
        ended = run_program(FULL, "3", env=settings)
        ended = Ended(ended.returncode, ended.stdout, ended.stderr, Tape(disk / "calls.db"))
        figures = reported(ended)
        assert "full" in figures["held"], figures
        account = assert_every_call_is_accounted_for(ended, figures["made"])
        assert account["stored"] > 600
        incidents = ended.tape.rows("SELECT kind, sum(times) AS times FROM incidents GROUP BY 1 ORDER BY 1")
        assert {"kind": "database unreachable", "times": 3} in incidents, incidents
        said = [line for level, line in figures["lines"] if "cannot be written" in line]
        assert said, figures["lines"]
        assert "free some space on its disk" in said[0]
        assert not list(disk.glob("calls.db.quarantine-*"))
