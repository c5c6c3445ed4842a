"""Resident memory that calltape adds to a process: idle, and at the highest point with a caller at full speed.

Two programs that differ in nothing but calltape; the kernel's own figure for each (VmRSS idle, VmHWM at full speed),
mapped journal pages included.
"""

import json
import sys
import time
from pathlib import Path

from bench.figures import Measured
from bench.processes import Scale, answer, measured, scratch

# Seconds until the process counts as idle: the drain has finished its first work.
IDLE = 1.0


def resident_mib(field: str) -> float:
    """A field of /proc/self/status in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the kernel reports no {field}")


def work(variant: str, db: Path, calls: int) -> None:
    """The worker: idle memory after one call, then the highest point of many."""

    def add(a: int, b: int) -> int:
        return a + b

    if variant == "with":
        import calltape

        calltape.start(db, on_full="block", block_timeout=120)
        add = calltape.monitor()(add)
    add(3, 4)
    time.sleep(IDLE)
    idle = resident_mib("VmRSS")
    for number in range(calls):
        add(number, 4)
    print(json.dumps({"idle": idle, "full speed": resident_mib("VmHWM")}))


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """The difference between the two programs."""
    idle, busy = [], []
    for _ in range(scale.process_rounds):
        with scratch() as directory:
            without = answer("bench.memory", "without", directory / "none.db", scale.throughput_calls)
            got = answer("bench.memory", "with", directory / "calls.db", scale.throughput_calls)
        idle.append(got["idle"] - without["idle"])
        busy.append(got["full speed"] - without["full speed"])
    return [measured("memory, idle", idle), measured("memory, full speed", busy)], []


if __name__ == "__main__":
    work(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
