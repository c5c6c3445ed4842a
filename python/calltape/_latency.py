"""How long calls took: a histogram, and figures by the minute. Made by `_tape`; frozen, reads nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calltape._figures import counted, duration

__all__ = ["Bucket", "Latency", "Minute"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Rows of a histogram at a prompt, and columns of its longest bar.
_ROWS, _COLUMNS = 16, 40


@dataclass(frozen=True, slots=True)
class Bucket:
    """Calls that took between ``lower_ns`` and ``upper_ns`` nanoseconds, both included: ``count`` of them."""

    lower_ns: int
    upper_ns: int
    count: int


@dataclass(frozen=True, slots=True, repr=False)
class Latency:
    """How long calls took, in buckets 1/32 of their durations wide, ascending, none of them empty.

    ``count`` is calls in all of them; the percentiles are nanoseconds within 1.6 %, None where there is no call.
    ``from_rollup`` says that it is of whole minutes, by the calls' ends, and of calls without a row as well; else it is
    of the rows alone, each with its weight.
    """

    buckets: tuple[Bucket, ...]
    count: int
    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None
    from_rollup: bool

    def rebinned(self, most: int) -> list[Bucket]:
        """The same in at most so many buckets of one width on a logarithmic scale, empty ones between two included."""
        if not self.buckets:
            return []
        low, high = max(self.buckets[0].lower_ns, 1), max(self.buckets[-1].upper_ns, 1)
        span = math.log(high / low) or 1e-9
        counts = [0] * most
        for bucket in self.buckets:
            middle = max((bucket.lower_ns + bucket.upper_ns) / 2, low)
            counts[min(int(math.log(middle / low) / span * most), most - 1)] += bucket.count
        edges = [round(low * math.exp(span * step / most)) for step in range(most + 1)]
        return [Bucket(edges[at], edges[at + 1], count) for at, count in enumerate(counts)]

    def __repr__(self) -> str:
        head = (
            f"<Latency of {counted(self.count, 'call', 'calls')}: p50 {duration(self.p50_ns)}, "
            f"p95 {duration(self.p95_ns)}, p99 {duration(self.p99_ns)}>"
        )
        bars = self.rebinned(_ROWS)
        longest = max((bar.count for bar in bars), default=0)
        rows = [
            f"{duration(bar.lower_ns):>9}  {'█' * math.ceil(bar.count / longest * _COLUMNS):<{_COLUMNS}}  {bar.count:,}"
            for bar in bars
        ]
        return "\n".join([head, *(row.rstrip() for row in rows)])

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.latency(self)


@dataclass(frozen=True, slots=True)
class Minute:
    """The calls that ended in one minute, stored or only counted. ``minute`` is Unix time in minutes."""

    minute: int
    calls: int
    errors: int
    total_ns: int
    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None

    @property
    def began_at(self) -> datetime:
        """The minute's beginning, UTC."""
        return _EPOCH + timedelta(minutes=self.minute)
