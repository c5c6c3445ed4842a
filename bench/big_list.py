"""A 10-million-item list as an argument: what it adds to a call, and what memory its capture takes.

The list is summarised, not copied; this shows that nothing walks it. The time is over the bare call with the same list.
For the memory a worker runs with glibc's allocator set to take every block of 64 KiB or more from the kernel by itself,
and asks it for the largest total of such blocks; a worker that holds the same list and passes ten items of it is the
yardstick, so that the drain's own buffers do not count.
"""

import ctypes
import json
import os
import re
import statistics
import sys
import tempfile
import time
from itertools import repeat
from pathlib import Path

from bench.figures import Measured
from bench.processes import Scale, answer, measured, scratch

ITEMS = 10_000_000
FEW = 10

# Calls in one slice; the slices alternate between bare and recorded.
CALLS = 400
SLICES = 5

# Blocks of at least so many bytes are mapped, and so show in the allocator's maximum (glibc, mallopt(3)).
LARGE = 64 * 1024


def length(items: list[int]) -> int:
    """The function that is called."""
    return len(items)


def large_blocks_at_most() -> int:
    """Bytes in large blocks at the highest point of this process's life, as glibc's `malloc_stats` prints it."""
    with tempfile.TemporaryFile() as printed:
        stderr = os.dup(2)
        os.dup2(printed.fileno(), 2)
        try:
            ctypes.CDLL(None).malloc_stats()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        printed.seek(0)
        most = re.search(rb"max mmap bytes\s*=\s*(\d+)", printed.read())
    return int(most[1]) if most else 0


def work(db: Path, count: int) -> None:
    """The worker: the cost of a call with a list of so many items, and the large blocks it took."""
    import calltape

    everything = list(range(ITEMS))  # in both workers, so that the highest point means the same in both
    items = everything[:count] if count < ITEMS else everything
    before = large_blocks_at_most()
    calltape.start(db)
    recorded = calltape.monitor()(length)
    added = []
    for _ in range(SLICES):
        times = []
        for function in (length, recorded):
            began = time.perf_counter_ns()
            for _ in repeat(None, CALLS):
                function(items)
            times.append((time.perf_counter_ns() - began) / CALLS)
        added.append(times[1] - times[0])
    if not calltape.flush(timeout=60) or calltape.stats().dropped:
        raise RuntimeError("calls were lost while the big list was measured")
    print(json.dumps({"added_us": statistics.median(added) / 1000, "large": large_blocks_at_most() - before}))


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """Added time a call, and memory beyond what a short list takes."""
    added, memory, short = [], [], []
    allocator = {"GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={LARGE}:glibc.malloc.mmap_max=1000000"}
    for turn in range(scale.process_rounds):
        with scratch() as directory:
            big = answer("bench.big_list", directory / "big.db", ITEMS, extra=allocator)
            few = answer("bench.big_list", directory / "few.db", FEW, extra=allocator)
        if turn or scale.process_rounds == 1:
            added.append(big["added_us"])
            short.append(few["added_us"])
            memory.append(max(0, big["large"] - few["large"]) / 1024)
    figures = [measured("big list", added), measured("big list, memory", memory)]
    return figures, [f"a list of {FEW} items adds {statistics.median(short):.2f} us a call"]


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]))
