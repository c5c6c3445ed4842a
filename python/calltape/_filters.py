"""Arguments of questions, checked: what people write, as the native side reads it.

Called by `_tape`. A wrong one is a `TypeError` or a `ValueError` that names it and says what would do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from calltape._rows import Call

__all__ = ["Duration", "Moment", "at_least", "id_of", "moment", "one_of", "text"]

Moment = datetime | timedelta | str | int
Duration = timedelta | str | float

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN = re.compile(r"(\d+)\s*(s|sec|m|min|h|d|w)", re.ASCII)
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_GREATEST = 2**63 - 1


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
        found = _said(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        found = value
    if found is None or not -_GREATEST <= found <= _GREATEST:
        raise (ValueError if isinstance(value, (str, int, timedelta)) else TypeError)(
            f"{caller}: {name} must be a datetime, a timedelta or a text such as '10m' or '3d' for so long ago, a "
            f"text such as '2026-10-14T09:00', or Unix nanoseconds; not {value!r}"
        )
    return found


def _said(value: str) -> int | None:
    """A time as people write it: so long ago, or a date and a time, local where it has no offset."""
    stripped = value.strip()
    spans = _SPAN.findall(stripped)
    if spans and not _SPAN.sub("", stripped).strip():
        return time.time_ns() - sum(int(number) * _SECONDS[unit] for number, unit in spans) * 1_000_000_000
    try:
        said = datetime.fromisoformat(stripped)
    except ValueError:
        return None
    return _unix(said.astimezone() if said.tzinfo is None else said)


def _unix(value: datetime) -> int:
    return (value - _EPOCH) // timedelta(microseconds=1) * 1000
