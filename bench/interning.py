"""What interning repeated texts would save on disk and cost the drain: `python -m bench.interning`.

Records the tapes of three workloads, each by this module in a process of its own, and runs the engine's example
`interning` on them (`cargo build --release --package calltape-engine --example interning` builds it). No part of
`make bench`: it measures a design that was not built (docs/decisions/008-texts-are-not-interned.md).
"""

import os
import subprocess
import sys
import uuid
from pathlib import Path

from bench.processes import ANSWER_TIMEOUT, REPOSITORY, command, environment, scratch

EXAMPLE = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release" / "examples" / "interning"
CENSUS = REPOSITORY / "examples" / "stdlib_census.py"

# Modules of the census's smaller tape; the other one reads the whole library.
SOME_MODULES = 300

ORDERS = 100_000


def orders(db: Path) -> None:
    """The worker: orders, each with its own number, identifier and total, among few customers, items and answers."""
    import calltape

    @calltape.monitor()
    def place(order: dict[str, object], *, dry_run: bool = False) -> dict[str, object]:  # noqa: ARG001
        charge(str(order["id"]), float(str(order["total"])))
        return {"status": "placed", "order": order["id"]}

    @calltape.monitor()
    def charge(order_id: str, amount: float) -> bool:  # noqa: ARG001
        return amount > 0

    calltape.start(db, on_full="block", block_timeout=120)
    for number in range(ORDERS):
        items = [{"sku": f"SKU-{(number * 7 + place_) % 500:05}", "quantity": 1 + number % 3} for place_ in range(3)]
        identifier = str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))
        place({"id": identifier, "customer": number % 2000, "items": items, "total": number % 9973 / 100})
    calltape.flush(timeout=120)
    calltape.stop()


def main() -> int:
    if not EXAMPLE.exists():
        sys.exit(f"{EXAMPLE} is missing: cargo build --release --package calltape-engine --example interning builds it")
    with scratch() as directory:
        few, whole, shop = (directory / f"{name}.db" for name in ("few", "whole", "orders"))
        workloads: dict[str, tuple[Path, list[object]]] = {
            f"the census of {SOME_MODULES} modules": (few, [sys.executable, CENSUS, "--limit", SOME_MODULES]),
            "the census of the whole library": (whole, [sys.executable, CENSUS]),
            f"{ORDERS:,} orders": (shop, [*command("bench.interning", "orders")]),
        }
        for name, (tape, program) in workloads.items():
            print(f"\n==> {name}\n", flush=True)
            subprocess.run(
                [*map(str, program), "--db", str(tape)],
                env=environment(),
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=ANSWER_TIMEOUT,
            )
            subprocess.run([EXAMPLE, tape, directory], check=True, timeout=ANSWER_TIMEOUT)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["orders"]:
        orders(Path(sys.argv[3]))
        sys.exit(0)
    sys.exit(main())
