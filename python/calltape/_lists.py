"""Lists of figures that show themselves as tables. Made by `_tape`; otherwise lists like any other."""

from __future__ import annotations

from collections.abc import Sequence

from calltape._figures import duration, one_line, shortened
from calltape._rows import ErrorGroup, FunctionStats

__all__ = ["Errors", "Functions"]

# Rows that a prompt shows, and a notebook.
_AT_A_PROMPT, _IN_A_NOTEBOOK = 20, 50


class Functions(list[FunctionStats]):
    """The functions of a tape: a list whose ``repr`` is a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        heads = ("function", "calls", "errors", "p50", "p95", "p99", "max", "total")
        rows = [
            (
                one_line(row.function),
                f"{row.calls:,}",
                f"{row.errors:,}",
                *(duration(ns) for ns in (row.p50_ns, row.p95_ns, row.p99_ns, row.max_ns, row.estimated_total_ns)),
            )
            for row in self[:_AT_A_PROMPT]
        ]
        return _table(heads, rows, len(self), "no function was called")

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.functions(self[:_IN_A_NOTEBOOK], len(self))


class Errors(list[ErrorGroup]):
    """The groups of errors of a tape: a list whose ``repr`` is a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        heads = ("error", "count", "last call", "in")
        rows = [
            (
                shortened(one_line(f"{row.error_type}: {'' if row.last is None else row.last.message}"), 70),
                f"{row.count:,}",
                "-" if row.last_call_id is None else str(row.last_call_id),
                one_line(row.function),
            )
            for row in self[:_AT_A_PROMPT]
        ]
        return _table(heads, rows, len(self), "no error")

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.errors(self[:_IN_A_NOTEBOOK], len(self))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], total: int, nothing: str) -> str:
    """Columns under their heads: the first and the last of texts to the left, figures to the right."""
    if not rows:
        return f"<{nothing}>"
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    texts = {0, heads.index("in")} if "in" in heads else {0}
    shown = [
        "  ".join(f"{cell:<{width}}" if at in texts else f"{cell:>{width}}" for at, (cell, width) in enumerate(cells))
        for cells in (zip(line, widths, strict=True) for line in lines)
    ]
    more = [f"… {total - len(rows):,} more"] if total > len(rows) else []
    return "\n".join([*(line.rstrip() for line in shown), *more])
