"""A tree of calls: which call made which. Made by `_tape`; frozen, reads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calltape._figures import counted
from calltape._rows import Call

__all__ = ["Tree", "TreeLine"]


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A line of a tree: a call, or calls that are left out.

    ``depth`` counts from the root, which is 0. ``call`` is None where calls are left out: ``left_out`` of them, which
    are callers between two lines where ``are_callers``, else calls made by the same call as the lines above;
    ``at_least`` says that there may be more. ``is_asked_for`` marks the call that the tree is around.
    """

    depth: int
    call: Call | None
    is_asked_for: bool
    left_out: int
    are_callers: bool
    at_least: bool

    @property
    def words(self) -> str:
        """What stands in the place of what is left out; empty for a call."""
        if self.call is not None:
            return ""
        if self.are_callers:
            return f"… {counted(self.left_out, 'caller', 'callers')} left out"
        return f"… {'at least ' if self.at_least else ''}{counted(self.left_out, 'more call', 'more calls')}"


@dataclass(frozen=True, slots=True, repr=False)
class Tree:
    """The calls around one call, each followed by those it made, in the order of their starts.

    Iterating gives pairs of a depth, 0 for the root, and a :class:`Call`. ``lines`` also has what is left out;
    ``missing_caller`` is the id of the root's caller where the tape does not hold that call. ``str()`` draws the tree.
    """

    lines: tuple[TreeLine, ...]
    missing_caller: int | None

    @property
    def root(self) -> Call:
        """The outermost call."""
        return next(call for _, call in self)

    @property
    def calls(self) -> list[Call]:
        """The calls, in the order of the lines."""
        return [call for _, call in self]

    def children(self, call: Call | int) -> list[Call]:
        """The calls shown that a call made, by the call or its id."""
        parent = call if isinstance(call, int) else call.id
        return [child for _, child in self if child.parent_id == parent and child.id != parent]

    def __iter__(self) -> Iterator[tuple[int, Call]]:
        return ((line.depth, line.call) for line in self.lines if line.call is not None)

    def __str__(self) -> str:
        from calltape import _text

        return _text.tree(self)

    def __repr__(self) -> str:
        shown = sum(line.call is not None for line in self.lines)
        return f"<Tree of {counted(shown, 'call', 'calls')} from {self.root!r}>"

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.tree(self)
