"""Reading a tape: `open` and `Tape`.

Called by programs, notebooks and `calltape.testing`. All reading is the native side's, on the same SQLite that records;
this checks arguments and makes frozen values of the answers. Nothing here runs on a recorded call.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, Unpack

from calltape import _native
from calltape._calls import Calls
from calltape._diff import Diff, Figures, FunctionDiff
from calltape._filters import (
    Duration,
    Filters,
    Moment,
    Side,
    Statuses,
    at_least,
    choose,
    id_of,
    moment,
    one_of,
    side,
    text,
)
from calltape._latency import Bucket, Latency, Minute
from calltape._lists import CallList, Errors, Functions
from calltape._rows import (
    Account,
    Accounting,
    Call,
    CallDetail,
    ErrorGroup,
    Failure,
    Frame,
    FunctionAccount,
    FunctionStats,
    Incident,
    Raised,
    Run,
)
from calltape._sql import SqlAnswer
from calltape._tree import Tree, TreeLine

__all__ = ["Tape", "open"]

Order = Literal["newest", "oldest", "slowest"]
FunctionColumn = Literal["name", "calls", "errors", "p50", "p95", "p99", "total", "min", "max"]

# Functions that a notebook shows of a tape.
_SHOWN_FUNCTIONS = 10

_ORDERS = ("newest", "oldest", "slowest")
_COLUMNS = ("name", "calls", "errors", "p50", "p95", "p99", "total", "min", "max")


def open(path: str | os.PathLike[str] | None = None, *, time_limit: float = 10.0) -> Tape:  # noqa: A001 - `calltape.open`
    """Open a tape to read it: of this process, of another that runs, or of one that ended.

    ``path`` is the database. None is the tape this process records on, or else the one that the settings name
    (``CALLTAPE_DB``, pyproject.toml, or ``.calltape/calls.db`` under the working directory). ``time_limit`` is in
    seconds: how long one question may take.

    >>> with calltape.open() as tape:  # doctest: +SKIP
    ...     for call in tape.calls("shop.orders.*", status="error", since="10m"):
    ...         print(call.started_at, call.args, call.error_message)

    What was recorded a moment ago is on the tape after :func:`calltape.flush`.

    Raises:
        TapeError: there is no tape, the file is none, a newer calltape wrote it, or it cannot be read.
        TypeError, ValueError: an argument cannot be used; the message names it.
    """
    return Tape(path, time_limit=time_limit)


class Tape:
    """A tape opened for reading; made by :func:`calltape.open`.

    Each method is one read of its own: nothing is held between two of them, so a tape may stay open beside a program
    that records, and a method called again sees what came in meanwhile. Any number of threads may use one; it may be
    used after a fork, where it opens the file anew. A read lets other threads run, ends by Ctrl-C, and is stopped when
    it takes longer than the time limit. Closing it, or leaving its ``with`` block, closes the file.

    Every method raises :class:`calltape.TapeError` where the tape cannot be read, and ``TypeError`` or ``ValueError``
    where an argument cannot be used.
    """

    __slots__ = ("_native",)

    def __init__(self, path: str | os.PathLike[str] | None = None, *, time_limit: float = 10.0) -> None:
        if path is not None and not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"open: path must be a str or a path, or None for this process's tape, not {path!r}")
        if path is not None and "\0" in os.fspath(path):
            raise ValueError(f"open: path must be the path of a tape, not {path!r}")
        if isinstance(time_limit, bool) or not isinstance(time_limit, (int, float)) or not 0.0 < time_limit < 1e9:
            raise ValueError(f"open: time_limit must be a number of seconds above 0, not {time_limit!r}")
        self._native = _native.Tape(None if path is None else os.fspath(path), float(time_limit))

    @property
    def path(self) -> Path:
        """The tape's file."""
        return Path(self._native.path)

    def close(self) -> None:
        """Close the file. Asking afterwards is a :class:`calltape.TapeError`; closing again is not."""
        self._native.close()

    def calls(
        self,
        function: str | None = None,
        *,
        where: str | None = None,
        group: str | None = None,
        status: Statuses | None = None,
        error_type: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        slower_than: Duration | None = None,
        faster_than: Duration | None = None,
        thread: str | None = None,
        task: str | None = None,
        pid: int | None = None,
        run: int | str | Run | None = None,
        parent: int | Call | None = None,
        root: int | Call | None = None,
        order: Order = "newest",
        limit: int | None = None,
    ) -> Calls:
        """The calls that meet all of this, read as they are iterated over.

        >>> tape.calls("shop.*", where="args.order.id = 42 and duration > 50ms", status="error")  # doctest: +SKIP

        Args:
            function: a name, a part of it between dots, a glob such as ``"shop.*.place"``, or a group.
            where: a condition on columns, arguments and results: ``"args.user_id = 42 and not result.ok = true"``.
            group: the group given to ``monitor``; a glob.
            status: one or several of ok, error, cancelled, closed, abandoned, running, interrupted.
            error_type: the exception's type, with or without its module; a glob.
            since: began at this time or later: a datetime (a naive one is local time), a timedelta or a text such as
                ``"10m"`` for so long ago, a text such as ``"2026-10-14T09:00"``, or Unix nanoseconds.
            until: began at this time or earlier.
            slower_than: took at least so long: a text with a unit such as ``"50ms"``, seconds, or a timedelta.
            faster_than: took at most so long.
            thread: the thread's name; a glob.
            task: the name of the task that ran the body; a glob.
            pid: the process.
            run: the process's recording, by its id, the 16 digits that are shown of it, or a :class:`Run`.
            parent: made by this call.
            root: of this call's tree, itself included.
            order: ``"newest"``, ``"oldest"`` or ``"slowest"`` first.
            limit: at most so many.

        Raises:
            FilterError: ``where`` does not parse; the message shows the place.
        """
        filters: Filters = {
            "where": where,
            "group": group,
            "status": status,
            "error_type": error_type,
            "since": since,
            "until": until,
            "slower_than": slower_than,
            "faster_than": faster_than,
            "thread": thread,
            "task": task,
            "pid": pid,
            "run": run,
            "parent": parent,
            "root": root,
        }
        most = None if limit is None else at_least("calls", "limit", limit, 0)
        chosen = choose("calls", function, filters)
        return Calls(self._asked, chosen, one_of("calls", "order", order, _ORDERS), most)

    def slowest(self, limit: int = 20, function: str | None = None, **filters: Unpack[Filters]) -> CallList:
        """The slowest calls, the slowest first. Filters are those of :meth:`calls`; calls without a duration come last.

        Where they are a function, a group and times alone, the figures of each minute say where to look; else every
        call that they find is looked at.
        """
        chosen = choose("slowest", function, filters)
        rows = self._asked().slowest(chosen, at_least("slowest", "limit", limit, 0))
        return CallList(Call(*row) for row in rows)

    def running(self, limit: int = 100, function: str | None = None, **filters: Unpack[Filters]) -> CallList:
        """The calls that run, the oldest first. Filters are those of :meth:`calls`.

        A call appears at the latest when it has run for a second; one whose process died stands so until its journal is
        drained.
        """
        chosen = choose("running", function, filters)
        rows = self._asked().running(chosen, at_least("running", "limit", limit, 0))
        return CallList(Call(*row) for row in rows)

    def latency(self, function: str | None = None, **filters: Unpack[Filters]) -> Latency:
        """How long calls took, as a histogram. Filters are those of :meth:`calls`.

        Where they are a function, a group and times alone it is of whole minutes, and of calls without a row as well.
        """
        buckets, *figures = self._asked().latency(choose("latency", function, filters))
        return Latency(*[tuple(Bucket(*bucket) for bucket in buckets), *figures])

    def minutes(
        self, function: str | None = None, *, since: Moment | None = None, until: Moment | None = None
    ) -> list[Minute]:
        """The figures of each minute in which calls ended, the earliest first; none for a minute without a call.

        Arguments are as for :meth:`calls`; minutes are whole.
        """
        pattern = text("minutes", "function", function)
        begin, end = moment("minutes", "since", since), moment("minutes", "until", until)
        return [Minute(*row) for row in self._asked().minutes(pattern, begin, end)]

    def diff(self, a: Side, b: Side, function: str | None = None, **filters: Unpack[Filters]) -> Diff:
        """What changed from ``a`` to ``b``, function by function: calls, errors, durations, and what stands out.

        >>> tape.diff(("2h", "1h"), ("1h", None))  # doctest: +SKIP

        Args:
            a: a range of time as a pair of ``since`` and ``until``, or a process's recording as a :class:`Run`; also as
                the command line has them: ``"2h..1h"``, ``"run:last"``, ``"run:000288a172d77367"``.
            b: the other side.
            function: as for :meth:`calls`, whose other filters narrow both sides.
        """
        chosen = choose("diff", function, filters)
        has = self._asked().has_run
        sides = (side("diff", "a", a, self._last_run, has), side("diff", "b", b, self._last_run, has))
        rows, before, after = self._asked().diff(*sides, chosen)
        functions = (FunctionDiff(*[*row, Figures(*one), Figures(*two), why]) for *row, one, two, why in rows)
        return Diff(tuple(functions), Figures(*before), Figures(*after))

    def notices(self, function: str | None = None, **filters: Unpack[Filters]) -> list[str]:
        """What of a filter cannot match anything on this tape, in words: a misspelt function, argument or group.

        Filters are those of :meth:`calls`. Empty where all of it can match.
        """
        return self._asked().notices(choose("notices", function, filters))

    def sql(self, statement: str, limit: int = 1000) -> SqlAnswer:
        """Run one SQL statement that reads; the views of the tape (``calls``, ``functions``, ...) are documented.

        Args:
            statement: the text.
            limit: at most so many rows; an answer also ends after 64 MiB.

        Raises:
            StatementError: it does not parse, is more than one, or would do more than read.
        """
        if not isinstance(statement, str):
            raise TypeError(f"sql: statement must be a str, not {statement!r}")
        if not statement:
            raise ValueError("sql: statement must not be empty")
        columns, rows, cut = self._asked().sql(statement, at_least("sql", "limit", limit, 0))
        return SqlAnswer(tuple(columns), tuple(rows), cut)

    def call(self, id: int) -> CallDetail | None:  # noqa: A002 - the column's name
        """The call with this id and all the tape knows of it; None where there is none."""
        row = self._asked().call(id_of("call", "id", id))
        return None if row is None else _detail(row)

    def tree(
        self,
        id: int | Call,  # noqa: A002 - the column's name
        *,
        most: int = 200,
        callers: int = 8,
        children: int = 30,
        depth: int = 8,
    ) -> Tree | None:
        """The tree around a call, by the call or its id, running or not; None where the tape has no such call.

        Args:
            id: the call.
            most: calls in all, from 1.
            callers: calls shown right above it; between them and the root is a gap.
            children: calls shown under one call.
            depth: levels below.
        """
        found = self._asked().tree(
            id_of("tree", "id", id),
            at_least("tree", "most", most, 1),
            at_least("tree", "callers", callers, 0),
            at_least("tree", "children", children, 0),
            at_least("tree", "depth", depth, 0),
        )
        if found is None:
            return None
        lines, missing_caller = found
        return Tree(tuple(_line(line) for line in lines), missing_caller)

    def functions(
        self,
        function: str | None = None,
        *,
        since: Moment | None = None,
        sort: FunctionColumn = "total",
        limit: int | None = None,
    ) -> Functions:
        """The functions that were called, with their figures; the greatest first.

        Args:
            function: only these: a name, a part of it between dots, a glob such as ``"shop.*.place"``, or a group.
            since: only whole minutes from this time on: a datetime (a naive one is local time), a timedelta or a text
                such as ``"10m"`` for so long ago, or Unix nanoseconds.
            sort: the column to sort by; names from a to z.
            limit: at most so many.
        """
        pattern = text("functions", "function", function)
        column = one_of("functions", "sort", sort, _COLUMNS)
        most = None if limit is None else at_least("functions", "limit", limit, 0)
        began = moment("functions", "since", since)
        rows, _ = self._asked().functions(pattern, began, column, most)
        return Functions((FunctionStats(*row) for row in rows), lambda name: self.latency(name, since=began))

    def errors(self, function: str | None = None, *, since: Moment | None = None, limit: int | None = None) -> Errors:
        """The errors, grouped by type, function and place; the most frequent first. Arguments as for :meth:`functions`.

        A cancelled call is no error.
        """
        pattern = text("errors", "function", function)
        most = None if limit is None else at_least("errors", "limit", limit, 0)
        rows = self._asked().errors(pattern, moment("errors", "since", since), most)
        return Errors(ErrorGroup(*[*figures, _failure(last)]) for *figures, last in rows)

    def accounting(self) -> Accounting:
        """Whether every call is stored or counted: the books of each function, the most called first, and of all."""
        functions, total = self._asked().accounting()
        return Accounting(
            total=Account(*total),
            functions=tuple(FunctionAccount(name, group, Account(*books)) for name, group, books in functions),
        )

    def runs(self, limit: int = 100) -> list[Run]:
        """The last processes that recorded on the tape, newest first."""
        rows = self._asked().runs(at_least("runs", "limit", limit, 0))
        return [Run(*[*figures, Account(*books)]) for *figures, books in rows]

    def _last_run(self) -> Run | None:
        return next(iter(self.runs(1)), None)

    def incidents(self, limit: int = 100) -> list[Incident]:
        """When recording was less than complete, what lasts first, then the newest."""
        return [Incident(*row) for row in self._asked().incidents(at_least("incidents", "limit", limit, 0))]

    def _asked(self) -> _native.Tape:
        """The native tape, before a question."""
        return self._native

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Tape {self.path}>"

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.tape(self.path, self.accounting(), self.functions(limit=_SHOWN_FUNCTIONS))


def _detail(row: tuple[Any, ...]) -> CallDetail:
    *fields, failure = row
    return CallDetail(*[*fields, _failure(failure)])


def _failure(row: tuple[Any, ...] | None) -> Failure | None:
    if row is None:
        return None
    error_type, message, file, line, place, chain, left_out, recorded = row
    links = tuple(
        Raised(kind, said, relation, of, tuple(f if isinstance(f, str) else Frame(*f) for f in frames), notes)
        for kind, said, relation, of, frames, notes in chain
    )
    return Failure(error_type, message, file, line, place, links, left_out, recorded)


def _line(row: tuple[Any, ...]) -> TreeLine:
    what, depth, content, flag = row
    if what == "call":
        return TreeLine(depth, Call(*content), flag, 0, False, False)
    return TreeLine(depth, None, False, content, what == "gap", flag)
