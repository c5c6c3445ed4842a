"""What `monitor` takes, checked at decoration: never on a call.

Called by `_monitor`; turns what people write into what the native side reads. A wrong value is a `ValueError` that
names it and says what would do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from calltape import _native

# What of a call is recorded, with its default.
_SWITCHES = {"args": True, "result": True, "locals": False, "repr": False}

# Whole numbers among the budgets: the least and the most that work, and the unit. The settings have the same names.
_BUDGETS = {
    "max_call_bytes": (16, 2**31, "bytes"),
    "max_items": (1, 2**31, "items"),
    "max_depth": (1, 32, "levels"),
    "max_attributes": (0, 2**31, "attributes"),
}
_LEAST_REPR = 16

CaptureOption = bool | int | float | Mapping[str, bool]
SampleRate = float | Literal["auto"]
Duration = float | str | timedelta

# A time as the settings write it.
_TIME = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(us|ms|s|m|min|h|d)\s*", re.ASCII)
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_LONGEST = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Options:
    """The checked options of one decoration."""

    name: str | None
    group: str | None
    sample_rate: float | None  # None: "auto"
    keep_slower_ns: int | None
    capture_args: bool
    capture_result: bool
    left_out: list[str]
    must_have_left_out: bool
    policy: dict[str, Any]


def checked(
    name: str | None,
    group: str | None,
    sample_rate: SampleRate,
    keep_slower_than: Duration | None,
    capture: Mapping[str, CaptureOption] | None,
    max_repr: int | None,
    sensitive_fields: Iterable[str] | None,
) -> Options:
    """The options of `monitor`.

    Raises:
        ValueError: one of them cannot be used; the message names it.
    """
    for label, text in (("name", name), ("group", group)):
        if text is not None and (not isinstance(text, str) or not text):
            raise ValueError(f"monitor: {label} must be a str that is not empty, or None, not {text!r}")
    rate = _rate(sample_rate)
    slower = None if keep_slower_than is None else _threshold(keep_slower_than)
    if capture is not None and not isinstance(capture, Mapping):
        raise ValueError(f"monitor: capture must be a mapping such as {_SWITCHES}, not {capture!r}")
    capture = dict(capture or {})
    arguments = capture.get("args", True)
    left_out = _left_out(arguments) if isinstance(arguments, Mapping) else []
    if isinstance(arguments, Mapping):
        capture["args"] = True
    switches = dict(_SWITCHES)
    policy: dict[str, Any] = dict.fromkeys((*_BUDGETS, "max_capture_ns"))
    for key, value in capture.items():
        if key in _SWITCHES:
            if not isinstance(value, bool):
                others = ", or names to leave out such as {'user': False}" if key == "args" else ""
                raise ValueError(f"monitor: capture[{key!r}] must be True or False{others}, not {value!r}")
            switches[key] = value
        elif key == "max_capture_time":
            policy["max_capture_ns"] = nanoseconds(f"monitor: capture[{key!r}]", value)
        elif key in _BUDGETS:
            policy[key] = budget(f"monitor: capture[{key!r}]", key, value)
        else:
            known = ", ".join((*_SWITCHES, *_BUDGETS, "max_capture_time"))
            remedy = f"; give {key} to monitor itself" if key in ("max_repr", "sensitive_fields") else ""
            raise ValueError(f"monitor: capture knows {known}, not {key!r}{remedy}")
    policy["max_repr"] = None if max_repr is None else repr_budget("monitor", max_repr)
    policy["sensitive_fields"] = name_rules("monitor", sensitive_fields)
    policy["locals"] = switches["locals"]
    policy["runs_repr"] = switches["repr"]
    return Options(name, group, rate, slower, switches["args"], switches["result"], left_out, True, policy)


def _rate(value: object) -> float | None:
    """`sample_rate`, checked; None for "auto"."""
    if isinstance(value, str) and value == "auto":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise ValueError(f'monitor: sample_rate must be a number from 0.0 to 1.0, or "auto", not {value!r}')
    return float(value)


def _threshold(value: object) -> int:
    """`keep_slower_than`, checked, in nanoseconds."""
    seconds: float | None = None
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str):
        found = _TIME.fullmatch(value)
        seconds = float(found[1]) * _UNITS[found[2]] if found else None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = value
    if seconds is None or not 0.0 < seconds <= _LONGEST:
        raise ValueError(
            f"monitor: keep_slower_than must be a time above 0 and up to a year: seconds such as 0.5, a text such as "
            f'"50ms" or "2s", a timedelta, or None for none; not {value!r}'
        )
    return max(round(seconds * 1e9), 1)


def repr_budget(caller: str, value: object) -> int:
    """`max_repr`, checked."""
    if isinstance(value, bool) or not isinstance(value, int) or value < _LEAST_REPR:
        raise ValueError(f"{caller}: max_repr must be a whole number of bytes from {_LEAST_REPR}, not {value!r}")
    return value


def budget(label: str, key: str, value: object) -> int:
    """One of the other budgets that are whole numbers, checked; ``label`` is what the caller calls it."""
    least, most, unit = _BUDGETS[key]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{label} must be a whole number of {unit} from {least} to {most}, not {value!r}")
    return value


def name_rules(caller: str, entries: object) -> list[str]:
    """`sensitive_fields`, checked: names as `"badge"`, parts as `"*pin"`, `"-token"` and `"-*"` to take away."""
    if entries is None:
        return []
    if isinstance(entries, (str, bytes)) or not isinstance(entries, Iterable):
        raise ValueError(f"{caller}: sensitive_fields must be a collection such as ['badge'], not {entries!r}")
    rules = list(entries)
    for rule in rules:
        if not isinstance(rule, str) or not _native.is_name_rule(rule):
            raise ValueError(
                f"{caller}: sensitive_fields has {rule!r}; give a name such as 'badge', a part such as '*pin' or "
                "'pin*', '-token' to withhold tokens no more, '-*' to begin with none"
            )
    return rules


def _left_out(arguments: Mapping[str, bool]) -> list[str]:
    for name, keep in arguments.items():
        if not isinstance(name, str) or not isinstance(keep, bool):
            raise ValueError(
                f"monitor: capture['args'] must be True, False or a mapping of argument names to True or False, "
                f"such as {{'user': False}}, not {dict(arguments)!r}"
            )
    return [str(name) for name, keep in arguments.items() if not keep]


def nanoseconds(label: str, value: object) -> int:
    """A time in seconds, checked; ``label`` is what the caller calls it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 3600.0:
        raise ValueError(f"{label} must be a number of seconds from 0 to 3600, not {value!r}")
    return round(value * 1e9)
