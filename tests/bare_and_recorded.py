"""A program run twice, bare and recorded: what it prints must not differ, and what it recorded is told in short lines.

Bare is the same program text with `CALLTAPE_DISABLED=1`, where `monitor` gives back what it gets.
"""

import difflib
import json
from typing import Any

from conftest import Ended, RunProgram, Tape


def run_both(run_program: RunProgram, program: str) -> Ended:
    """The recorded run of a program, after both runs printed the same."""
    bare = run_program(program, env={"CALLTAPE_DISABLED": "1"})
    assert not bare.tape.path.exists()
    recorded = run_program(program)
    for ours, theirs in ((recorded.stdout, bare.stdout), (recorded.stderr, bare.stderr)):
        difference = difflib.unified_diff(theirs.splitlines(), ours.splitlines(), "bare", "recorded", lineterm="")
        assert ours == theirs, "\n".join(difference)
    return recorded


def told(tape: Tape) -> list[str]:
    """Each call in order, as `Class.method name=value`, arguments that were left to their defaults not told; a call
    that failed ends with its error."""
    return [_line(call) for call in tape.calls()]


def _line(call: dict[str, Any]) -> str:
    arguments = json.loads(call["args"] or "{}")
    omitted = arguments.pop("(defaults)", [])
    named = [f"{name}={json.dumps(value)}" for name, value in arguments.items() if name not in omitted]
    failed = [] if call["status"] == "ok" else [f"-> {call['error_type']}"]
    return " ".join([call["function"].removeprefix("__main__."), *named, *failed])
