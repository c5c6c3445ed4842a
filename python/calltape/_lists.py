"""Lists of figures that show themselves as tables. Made by `_tape`; otherwise lists like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from calltape._faults import TapeError
from calltape._figures import duration, one_line, shortened
from calltape._latency import Latency
from calltape._rows import Call, ErrorGroup, FunctionStats

__all__ = ["CallList", "Errors", "Functions", "glob_of", "table"]

_TEXTS = ("function", "error", "in", "status", "arguments")

# Rows that a prompt shows, and a notebook.
_AT_A_PROMPT, _IN_A_NOTEBOOK = 20, 50


class CallList(list[Call]):
    """Some calls: a list whose ``repr`` is a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        heads = ("call", "function", "status", "duration", "arguments")
        rows = [
            (
                str(row.id),
                one_line(row.function),
                row.status,
                duration(row.duration_ns),
                shortened(one_line(row.args_json or ""), 60),
            )
            for row in self[:_AT_A_PROMPT]
        ]
        return _table(heads, rows, len(self), "no call")

    def _repr_html_(self) -> str:
        from calltape import _html

        shown = self[:_IN_A_NOTEBOOK]
        note = "no call" if not self else f"the first {len(shown)} of {len(self):,}" if len(self) > len(shown) else ""
        return _html.calls(shown, note)


class Functions(list[FunctionStats]):
    """The functions of a tape: a list whose ``repr`` is a table."""

    __slots__ = ("_latency",)

    def __init__(self, rows: Iterable[FunctionStats] = (), latency: Callable[[str], Latency] | None = None) -> None:
        super().__init__(rows)
        self._latency = latency

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

        shown = self[:_IN_A_NOTEBOOK]
        return _html.functions(shown, self.latencies(shown), len(self))

    def latencies(self, shown: Sequence[FunctionStats]) -> list[Latency | None]:
        """The histograms of some of the functions, over all of the tape; None where it answers no more."""
        if self._latency is None:
            return [None] * len(shown)
        try:
            return [self._latency(glob_of(row.function)) for row in shown]
        except TapeError:
            return [None] * len(shown)


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


def glob_of(name: str) -> str:
    """A pattern that finds this name alone: with a bracket it is a glob over the whole name."""
    return f"[{name[:1]}]" + "".join(f"[{each}]" if each in "*?[" else each for each in name[1:]) if name else name


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], total: int, nothing: str, figures: set[int]) -> str:
    """Columns under their heads, texts to the left, ``figures`` to the right; what is left out of ``total`` is said."""
    if not rows:
        return f"<{nothing}>"
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    shown = [
        "  ".join(f"{cell:>{width}}" if at in figures else f"{cell:<{width}}" for at, (cell, width) in enumerate(cells))
        for cells in (zip(line, widths, strict=True) for line in lines)
    ]
    more = [f"… {total - len(rows):,} more"] if total > len(rows) else []
    return "\n".join([*(line.rstrip() for line in shown), *more])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], total: int, nothing: str) -> str:
    return table(heads, rows, total, nothing, {at for at, head in enumerate(heads) if head not in _TEXTS})
