"""Figures as people read them, and text that is safe to print. Used by the rows' `repr`, the trees and the HTML."""

from __future__ import annotations

__all__ = ["counted", "duration", "one_line", "shortened"]

_SECOND = 1_000_000_000


def duration(ns: int | None) -> str:
    """A duration in nanoseconds as the command line writes it: ``1.24 ms``, ``1 min 12 s``; None is ``-``."""
    if ns is None:
        return "-"
    if ns < 1_000:
        return f"{ns} ns"
    for unit, in_ns, limit in (("µs", 1e3, 1e3), ("ms", 1e6, 1e3), ("s", 1e9, 60.0)):
        value = ns / in_ns
        text = f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"
        # After rounding: 999.7 µs is 1 ms.
        if float(text) < limit:
            return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"
    seconds = (ns + _SECOND // 2) // _SECOND
    for size, unit, below, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // below
            return f"{seconds // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


def counted(number: int, one: str, many: str) -> str:
    """A count of things: ``1 call``, ``1,234 calls``."""
    return f"{number:,} {one if number == 1 else many}"


def one_line(text: str) -> str:
    """Text of the tape on one line, with nothing a terminal acts on."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def shortened(text: str, most: int) -> str:
    """The text with at most so many characters, the cut marked."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "replace").decode("ascii")
