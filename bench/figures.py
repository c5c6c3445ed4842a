"""The figures that calltape has set itself, and how a measurement is judged and printed.

Used by `python -m bench`. The goals stand here and nowhere else in the benchmark; docs/performance-guide.md explains
them. Measures nothing itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Goal:
    """One figure to reach: `most` or `least` in `unit`, and what it says."""

    what: str
    unit: str
    most: float | None = None
    least: float | None = None

    def reached(self, value: float) -> bool:
        """Whether the value is on the right side of the goal."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    @property
    def text(self) -> str:
        """The goal as the table shows it."""
        if self.most is not None:
            return f"<= {number(self.most)}{self.unit}"
        if self.least is not None:
            return f">= {number(self.least)}{self.unit}"
        return ""


# A ratio has no unit. "Added" is always over the bare call, measured by the same loop in the same process.
GOALS: Mapping[str, Goal] = {
    "recorded / wraps": Goal("a recorded call, added / an empty functools.wraps wrapper's", "", most=1.0),
    "recorded / viztracer": Goal("the same / VizTracer's with arguments and return values", "", most=0.2),
    "recorded / otel": Goal("the same / an OpenTelemetry SDK span's", "", most=0.01),
    "sampled out / wraps": Goal("a sampled-out call, added / the empty wrapper's", "", most=0.4),
    "await / async wraps": Goal(
        "await of a monitored coroutine, added / an empty async functools.wraps wrapper's", "", most=1.0
    ),
    "yield": Goal("a yield through a monitored generator, added", " ns", most=60),
    "calls a second": Goal("calls a second, caller at full speed, committed, none lost", "/s", least=250_000),
    "calls a second / bare insert": Goal("the same / a bare prepared-insert loop", ""),
    "bytes a call": Goal("bytes on disk a call, tape and indexes", " B", most=120),
    "big list": Goal("10-million-item list as an argument, added a call", " us", most=20),
    "big list, memory": Goal("largest memory allocated for it beyond a 10-item list's", " KiB", most=64),
    "capture, 5 fields": Goal("capture of a dict of 5 fields, added to a recorded call", " ns", most=600),
    "capture, dearest": Goal("the dearest of 26 usual values, added to a recorded call", " us", most=25),
    "exit, idle": Goal("exit delay, idle", " ms", most=50),
    "exit, backlog": Goal("exit delay, backlog of unwritten calls", " ms", most=2000),
    "p99, locked": Goal("99th percentile of a call while the database is locked / healthy", "", most=1.05),
    "p99, full": Goal("the same while its disk is full", "", most=1.05),
    "p99, gone": Goal("the same while it is gone", "", most=1.05),
    "memory, idle": Goal("resident memory added, idle", " MiB", most=8),
    "query, top": Goal("top, over 10 million calls, 100,000 a second more being recorded", " ms", most=50),
    "query, errors": Goal("the same: errors", " ms", most=50),
    "query, find": Goal("the same: find by function and time", " ms", most=50),
    "query, find by value": Goal("the same: find by a value in args within an hour", " ms", most=500),
    "query, tree": Goal("the same: tree", " ms", most=50),
    "query, function page": Goal("the same: all that a function's page shows", " ms", most=100),
    "memory, full speed": Goal("resident memory added, caller at full speed", " MiB", most=96),
}


@dataclass(frozen=True)
class Measured:
    """A figure: the median over `rounds` rounds, and the lowest and highest of them."""

    key: str
    value: float
    low: float
    high: float
    rounds: int
    note: str = ""

    @property
    def goal(self) -> Goal:
        """What the figure is judged by."""
        return GOALS[self.key]

    @property
    def verdict(self) -> str:
        """`reached`, `missed`, or nothing where there is no goal."""
        if not self.goal.text:
            return ""
        return "reached" if self.goal.reached(self.value) else "missed"

    def as_json(self) -> dict[str, Any]:
        """The figure with its goal, for `--json`."""
        return asdict(self) | {"goal": asdict(self.goal), "verdict": self.verdict}


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(figures: Iterable[Measured]) -> str:
    """One line a figure: what, measured, range, goal, verdict."""
    head = ("figure", "measured", "lowest - highest", "to reach", "verdict")
    lines = [
        (
            figure.goal.what,
            number(figure.value) + figure.goal.unit,
            f"{number(figure.low)} - {number(figure.high)} ({figure.rounds})",
            figure.goal.text,
            figure.verdict,
        )
        for figure in figures
    ]
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 4) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [head, rule, *lines]
    )
