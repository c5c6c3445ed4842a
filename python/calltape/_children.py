"""Children that leave by `os._exit`, so that no exit hook runs: their runs are ended by the library that made them.

multiprocessing's children that were forked run multiprocessing's own finalisers and then leave; billiard's do the same,
but for those of Celery's pool, which send Celery's signal and then leave. None of these libraries is ever imported from
here: a child that they made has them.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

from calltape import _native

_LIBRARIES = ("multiprocessing", "billiard")

# After every finaliser of the program's, which begin at 0.
_LAST = -1_000_000

# The libraries whose hook for forked children is in place, and in which process.
_hooked: set[tuple[str, int]] = set()

# The finaliser in place of each library, and in which process.
_finalisers: dict[str, tuple[int, Any]] = {}


def install() -> None:
    """Have children arrange for their end: a process that was spawned now, a forked one when it begins."""
    arrange()
    os.register_at_fork(after_in_child=arrange)


def arrange() -> None:
    """Have this process's run end with it, should it be a child of one of the libraries, or become one.

    Runs at the import and in each forked child, where the library clears its finalisers afterwards and runs its own
    hooks; and once more after the child's run has begun, for a library that was loaded since the fork. What a signal's
    handler raises meanwhile is the program's.
    """
    for library in _LIBRARIES:
        util, process = sys.modules.get(f"{library}.util"), sys.modules.get(f"{library}.process")
        if util is None or process is None:
            continue
        # What looks otherwise in another version is left alone; the run then ends like one that was killed.
        with suppress(AttributeError, TypeError):
            if (library, os.getpid()) not in _hooked:
                util.register_after_fork(util, _end_with)
                _hooked.add((library, os.getpid()))
            if getattr(process.current_process(), "_parent_pid", None) is not None:
                _end_with(util)
                _end_with_celery()


def _end_with(util: Any) -> None:
    pid, finaliser = _finalisers.get(util.__name__, (0, None))
    if pid != os.getpid() or not finaliser.still_active():
        _finalisers[util.__name__] = os.getpid(), util.Finalize(None, _native.end, exitpriority=_LAST)


def _end_with_celery() -> None:
    signals: Any = sys.modules.get("celery.signals")
    if signals is not None:
        signals.worker_process_shutdown.connect(_end, weak=False, dispatch_uid="calltape")


def _end(**_said: object) -> None:
    _native.end()
