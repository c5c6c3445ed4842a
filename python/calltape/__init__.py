"""calltape: a flight recorder for Python function calls.

Mark a function with :func:`monitor`, run the program, then read the tape with the ``calltape`` command::

    from calltape import monitor

    @monitor
    def place(order, *, dry_run=False):
        ...

Every call leaves a record in an SQLite file: its arguments by name, its result or its exception, how long it took and
which call made it. Recording starts with the first recorded call; importing this package starts no thread and makes no
file.

Python reads a tape with :func:`open`, in the program that records, in a notebook, in a test (:mod:`calltape.testing`).
"""

from typing import TYPE_CHECKING, Any

from calltape._breaker import CircuitBreaker, CircuitBreakerOpen
from calltape._children import install as _end_in_children
from calltape._lifecycle import Breaker, Stats, flush, start, stats, stop
from calltape._monitor import monitor, unmonitor
from calltape._pools import install as _carry_calls_into_pools
from calltape._register import register
from calltape._serializer import SmartSerializer
from calltape._span import CurrentCall, current, span, suppressed

if TYPE_CHECKING:
    from calltape._calls import Calls
    from calltape._diff import Diff, Figures, FunctionDiff
    from calltape._faults import FilterError, StatementError, TapeError
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
    from calltape._tape import Tape, open  # noqa: A004 - `calltape.open`
    from calltape._tree import Tree, TreeLine

__all__ = [
    "Account",
    "Accounting",
    "Breaker",
    "Bucket",
    "Call",
    "CallDetail",
    "CallList",
    "Calls",
    "CircuitBreaker",
    "CircuitBreakerOpen",
    "CurrentCall",
    "Diff",
    "ErrorGroup",
    "Errors",
    "Failure",
    "Figures",
    "FilterError",
    "Frame",
    "FunctionAccount",
    "FunctionDiff",
    "FunctionStats",
    "Functions",
    "Incident",
    "Latency",
    "Minute",
    "Raised",
    "Run",
    "SmartSerializer",
    "SqlAnswer",
    "StatementError",
    "Stats",
    "Tape",
    "TapeError",
    "Tree",
    "TreeLine",
    "current",
    "flush",
    "monitor",
    "open",
    "register",
    "span",
    "start",
    "stats",
    "stop",
    "suppressed",
    "unmonitor",
]

# Reading is loaded when it is first asked for: a program that only records need not pay for it.
_READING = {
    "_calls": ("Calls",),
    "_diff": ("Diff", "Figures", "FunctionDiff"),
    "_faults": ("FilterError", "StatementError", "TapeError"),
    "_latency": ("Bucket", "Latency", "Minute"),
    "_lists": ("CallList", "Errors", "Functions"),
    "_rows": (
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
    ),
    "_sql": ("SqlAnswer",),
    "_tape": ("Tape", "open"),
    "_tree": ("Tree", "TreeLine"),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        for module, names in _READING.items():
            if name in names:
                from importlib import import_module

                value = globals()[name] = getattr(import_module(f"calltape.{module}"), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


_carry_calls_into_pools()
_end_in_children()
