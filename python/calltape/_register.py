"""The program's own code for showing objects of a type on the tape.

Called by programs, once a type; what runs on a recorded call is native.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from calltape import _native

_Object = TypeVar("_Object")


def register(type: type[_Object], function: Callable[[_Object], object] | None) -> None:  # noqa: A002 - what it is
    """Capture objects of ``type`` and its subclasses as what ``function`` returns for them: a small value.

    Without it an object is captured from what it stores, and none of its code runs. A class may have a method
    ``__calltape__(self)`` instead, which is used in the same way; what is nearer in the order of an object's bases is
    used. None as the function takes a registration away.

    The function runs on the calling thread, for each object that is captured, so it should be quick. What it returns is
    captured in its place, within the same limits and masks. Calls that it makes of monitored functions are not
    recorded.
    What it raises never reaches the program: the value on the tape then says so, ``stats().failed_captures`` counts it,
    and after five failures the function is not run any more: objects of the type are only named, ``"[Order]"``. A
    ``KeyboardInterrupt`` is handed on to the program.

    Raises:
        TypeError: ``type`` is no type, or ``function`` can not be called.
        ValueError: objects of exactly this type are captured as they are, as those of int, str, list and dict.
    """
    _native.register(type, function)
