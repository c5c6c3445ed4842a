"""`python -m bench`: measures, prints the table, and says which figures were reached.

Called by `make bench` and `make bench-quick`. The exit code is 0 when everything could be measured, whatever the
figures are: a goal that is missed is a finding, not a failure.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import (
    big_list,
    call_rates,
    capture_cost,
    exit_delay,
    faults,
    memory,
    per_call,
    queries,
    suspended,
    throughput,
)
from bench.figures import Measured, table
from bench.processes import Scale

Scenario = Callable[[Scale], tuple[list[Measured], list[str]]]

SCENARIOS: Mapping[str, Scenario] = {
    "per-call": per_call.measure,
    "suspended": suspended.measure,
    "throughput": throughput.measure,
    "big-list": big_list.measure,
    "capture": capture_cost.measure,
    "exit": exit_delay.measure,
    "faults": faults.measure,
    "memory": memory.measure,
    "rates": call_rates.measure,
    "queries": queries.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What calltape costs, beside its rivals.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: under a minute")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="this scenario alone; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()

    scale = Scale.quick() if options.quick else Scale.full()
    where = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    began = time.monotonic()
    figures: list[Measured] = []
    notes: list[str] = []
    for name in options.only or SCENARIOS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        found, said = SCENARIOS[name](scale)
        figures += found
        notes += said

    print(f"\n{where}: medians, lowest - highest (rounds)\n")
    print(table(figures))
    print(*[f"\n{note}" for note in notes], sep="", end="\n")
    reached, missed = (sum(figure.verdict == word for figure in figures) for word in ("reached", "missed"))
    print(f"\n{reached} reached, {missed} missed, in {time.monotonic() - began:.0f} s")
    if options.json:
        document = {"where": where, "figures": {figure.key: figure.as_json() for figure in figures}, "notes": notes}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
