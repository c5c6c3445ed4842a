"""A tape's calls as an indented text, so that a test's expectation reads like the tree it is about.

Used by the tests of this folder.
"""

from collections import defaultdict
from typing import Any

from conftest import Tape


def tree(tape: Tape, *functions: str) -> str:
    """The calls, each under the one that made it: name, and status where it is not `ok`. With names, only the trees
    that begin with one of them.

    Calls of one parent stand in the order of their text, not of time: tasks and threads have no order of their own.
    """
    made_by: dict[int | None, list[dict[str, Any]]] = defaultdict(list)
    for call in tape.calls():
        made_by[call["parent_id"]].append(call)

    def text(call: dict[str, Any], depth: int) -> str:
        status = "" if call["status"] == "ok" else f" [{call['status']}]"
        line = f"{'  ' * depth}{short(call)}{status}\n"
        return line + "".join(sorted(text(made, depth + 1) for made in made_by[call["id"]]))

    roots = [call for call in made_by[None] if not functions or short(call) in functions]
    return "".join(sorted(text(root, 0) for root in roots))


def short(call: dict[str, Any]) -> str:
    """The last part of the function's name."""
    return str(call["function"]).rpartition(".")[2]
