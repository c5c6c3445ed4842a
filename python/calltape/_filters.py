"""Arguments of questions, checked: what people write, as the native side reads it.

Called by `_tape`. A wrong one is a `TypeError` or a `ValueError` that names it and says what would do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from calltape import _native
from calltape._rows import Call, Run

__all__ = [
    "Duration",
    "Filters",
    "Moment",
    "Side",
    "Statuses",
    "at_least",
    "choose",
    "id_of",
    "moment",
    "one_of",
    "side",
    "span",
    "statuses",
    "text",
]

Moment = datetime | timedelta | str | int
Duration = timedelta | str | float
Statuses = str | Sequence[str]
Side = Run | str | tuple[Moment | None, Moment | None]


class Filters(TypedDict, total=False):
    """What narrows calls, beside a function; :meth:`calltape.Tape.calls` says what each means."""

    where: str | None
    group: str | None
    status: Statuses | None
    error_type: str | None
    since: Moment | None
    until: Moment | None
    slower_than: Duration | None
    faster_than: Duration | None
    thread: str | None
    task: str | None
    pid: int | None
    run: int | str | Run | None
    parent: int | Call | None
    root: int | Call | None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GREATEST = 2**63 - 1


def choose(caller: str, function: object, filters: Filters) -> dict[str, Any]:
    """A filter as the native side takes it."""
    for name in filters:
        if name not in Filters.__annotations__:
            known = ", ".join(Filters.__annotations__)
            raise TypeError(f"{caller}: there is no filter {name!r}; there are function, {known}")
    pid = filters.get("pid")
    where = text(caller, "where", filters.get("where"))
    if where is not None:
        _native.check_condition(where)
    return {
        "function": text(caller, "function", function),
        "where": where,
        "group": text(caller, "group", filters.get("group")),
        "status": statuses(caller, "status", filters.get("status")),
        "error_type": text(caller, "error_type", filters.get("error_type")),
        "since_ns": moment(caller, "since", filters.get("since")),
        "until_ns": moment(caller, "until", filters.get("until")),
        "slower_than_ns": span(caller, "slower_than", filters.get("slower_than")),
        "faster_than_ns": span(caller, "faster_than", filters.get("faster_than")),
        "thread": text(caller, "thread", filters.get("thread")),
        "task": text(caller, "task", filters.get("task")),
        "pid": None if pid is None else at_least(caller, "pid", pid, 0),
        "run": _run_or_none(caller, filters.get("run")),
        "parent": _id_or_none(caller, "parent", filters.get("parent")),
        "root": _id_or_none(caller, "root", filters.get("root")),
    }


def _id_or_none(caller: str, name: str, value: object) -> int | None:
    return None if value is None else id_of(caller, name, value)


def _run_or_none(caller: str, value: object) -> int | None:
    """A run's id, by the run, the id, or the text that is shown of it."""
    if value is None:
        return None
    if isinstance(value, Run):
        return value.id
    if not isinstance(value, str):
        return at_least(caller, "run", value, 0)
    found = _native.read_run(value)
    if found is None:
        raise ValueError(f"{caller}: run must be a Run, its id, or its 16 digits as a text, not {value!r}")
    return found


def text(caller: str, name: str, value: object) -> str | None:
    """A text, or None for any."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{caller}: {name} must be a str, or None for any, not {value!r}")
    if not value:
        raise ValueError(f"{caller}: {name} must not be empty; None is for any")
    return value


def one_of(caller: str, name: str, value: object, words: Sequence[str]) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{caller}: {name} must be one of {', '.join(words)}, not {value!r}")
    return value


def at_least(caller: str, name: str, value: object, least: int) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _GREATEST:
        raise ValueError(f"{caller}: {name} must be a whole number from {least}, not {value!r}")
    return value


def id_of(caller: str, name: str, value: object) -> int:
    """A call's id, by the id or the call."""
    if isinstance(value, Call):
        return value.id
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{caller}: {name} must be the id of a call, a whole number, not {value!r}")
    if not 0 <= value <= _GREATEST:
        raise ValueError(f"{caller}: {name} must be the id of a call, from 0, not {value!r}")
    return value


