"""calltape: a flight recorder for Python function calls.

Mark a function with :func:`monitor`, run the program, then read the tape with the ``calltape`` command::

    from calltape import monitor

    @monitor
    def place(order, *, dry_run=False):
        ...

Every call leaves a record in an SQLite file: its arguments by name, its result or its exception, how long it took and
which call made it. Recording starts with the first recorded call; importing this package starts no thread and makes no
file.
"""

from calltape._breaker import CircuitBreaker, CircuitBreakerOpen
from calltape._children import install as _end_in_children
from calltape._lifecycle import Breaker, Stats, flush, start, stats, stop
from calltape._monitor import monitor, unmonitor
from calltape._pools import install as _carry_calls_into_pools
from calltape._register import register
from calltape._serializer import SmartSerializer
from calltape._span import CurrentCall, current, span, suppressed

__all__ = [
    "Breaker",
    "CircuitBreaker",
    "CircuitBreakerOpen",
    "CurrentCall",
    "SmartSerializer",
    "Stats",
    "current",
    "flush",
    "monitor",
    "register",
    "span",
    "start",
    "stats",
    "stop",
    "suppressed",
    "unmonitor",
]

_carry_calls_into_pools()
_end_in_children()
