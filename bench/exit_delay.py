"""How long a process takes to end after its last statement, with calltape idle and with a backlog.

The worker prints the monotonic clock as its last act; the driver reads the same clock when the process is gone. What a
process without calltape takes is subtracted, round by round.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import Measured
from bench.processes import Scale, command, environment, measured, scratch

# Calls that leave more in the journal than the drain can write while they are made.
BACKLOG_CALLS = 400_000

# Seconds after the one call of an idle process, for the drain to finish.
IDLE = 0.3


def work(variant: str, db: Path) -> None:
    """The worker: without calltape, idle, or with a backlog."""
    if variant != "without":
        import calltape

        @calltape.monitor()
        def add(a: int, b: int) -> int:
            return a + b

        calltape.start(db)
        for number in range(BACKLOG_CALLS if variant == "backlog" else 1):
            add(number, 4)
    if variant != "backlog":
        time.sleep(IDLE)
    os.write(1, b"%d\n" % time.monotonic_ns())


def delay_ms(variant: str, db: Path) -> float:
    """Milliseconds from the worker's last statement until it is gone."""
    process = subprocess.Popen(
        command("bench.exit_delay", variant, db),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    last_act = int(process.stdout.readline())
    code = process.wait()
    gone = time.monotonic_ns()
    process.stdout.close()
    if code != 0:
        raise RuntimeError(f"the {variant} worker ended with {code}")
    return (gone - last_act) / 1e6


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """The added delay, idle and with a backlog."""
    idle, backlog, without = [], [], []
    for _ in range(scale.process_rounds):
        with scratch() as directory:
            without.append(delay_ms("without", directory / "none.db"))
            idle.append(delay_ms("idle", directory / "idle.db") - without[-1])
            backlog.append(delay_ms("backlog", directory / "backlog.db") - without[-1])
    figures = [measured("exit, idle", idle), measured("exit, backlog", backlog)]
    return figures, [f"backlog: {BACKLOG_CALLS:,} calls at full speed, then exit"]


if __name__ == "__main__":
    work(sys.argv[1], Path(sys.argv[2]))