def moment(caller: str, name: str, value: object) -> int | None:
    """A time as Unix nanoseconds."""
    if value is None:
        return None
    found: int | None = None
    if isinstance(value, datetime):
        found = _unix(value.astimezone() if value.tzinfo is None else value)
    elif isinstance(value, timedelta):
        found = time.time_ns() - value // timedelta(microseconds=1) * 1000
    elif isinstance(value, str):
        found = _native.read_moment(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        found = value
    if found is None or not -_GREATEST <= found <= _GREATEST:
        raise (ValueError if isinstance(value, (str, int, timedelta)) else TypeError)(
            f"{caller}: {name} must be a datetime, a timedelta or a text such as '10m' or '3d' for so long ago, a "
            f"text such as '2026-10-14T09:00' or 'yesterday 14:00', or Unix nanoseconds; not {value!r}"
        )
    return found


def _unix(value: datetime) -> int:
    return (value - _EPOCH) // timedelta(microseconds=1) * 1000


def span(caller: str, name: str, value: object) -> int | None:
    """A length of time as nanoseconds: a number is seconds."""
    if value is None:
        return None
    found: int | None = None
    if isinstance(value, timedelta):
        found = value // timedelta(microseconds=1) * 1000
    elif isinstance(value, str):
        found = _native.read_span(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _GREATEST / 1e9:
        found = round(value * 1e9)
    if found is None or not 0 <= found <= _GREATEST:
        raise (ValueError if isinstance(value, (str, int, float, timedelta)) else TypeError)(
            f"{caller}: {name} must be a time from 0: a text with a unit such as '50ms', a number of seconds, or a "
            f"timedelta; not {value!r}"
        )
    return found


def statuses(caller: str, name: str, value: object) -> list[str]:
    """Some statuses; none for any."""
    if value is None:
        return []
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Iterable):
        raise TypeError(f"{caller}: {name} must be a status or several, not {value!r}")
    known = _native.statuses()
    chosen = [word.strip() if isinstance(word, str) else word for word in words]
    for word in chosen:
        if word not in known:
            raise ValueError(f"{caller}: {name} must be one or several of {', '.join(known)}, not {word!r}")
    return chosen


def side(
    caller: str, name: str, value: object, last: Callable[[], Run | None], has: Callable[[int], bool]
) -> tuple[int | None, int | None, int | None]:
    """One of two that are compared: a run's id, or the beginning and the end of a range. `last` is the tape's last run,
    `has` says whether it has one.
    """
    if isinstance(value, str) and value.strip() == "run:last":
        value = last()
        if value is None:
            raise ValueError(f"{caller}: {name} is 'run:last', and the tape has no run")
    if isinstance(value, Run):
        return _on_tape(caller, name, value.id, has), None, None
    if isinstance(value, str) and value.strip().startswith("run:"):
        run = _native.read_run(value.strip().removeprefix("run:"))
        if run is None:
            raise ValueError(f"{caller}: {name} must be 'run:last' or 'run:' and a run's id, not {value!r}")
        return _on_tape(caller, name, run, has), None, None
    parts: object = value
    if isinstance(value, str) and value.count("..") == 1:
        parts = tuple(part or None for part in value.split(".."))
    if not isinstance(parts, (tuple, list)) or len(parts) != 2:
        raise (ValueError if isinstance(value, (str, tuple, list)) else TypeError)(
            f"{caller}: {name} must be a pair of times such as ('2h', '1h'), where None is open, a text such as "
            f"'2h..1h' or 'run:7', or a Run; not {value!r}"
        )
    begin, end = moment(caller, name, parts[0]), moment(caller, name, parts[1])
    if begin is not None and end is not None and begin > end:
        raise ValueError(f"{caller}: {name} ends before it begins: {value!r}; the earlier time comes first")
    return None, begin, end


def _on_tape(caller: str, name: str, run: int, has: Callable[[int], bool]) -> int:
    """A run's id, where the tape has it."""
    if not has(run):
        raise ValueError(f"{caller}: {name} is the run {run:016x}, which is not on this tape; Tape.runs() lists them")
    return run
