"""What changed between two times or two runs. Made by `Tape.diff`; frozen, reads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from calltape._figures import counted, duration, one_line
from calltape._lists import table

__all__ = ["Diff", "Figures", "FunctionDiff"]

# Rows that a prompt and a notebook show.
_SHOWN = 20

Figure = Literal["calls", "errors", "total_ns", "p50_ns", "p95_ns", "p99_ns"]


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls that ended on one side: how many, how many raised, how long they took. Durations are ns within 1.6 %.

    ``timed`` durations are known, each of a sampled row's standing for its weight in ``total_ns`` and the percentiles,
    which are None where there is none. Of a run from which retention has removed rows none is given, for those that are
    left are chosen by how they ended; nor do such calls stand out as slower or failing more.
    """

    calls: int
    errors: int
    timed: int
    total_ns: int
    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None

    @property
    def error_rate(self) -> float | None:
        """Errors a call, 0.0 to 1.0; None without calls."""
        return self.errors / self.calls if self.calls else None


@dataclass(frozen=True, slots=True)
class FunctionDiff:
    """One function on both sides; without calls on a side its figures there are zero.

    ``stands_out`` says what is worth a look: ``new``, ``gone``, ``fails more``, ``fails less``, ``slower`` or
    ``faster``; None where nothing is, or where there are too few calls to tell.
    """

    function: str
    group: str | None
    kind: str
    a: Figures
    b: Figures
    stands_out: str | None

    def ratio(self, figure: Figure = "p95_ns") -> float | None:
        """How many times as much a figure is on side b as on side a; None where it is missing, or zero on side a."""
        before, after = getattr(self.a, figure), getattr(self.b, figure)
        return None if before is None or after is None or before == 0 else after / before


@dataclass(frozen=True, slots=True, repr=False)
class Diff:
    """What changed from a side ``a`` to a side ``b``: of each function, and of all together.

    ``functions`` are first those that stand out, then by how much the time spent in them changed; iterating gives them.
    """

    functions: tuple[FunctionDiff, ...]
    a: Figures
    b: Figures

    def __iter__(self) -> Iterator[FunctionDiff]:
        return iter(self.functions)

    def __len__(self) -> int:
        return len(self.functions)

    @property
    def standing_out(self) -> list[FunctionDiff]:
        """The functions that stand out."""
        return [row for row in self.functions if row.stands_out is not None]

    def __repr__(self) -> str:
        heads = ["function", "calls", "errors", "p50", "p95", "ratio", "stands out"]
        drawn = table(heads, self.shown(), len(self), "no function was called on either side", {1, 2, 3, 4, 5})
        return f"<Diff of {self.words}>\n{drawn}"

    @property
    def words(self) -> str:
        """How much was compared, and how much of it stands out."""
        sides = f"{counted(self.a.calls, 'call', 'calls')} and {counted(self.b.calls, 'call', 'calls')}"
        return f"{sides}: {len(self.standing_out):,} of {counted(len(self), 'function', 'functions')} stand out"

    def shown(self) -> list[list[str]]:
        """The first rows as texts."""
        return [
            [
                one_line(row.function),
                f"{row.a.calls:,} → {row.b.calls:,}",
                f"{row.a.errors:,} → {row.b.errors:,}",
                f"{duration(row.a.p50_ns)} → {duration(row.b.p50_ns)}",
                f"{duration(row.a.p95_ns)} → {duration(row.b.p95_ns)}",
                "-" if (ratio := row.ratio()) is None else f"x{ratio:.2f}",
                row.stands_out or "",
            ]
            for row in self.functions[:_SHOWN]
        ]

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.diff(self)
