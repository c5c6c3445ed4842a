"""The fault shim itself: it fails what it is told to fail, in calltape's extension and nowhere else."""

import json
from collections.abc import Callable
from pathlib import Path

import faults
import pytest
from conftest import Ended

PROGRAM = """
import json, sys
import calltape
from faults import Faults

shim = Faults()
shim.allocations(); shim.calls()
calltape.start()
seen = shim.off()
shim.calls({nth}, 28, names=("pread", "pwrite", "fdatasync", "fsync"), forever=True)
open({other!r}, "wb", buffering=0).write(b"the program's own calls pass")
monitored = calltape.monitor(abs)
monitored(3)
flushed = calltape.flush(0.5)
failing = shim.off()
json.dump([seen.allocations, seen.calls, flushed, failing.failed_calls], sys.stdout)
"""


@pytest.mark.parametrize("nth", [-1, 0])
def test_calls_of_the_extension_fail_and_those_of_the_program_do_not(
    nth: int, run_program: Callable[..., Ended], fault_environment: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    ended = run_program(PROGRAM.format(nth=nth, other=str(other)), env=fault_environment)
    allocations, calls, flushed, failed = json.loads(ended.stdout)
    assert allocations > 100
    assert calls > 10
    assert other.read_bytes() == b"the program's own calls pass"
    assert (flushed, failed > 0) == ((True, False) if nth < 0 else (False, True))


def test_a_plan_of_the_environment_is_in_force_before_the_program_makes_one(
    run_program: Callable[..., Ended], fault_library: Path
) -> None:
    planned = faults.environment(fault_library, "calls=mkdir 0 13 forever")
    program = "import calltape, os; calltape.monitor(abs)(3); print(os.path.exists(os.environ['CALLTAPE_DB']))"
    ended = run_program(program, env=planned)
    assert ended.stdout.strip() == "False"
