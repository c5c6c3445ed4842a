"""A tape's calls as an indented text, so that a test's expectation reads like the tree it is about.

Used by the tests of this folder.
"""

from collections import defaultdict
from typing import Any

from conftest import Tape


def trees(tape: Tape) -> list[str]:
    """Each outermost call with the calls below it: name, and status where it is not `ok`.

    The trees stand in the order in which they began. The calls below one call stand in the order of their text: tasks
    and threads have no order of their own.
    """
    made_by: dict[int | None, list[dict[str, Any]]] = defaultdict(list)
    for call in tape.calls():
        made_by[call["parent_id"]].append(call)

    def text(call: dict[str, Any], depth: int) -> str:
        status = "" if call["status"] == "ok" else f" [{call['status']}]"
        line = f"{'  ' * depth}{short(call)}{status}\n"
        return line + "".join(sorted(text(made, depth + 1) for made in made_by[call["id"]]))

    return [text(root, 0) for root in made_by[None]]


def tree(tape: Tape, *functions: str) -> str:
    """All trees as one text, in the order of their text. With names, only those that begin with one of them."""
    chosen = [text for text in trees(tape) if not functions or text.split(maxsplit=1)[0] in functions]
    return "".join(sorted(chosen))


def short(call: dict[str, Any]) -> str:
    """The last part of the function's name."""
    return str(call["function"]).rpartition(".")[2]
