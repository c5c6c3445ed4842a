"""The calls of a filter, read as they are asked for. Made by `Tape.calls`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from calltape import _native
from calltape._rows import Call

if TYPE_CHECKING:
    pass

__all__ = ["Calls"]

# Rows of the first page, and the most of one: the first comes at once, and a long list is read in few.
_FIRST_PAGE, _LARGEST_PAGE = 64, 1024

# Rows that a notebook shows.
_SHOWN = 20

_ORDERS = {"newest": "newest first", "oldest": "oldest first", "slowest": "slowest first"}


class Calls:
    """Calls of a tape that match a filter; made by :meth:`calltape.Tape.calls`.

    Iterating reads them page by page, each time anew from the start, and holds nothing of the tape between two pages:
    calls that come in meanwhile may or may not be among them, each call is at most once. :meth:`first` and
    the tables :meth:`to_arrow`, :meth:`to_pandas` and :meth:`to_polars` read at once. Whatever reads Arrow's streams
    (pyarrow, polars, pandas, DuckDB) takes the object itself.
    """

    __slots__ = ("_asked", "_chosen", "_limit", "_order")

    def __init__(
        self,
        asked: Callable[[], _native.Tape],
        chosen: dict[str, Any],
        order: str,
        limit: int | None,
    ) -> None:
        self._asked = asked
        self._chosen = chosen
        self._order = order
        self._limit = limit

    def __iter__(self) -> Iterator[Call]:
        return self._rows() if self._limit is None else islice(self._rows(), self._limit)

    def _rows(self) -> Iterator[Call]:
        native = self._asked()
        size = _FIRST_PAGE if self._limit is None else min(max(self._limit, 1), _LARGEST_PAGE)
        after: str | None = None
        while True:
            rows, after = native.calls(self._chosen, self._order, after, size)
            for row in rows:
                yield Call(*row)
            if after is None:
                return
            size = min(size * 4, _LARGEST_PAGE)

    def first(self) -> Call | None:
        """The first of them; None where there is none."""
        return next(iter(self), None)

    def __repr__(self) -> str:
        words = [f"{name}={_word(name, value)}" for name, value in self._chosen.items() if value not in (None, [])]
        limit = [] if self._limit is None else [f"at most {self._limit:,}"]
        return f"<Calls {', '.join([*words, _ORDERS[self._order], *limit])}>"

    def _repr_html_(self) -> str:
        from calltape import _html

        shown = [*islice(self, _SHOWN + 1)]
        more = f", the first {_SHOWN}" if len(shown) > _SHOWN else ""
        notes = [] if shown else ["no call"]
        return _html.calls(shown[:_SHOWN], " · ".join([f"{self!r}{more}", *notes]))


def _word(name: str, value: object) -> str:
    return f"{value} ns" if name.endswith("_ns") else repr(value)
