"""Many random values, captured in both ways, leave no memory behind.

50,000 values; `make deep` sets CALLTAPE_RANDOM_VALUES to a million.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = int(os.environ.get("CALLTAPE_RANDOM_VALUES", "50000"))

# What types' readings, the journal's next segments and the allocator's arenas take once, however many values follow. A
# leak of one object in a hundred values exceeds the first in 50,000, of one in two thousand in a million.
BLOCKS = 500
RESIDENT = 16 * 1024 * 1024


@pytest.mark.timeout(1800)
def test_random_values_leave_no_memory_behind(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "random_values", str(COUNT), "7"],
        env=environment,
        cwd=Path(__file__).parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1700,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    grown = json.loads(done.stdout)
    assert grown["blocks"] < BLOCKS, grown
    assert grown["resident"] < RESIDENT, grown
