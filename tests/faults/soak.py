"""Ten million calls in one process, and how its resident memory and its journal went: `make test-memory` runs it.

    python -m faults.soak CALLS

Prints a line at each tenth of the way. Ends with 1 when memory has grown by more than 1 MiB over the second half, or a
call is neither stored nor counted.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import calltape

# KiB of resident memory that the second half may add: pages of the journal and of SQLite's cache come and go.
ALLOWED_KIB = 1024


@calltape.monitor
def work(number: int, text: str) -> int:
    return number


def resident_kib() -> int:
    """What the process holds of its own, without the journal's pages, which are the file's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def main() -> int:
    calls = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        calltape.start(Path(folder) / "calls.db", on_full="block", retention_size="64MiB")
        readings = []
        for tenth in range(10):
            for number in range(calls // 10):
                work(number, "some text")
            calltape.flush(60.0)
            figures = calltape.stats()
            readings.append(resident_kib())
            print(
                f"{(tenth + 1) * calls // 10:>12,} calls  {readings[-1]:>8,} KiB  journal {figures.journal_bytes:,} B"
            )
        grown = readings[-1] - readings[4]
        whole = figures.recorded == figures.stored + figures.sampled_out + figures.dropped
        print(f"the second half added {grown} KiB; {figures.recorded:,} recorded, {figures.dropped:,} dropped")
        calltape.stop(30.0)
        return 0 if grown <= ALLOWED_KIB and whole else 1


if __name__ == "__main__":
    sys.exit(main())
