"""The calls that led to a failure, as text. Used by the pytest plugin."""

from __future__ import annotations

from calltape._calls import Calls
from calltape._rows import Call
from calltape._tape import Tape
from calltape._text import tree as drawn

__all__ = ["calls_that_led_to"]

# Failed calls among which the one that raised is looked for, and outermost calls shown where none did.
_LOOKED_AT, _SHOWN = 200, 5


def calls_that_led_to(tape: Tape, raised: BaseException) -> str:
    """The tree of the calls in which an exception passed; where it passed none, the trees of the last calls."""
    failed = _where_it_began(tape.calls(status="error", limit=_LOOKED_AT), raised)
    if failed is not None:
        tree = tape.tree(failed)
        if tree is not None:
            return drawn(tree, mark="  <- raised here", values=True)
    last = [*tape.calls(where="not has parent", limit=_SHOWN)]
    if not last:
        return "no monitored function was called"
    trees = [tape.tree(call) for call in reversed(last)]
    head = f"no monitored call raised it; the last {'call' if len(last) == 1 else f'{len(last)} calls'}:"
    return "\n".join([head, *(drawn(tree, mark="", values=True) for tree in trees if tree is not None)])


def _where_it_began(failed: Calls, raised: BaseException) -> Call | None:
    """The innermost call that an exception, or what it came from, ended: the newest of those that fit best."""
    exceptions = [*_chain(raised)]
    calls = [*failed]
    fitting = (call for exception in exceptions for call in calls if _fits(call, exception))
    return next(fitting, None)


def _chain(raised: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while raised is not None and not any(raised is known for known in chain):
        chain.append(raised)
        raised = raised.__cause__ or raised.__context__
    return chain


def _fits(call: Call, exception: BaseException) -> bool:
    kind = type(exception)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return call.error_type == name
