"""What a statement of one's own answers. Made by `Tape.sql`; frozen, reads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from calltape._figures import one_line, shortened
from calltape._lists import table

__all__ = ["SqlAnswer"]

# Rows that a prompt and a notebook show, and characters of one value there.
_SHOWN, _MOST_OF_A_VALUE = 20, 60


@dataclass(frozen=True, slots=True, repr=False)
class SqlAnswer:
    """The rows of a statement, as SQLite has their values: None, int, float, str or bytes.

    Iterating gives the rows, tuples in the order of ``columns``; :meth:`dicts` gives them by column. ``cut`` says that
    there were more.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool

    def dicts(self) -> list[dict[str, Any]]:
        """The rows, each as a dict by the columns' names; of two columns of one name the later stays."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def shown(self) -> list[list[str]]:
        """The first rows as texts on one line each."""
        return [[shortened(_text(value), _MOST_OF_A_VALUE) for value in row] for row in self.rows[:_SHOWN]]

    def __repr__(self) -> str:
        figures = {at for at in range(len(self.columns)) if all(_is_figure(row[at]) for row in self.rows)}
        drawn = table([one_line(column) for column in self.columns], self.shown(), len(self), "no row", figures)
        return f"{drawn}\n… cut here" if self.cut else drawn

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.sql(self)


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{len(value)} bytes" if isinstance(value, bytes) else one_line(str(value))


def _is_figure(value: object) -> bool:
    return value is None or isinstance(value, (int, float))
