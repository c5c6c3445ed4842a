"""The arguments of one call keep to `max_call_bytes` together and to `max_repr` each, whatever they are."""

import json
from pathlib import Path

import pytest
from conftest import RunProgram

CALLS = 400

PROGRAM = """
import random, sys
from calltape import monitor
from random_values import value
chance = random.Random(int(sys.argv[1]))
BUDGETS = [(chance.choice((16, 60, 300, 1000)), chance.choice((16, 40, 200, 1000, 4096))) for _ in range(20)]
FUNCTIONS = []
for number, (each, together) in enumerate(BUDGETS):
    def keep(a, b, c, *d, e=None, **f): return None
    FUNCTIONS.append(monitor(keep, name=f"m.keep_{each}_{together}", max_repr=each,
                             capture={"max_call_bytes": together, "max_capture_time": 60}))
for _ in range(int(sys.argv[2])):
    made = [value(chance) for _ in range(5)]
    chance.choice(FUNCTIONS)(*made[:4], e=made[4], g=made[0])
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_random_arguments_keep_to_both_budgets(run_program: RunProgram, seed: int) -> None:
    beside = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    calls = run_program(beside + PROGRAM, str(seed), str(CALLS)).tape.calls()
    assert len(calls) == CALLS
    for call in calls:
        each, together = map(int, call["function"].rpartition("keep_")[2].split("_"))
        text = call["args"].encode("utf-8", "surrogatepass")
        values = json.loads(call["args"])
        over = {name: len(compact(value)) for name, value in values.items() if len(compact(value)) > each}
        assert not over, (call["function"], over, call["args"])
        # Names count for no budget. Where nothing is left, each further argument takes the shortest mark: "...".
        around = sum(len(json.dumps(name)) + len(":,") for name in values) + len("{}")
        assert len(text) <= together + around + len('"..."') * len(values), (call["function"], call["args"])


def compact(value: object) -> bytes:
    """A value as the tape writes it: no spaces, letters as they are."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")
