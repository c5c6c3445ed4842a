"""The calls of a filter, read as they are asked for. Made by `Tape.calls`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

from calltape import _native
from calltape._rows import Call

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

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

    def __bool__(self) -> bool:
        """Whether there is one: reads as far as the first."""
        return self.first() is not None

    def first(self) -> Call | None:
        """The first of them; None where there is none."""
        return next(iter(self), None)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A stream of Arrow's C interface, which whatever speaks it reads: the columns of the view ``calls``."""
        return self._asked().arrow_stream(self._chosen, self._order, self._limit)

    def to_arrow(self) -> pyarrow.Table:
        """The calls as a table of Arrow's with the columns of the view ``calls``; ``pip install 'calltape[arrow]'``.

        Whole numbers are int64, ``weight`` is float64, ``started_at`` a timestamp in nanoseconds, UTC; all else is
        text, ``args``, ``result`` and ``traceback`` JSON in it.
        """
        arrow = _imported("pyarrow", "arrow")
        batches = arrow.RecordBatchReader.from_stream(self)
        # One at a time, so that Ctrl-C ends it.
        return arrow.Table.from_batches([*batches], batches.schema)

    def to_pandas(self) -> pandas.DataFrame:
        """The calls as a data frame with the columns of :meth:`to_arrow`; ``pip install 'calltape[pandas]'``."""
        _imported("pandas", "pandas")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """The calls as a data frame with the columns of :meth:`to_arrow`; ``pip install 'calltape[polars]'``."""
        return _imported("polars", "polars").DataFrame(self)

    def __repr__(self) -> str:
        return f"<Calls {self._words()}>"

    def _words(self) -> str:
        words = [f"{name}={_word(name, value)}" for name, value in self._chosen.items() if value not in (None, [])]
        limit = [] if self._limit is None else [f"at most {self._limit:,}"]
        return ", ".join([*words, _ORDERS[self._order], *limit])

    def _repr_html_(self) -> str:
        from calltape import _html

        shown = [*islice(self, _SHOWN + 1)]
        more = f", the first {_SHOWN}" if len(shown) > _SHOWN else ""
        notes = [] if shown else ["no call", *self._asked().notices(self._chosen)]
        return _html.calls(shown[:_SHOWN], " · ".join([f"{self._words()}{more}", *notes]))


def _word(name: str, value: object) -> str:
    return f"{value} ns" if name.endswith("_ns") else repr(value)


def _imported(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{module} is needed for this: pip install 'calltape[{extra}]'", name=module) from error
