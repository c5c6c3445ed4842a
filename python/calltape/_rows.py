"""What a tape answers: calls, failures, figures, books. Frozen values; nothing here reads the tape.

Made by `_tape` of the native side's tuples, whose order is that of the fields. Times are Unix nanoseconds (UTC) in
fields that end in ``_ns`` and aware datetimes in properties that end in ``_at``; durations are nanoseconds in ``_ns``
and seconds in ``_s``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from calltape._figures import counted, duration, one_line, shortened

__all__ = [
    "Account",
    "Accounting",
    "Call",
    "CallDetail",
    "ErrorGroup",
    "Failure",
    "Frame",
    "FunctionAccount",
    "FunctionStats",
    "Incident",
    "Raised",
    "Run",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What stands among the arguments and is none: no parameter has brackets in its name.
_DEFAULTS, _EXTRA, _SET, _AT_END = "(defaults)", "(extra)", "(set)", "(taken at end)"


def _moment(ns: int) -> datetime:
    """A Unix time in nanoseconds as a datetime, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=ns // 1000)


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e9


def _read(text: str | None) -> Any:
    """Recorded JSON as a value; the text itself where it is none."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One call: a row of the tape's view ``calls``.

    ``status`` is ``ok``, ``error``, ``cancelled``, ``closed``, ``abandoned``, ``running`` or ``interrupted``;
    ``kind`` is ``function``, ``coroutine``, ``generator``, ``async_generator`` or ``span``. ``parent_id`` is the call
    that made it, ``root_id`` the outermost call of its tree, itself where nothing called it. ``duration_ns`` is the
    wall time from call to end, None while it runs and where it was interrupted; ``active_ns`` the time inside the
    body; ``yields`` the items a generator gave. ``weight`` is how many calls this one stands for. ``args_json`` and
    ``result_json`` are the captures as recorded, None where there is none.
    """

    id: int
    parent_id: int | None
    root_id: int
    function: str
    group: str | None
    kind: str
    status: str
    started_ns: int
    duration_ns: int | None
    active_ns: int | None
    yields: int | None
    args_json: str | None
    result_json: str | None
    error_type: str | None
    error_message: str | None
    thread: str
    task: str | None
    pid: int
    host: str
    run_id: int
    weight: float

    @property
    def args(self) -> dict[str, Any]:
        """The arguments by parameter name, as captured; empty where none were. Read anew each time."""
        return {name: value for name, value in self._recorded().items() if name not in _NOT_ARGUMENTS}

    @property
    def defaults(self) -> tuple[str, ...]:
        """The parameters that the caller left to their defaults."""
        names = self._recorded().get(_DEFAULTS)
        return tuple(str(name) for name in names) if isinstance(names, list) else ()

    @property
    def values(self) -> dict[str, Any]:
        """What ``current().set`` added."""
        values = self._recorded().get(_SET)
        return dict(values) if isinstance(values, dict) else {}

    @property
    def result(self) -> Any:
        """What it returned, as captured; None where nothing was, or None. Read anew each time."""
        return _read(self.result_json)

    @property
    def started_at(self) -> datetime:
        """When it began, UTC, to the microsecond."""
        return _moment(self.started_ns)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, UTC, to the microsecond; None where that is not known."""
        return None if self.duration_ns is None else _moment(self.started_ns + self.duration_ns)

    @property
    def duration_s(self) -> float | None:
        """From call to end in seconds; None while it runs and where it was interrupted."""
        return _seconds(self.duration_ns)

    @property
    def active_s(self) -> float | None:
        """Time inside the body in seconds."""
        return _seconds(self.active_ns)

    def _recorded(self) -> dict[str, Any]:
        recorded = _read(self.args_json)
        return recorded if isinstance(recorded, dict) else {}

    def __repr__(self) -> str:
        took = "" if self.duration_ns is None else f", {duration(self.duration_ns)}"
        raised = "" if self.error_type is None else f", {one_line(self.error_type)}: {_brief(self.error_message)}"
        return f"<{type(self).__name__} {self.id}: {one_line(self.function)}, {self.status}{took}{raised}>"

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.call(self)


_NOT_ARGUMENTS = frozenset((_DEFAULTS, _SET, _AT_END))


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in the program that an exception passed.

    ``line`` is 0 where unknown; ``source`` the line's text, stripped, where it could be had. ``is_outside`` says that
    it is the standard library's or an installed package's; ``locals`` are its variables as recorded JSON texts.
    """

    file: str
    line: int
    function: str
    source: str | None
    is_outside: bool
    locals: dict[str, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Raised:
    """One exception of a chain.

    ``relation`` says how it belongs to the one at position ``of`` in the chain: its ``cause``, its ``context``, a
    ``member`` of that group; None for the first. A text among ``frames`` stands for frames that were left out.
    """

    error_type: str
    message: str
    relation: str | None
    of: int | None
    frames: tuple[Frame | str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Failure:
    """What a call raised: type, message, the place that raised it, and the chain of exceptions, outermost first.

    ``left_out`` says how many exceptions of the chain were not recorded, in words. ``str()`` reads like a traceback.
    """

    error_type: str
    message: str
    file: str
    line: int
    place: str
    chain: tuple[Raised, ...]
    left_out: str | None
    traceback_json: str

    def __str__(self) -> str:
        from calltape import _text

        return _text.failure(self)

    def __repr__(self) -> str:
        where = f" at {one_line(self.file)}:{self.line}" if self.file else ""
        return f"<Failure {one_line(self.error_type)}: {_brief(self.message)}{where}>"


@dataclass(frozen=True, slots=True, repr=False)
class CallDetail(Call):
    """One call with all the tape knows of it.

    ``file`` and ``line`` are where its function is defined (empty and 0 where unknown), ``python`` and ``program`` the
    interpreter and the program that ran it, ``failure`` what it raised.
    """

    file: str
    line: int
    python: str
    program: str
    failure: Failure | None


@dataclass(frozen=True, slots=True, repr=False)
class FunctionStats:
    """One function's figures over a range of whole minutes. Durations are of all calls that were timed, stored or not.

    ``calls`` that ended are ``stored + sampled_out + dropped``; ``timed`` are those whose duration is known.
    ``total_ns`` adds up the timed ones' durations, ``estimated_total_ns`` scales that up to all calls. The
    percentiles are within 1.6 %; None where no call was timed.
    """

    function: str
    group: str | None
    kind: str
    calls: int
    stored: int
    sampled_out: int
    dropped: int
    timed: int
    errors: int
    total_ns: int
    estimated_total_ns: int
    min_ns: int | None
    max_ns: int | None
    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None

    @property
    def error_rate(self) -> float:
        """Errors a call, 0.0 to 1.0."""
        return self.errors / self.calls if self.calls else 0.0

    def __repr__(self) -> str:
        errors = f", {counted(self.errors, 'error', 'errors')}" if self.errors else ""
        return (
            f"<FunctionStats {one_line(self.function)}: {counted(self.calls, 'call', 'calls')}{errors}, "
            f"p50 {duration(self.p50_ns)}, p99 {duration(self.p99_ns)}>"
        )


@dataclass(frozen=True, slots=True, repr=False)
class ErrorGroup:
    """Calls of one function that ended in the same type of exception, raised at the same place with like messages.

    ``message_form`` is what the messages have in common: ``order <n> of <text> not paid``; docs/tape-format.md lists
    the placeholders. ``(any message)`` stands for messages that were not told apart. ``count`` is how many, stored or
    not; ``lost`` are those of them that have no row. ``last_call_id`` and ``last`` are the last one that has a row,
    None where none has.
    """

    error_type: str
    function: str
    file: str
    line: int
    place: str
    message_form: str
    count: int
    lost: int
    first_seen_ns: int
    last_seen_ns: int
    last_call_id: int | None
    last: Failure | None

    @property
    def first_seen_at(self) -> datetime:
        """When the first of them ended, UTC."""
        return _moment(self.first_seen_ns)

    @property
    def last_seen_at(self) -> datetime:
        """When the last of them ended, UTC."""
        return _moment(self.last_seen_ns)

    def __repr__(self) -> str:
        message = "" if self.last is None else f": {_brief(self.last.message)}"
        where = f" at {one_line(self.file)}:{self.line}" if self.file else ""
        return f"<ErrorGroup {self.count:,}x {one_line(self.error_type)}{message} in {one_line(self.function)}{where}>"


@dataclass(frozen=True, slots=True)
class Account:
    """A set of books: ``calls = stored + sampled_out + dropped + in_flight + unknown``.

    ``dropped_errors`` are those of the dropped that raised, ``pruned`` those of the stored whose row retention has
    removed. ``in_flight`` have not ended or are not stored yet; ``unknown`` is None where a run's journal is gone and
    nobody can say how many its calls were.
    """

    calls: int
    stored: int
    sampled_out: int
    dropped: int
    dropped_errors: int
    pruned: int
    in_flight: int
    unknown: int | None


@dataclass(frozen=True, slots=True)
class FunctionAccount:
    """The books of one function over all runs."""

    function: str
    group: str | None
    account: Account


@dataclass(frozen=True, slots=True, repr=False)
class Accounting:
    """The books of a tape: of all calls, and of each function, the most called first."""

    total: Account
    functions: tuple[FunctionAccount, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every call that was made has its row or was left out by sampling: none dropped, none unknown."""
        return self.total.dropped == 0 and self.total.unknown == 0

    def __repr__(self) -> str:
        total = self.total
        left_out = [("sampled out", total.sampled_out), ("dropped", total.dropped), ("in flight", total.in_flight)]
        parts = [f"{number:,} {what}" for what, number in left_out if number]
        unknown = [] if total.unknown == 0 else ["unknown how many more" if total.unknown is None else "some unknown"]
        return f"<Accounting {', '.join([f'{total.calls:,} calls: {total.stored:,} stored', *parts, *unknown])}>"

    def _repr_html_(self) -> str:
        from calltape import _html

        return _html.accounting(self)


@dataclass(frozen=True, slots=True)
class Run:
    """One process's recording.

    ``ending`` is ``running``, ``exit``, ``died`` or ``lost``; ``ended_ns`` is None while it runs.
    """

    id: int
    pid: int
    host: str
    program: str
    python: str
    started_ns: int
    ended_ns: int | None
    ending: str
    account: Account

    @property
    def started_at(self) -> datetime:
        """When it began, UTC."""
        return _moment(self.started_ns)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, UTC; None while it runs."""
        return None if self.ended_ns is None else _moment(self.ended_ns)


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that kept recording from being complete, for a time.

    ``run_id`` is None where it was the tape's; ``ended_ns`` while it lasts. ``times`` is how often it began.
    """

    run_id: int | None
    kind: str
    began_ns: int
    ended_ns: int | None
    times: int
    detail: str


def _brief(message: str | None) -> str:
    return shortened(one_line(message or ""), 60)
