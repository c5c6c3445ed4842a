"""`python -m torture`: every fault in turn, one table at the end. Exit code 1 when anything was wrong.

Called by `make torture` and `make torture-short`. The seed is printed; with it and `--only`, a run can be repeated, but
for what the kernel's scheduler decides. The folder of a round that went wrong is kept and named.
"""

import argparse
import random
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .fault import Fault
from .faults import FAULTS
from .oracle import Verdict
from .stage import SkippedError, Stage

HEAD = ("fault", "rounds", "calls made", "stored", "counted as lost", "removed", "unknown", "wrong", "seconds")


@dataclass
class Line:
    """A line of the table."""

    fault: str
    rounds: int = 0
    total: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0
    skipped: str = ""

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        if self.skipped:
            return (self.fault, "skipped:", self.skipped)
        total = self.total
        figures = (self.rounds, total.made, total.stored, total.lost, total.removed, total.unknown)
        return (self.fault, *(f"{figure:,}" for figure in figures), f"{len(self.total.wrong):,}", f"{self.seconds:.0f}")


def run_fault(stage: Stage, fault: Fault, only: int | None, jobs: int) -> Line:
    """All rounds of one fault. An exception is something wrong too; the rounds after it are made all the same."""
    line, began = Line(fault.name), time.monotonic()
    numbers = [only] if only is not None else range(stage.scale(fault.rounds, fault.short_rounds))
    with ThreadPoolExecutor(jobs) as pool:
        for verdict in pool.map(lambda number: run_round(stage, fault, number), numbers):
            if isinstance(verdict, SkippedError):
                line.skipped = str(verdict)
                continue
            line.rounds += fault.counts
            line.total += verdict
    line.seconds = time.monotonic() - began
    return line


def run_round(stage: Stage, fault: Fault, number: int) -> Verdict | SkippedError:
    """One round, and its folder away unless something is wrong."""
    place = stage.round(fault.name, number)
    try:
        verdict = fault.run(place)
    except SkippedError as reason:
        stage.clear(place)
        return reason
    except Exception:
        verdict = Verdict(wrong=[traceback.format_exc()])
    finally:
        stage.stop_programs()
    if verdict.wrong:
        stage.keep = True
        print(f"\n{fault.name}, round {number}, kept in {place.folder}:\n{verdict}", file=sys.stderr, flush=True)
    else:
        stage.clear(place)
    return verdict


def table(lines: list[Line]) -> str:
    """The table, a line a fault."""
    whole = [line.cells() for line in lines if not line.skipped]
    widths = [max(len(row[column]) for row in [HEAD, *whole]) for column in range(len(HEAD))]
    widths[0] = max(widths[0], *(len(line.fault) for line in lines))

    def text(row: tuple[str, ...]) -> str:
        if len(row) < len(HEAD):
            return f"{row[0].ljust(widths[0])}  {' '.join(row[1:])}"
        return "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )

    return "\n".join(text(row) for row in [HEAD, tuple("-" * width for width in widths), *(x.cells() for x in lines)])


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m torture", description="Faults made on purpose, and what they cost."
    )
    parser.add_argument("--short", action="store_true", help="about three minutes instead of fifteen")
    parser.add_argument("--only", action="append", choices=[fault.name for fault in FAULTS], help="may be repeated")
    parser.add_argument("--round", type=int, metavar="N", help="this round alone")
    parser.add_argument("--seed", type=int, default=None, help="the seed of another run, to repeat it")
    parser.add_argument("--jobs", type=int, default=2, help="rounds at a time (default: 2)")
    options = parser.parse_args()

    stage = Stage(random.randrange(1 << 32) if options.seed is None else options.seed, options.short)
    began = time.monotonic()
    print(f"seed {stage.seed}", flush=True)
    lines = []
    try:
        for fault in FAULTS:
            if options.only is None or fault.name in options.only:
                print(f"{fault.name}: {fault.what} ...", file=sys.stderr, flush=True)
                lines.append(run_fault(stage, fault, options.round, options.jobs))
    finally:
        stage.close()
    wrong = sum(len(line.total.wrong) for line in lines)
    if wrong:
        print(f"what the programs said: {stage.said}", file=sys.stderr)
    print(f"\n{table(lines)}\n\n{wrong} wrong, seed {stage.seed}, in {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
