"""Failures and trees as plain text, for `str()` and for the pytest plugin's section."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from calltape._figures import duration, one_line, shortened

if TYPE_CHECKING:
    from calltape._rows import Call, Failure, Frame, Raised
    from calltape._tree import Tree

__all__ = ["arguments", "failure", "guides", "tree"]

_JOINED = {"cause": "caused by ", "context": "while handling ", "member": "- "}
_MARK = "  <- this call"

# Characters of one argument or result beside a call, and of all its arguments.
_MOST_OF_A_VALUE, _MOST_OF_ALL = 60, 160


def failure(raised: Failure) -> str:
    """A failure the way the command line shows it: each exception with its frames, those it came from below it."""
    lines = [line for link in raised.chain for line in _link(link, _depth(raised, link))]
    if raised.left_out is not None:
        lines.append(one_line(raised.left_out))
    return "\n".join(lines)


def _depth(raised: Failure, link: Raised) -> int:
    """How many groups hold an exception."""
    depth = 0
    while link.of is not None and 0 <= link.of < len(raised.chain):
        depth += link.relation == "member"
        link = raised.chain[link.of]
    return depth


def _link(link: Raised, depth: int) -> Iterator[str]:
    indent = "  " * depth
    message = f": {one_line(link.message)}" if link.message else ""
    yield f"{indent}{_JOINED.get(link.relation or '', '')}{one_line(link.error_type)}{message}"
    for note in link.notes:
        yield f"{indent}  note: {one_line(note)}"
    for frame in link.frames:
        yield from (f"{indent}  {line}" for line in _frame(frame))


def _frame(frame: Frame | str) -> Iterator[str]:
    if isinstance(frame, str):
        yield one_line(frame)
        return
    yield f"{one_line(frame.function)}  {one_line(frame.file)}:{frame.line}"
    if frame.source is not None:
        yield f"  {one_line(frame.source)}"
    for name, value in frame.locals.items():
        yield f"  {one_line(name)} = {one_line(value)}"


def tree(shown: Tree, *, mark: str = _MARK, values: bool = False) -> str:
    """A tree with the durations under each other, and lines that join each call to the one that made it.

    ``mark`` stands after the call that the tree is around; ``values`` adds arguments and results.
    """
    lines = []
    if shown.missing_caller is not None:
        lines.append(f"made by call {shown.missing_caller}, which is not on the tape")
    took = ["" if line.call is None else duration(line.call.duration_ns) for line in shown.lines]
    width = max(map(len, took), default=0)
    for line, guide, time in zip(shown.lines, guides(shown), took, strict=True):
        text = line.words if line.call is None else _about(line.call, values)
        lines.append(f"{time:>{width}}  {guide}{text}{mark if line.is_asked_for else ''}")
    return "\n".join(lines)


def guides(shown: Tree) -> list[str]:
    """The lines that join each line of the tree to its caller's.

    Walked backwards: whether a line is the last of its level is known from what stands below it.
    """
    guides = []
    is_more_below: list[bool] = []
    for line in reversed(shown.lines):
        del is_more_below[line.depth + 1 :]
        is_more_below += [False] * (line.depth + 1 - len(is_more_below))
        guide = ["│  " if more else "   " for more in is_more_below[1 : line.depth]]
        if line.depth > 0:
            guide.append("├─ " if is_more_below[line.depth] else "└─ ")
        guides.append("".join(guide))
        is_more_below[line.depth] = True
    return guides[::-1]


def _about(call: Call, values: bool) -> str:
    kind = "" if call.kind == "function" else f"  {call.kind}"
    outcome = "" if call.status == "ok" else f"  {call.status}"
    if call.status == "error" and call.error_type:
        message = shortened(one_line(call.error_message or ""), 80)
        outcome = f"  {one_line(call.error_type)}" + (f": {message}" if message else "")
    if not values:
        return f"{one_line(call.function)}{kind}{outcome}"
    return f"{one_line(call.function)}({arguments(call)}){_returned(call)}{kind}{outcome}"


def _returned(call: Call) -> str:
    """A generator's items, and its result unless it is nothing, as is usual; another function's result."""
    parts = [] if call.yields is None else [f"{call.yields:,} item{'' if call.yields == 1 else 's'}"]
    if call.result_json is not None and not (parts and call.result_json == "null"):
        parts.append(shortened(one_line(call.result_json), _MOST_OF_A_VALUE))
    return f" -> {', '.join(parts)}" if parts else ""


def arguments(call: Call) -> str:
    """A call's arguments by name, each cut to a line's part, with no word about defaults."""
    given = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in call.args.items())
    return shortened(", ".join(shortened(one_line(text), _MOST_OF_A_VALUE) for text in given), _MOST_OF_ALL)
