"""Runs one module of CPython's tests in one column and writes each test's outcome as JSON.

Started by `__main__.py` in a process of its own: `python -m cpython.column COLUMN OUTPUT MODULE`. `CALLTAPE_DB` names
the tape of the monitored column; the other columns do not import calltape.
"""

import importlib
import json
import logging
import os
import sys
import unittest
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cpython import MODULES, rewriting


class Outcomes(unittest.TestResult):
    """One word for each test, and the traceback where there is one. A subtest's failure is its test's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}

    def _note(self, test: unittest.TestCase, outcome: str, detail: str = "") -> None:
        first = self.found.setdefault(test.id(), {"outcome": outcome, "detail": ""})
        first["detail"] += detail

    def _failed(self, test: unittest.TestCase, err: Any, where: str = "") -> None:
        outcome = "failure" if issubclass(err[0], test.failureException) else "error"
        text: str = self._exc_info_to_string(err, test)  # type: ignore[attr-defined]
        self._note(test, outcome, f"{where}{text}")

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self._note(test, "ok")

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self._failed(test, err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self._failed(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self._note(test, "skipped", reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: ARG002, N802
        self._note(test, "expected failure")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self._note(test, "unexpected success")

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:  # noqa: N802
        if err is not None:
            self._failed(test, err, where=f"{subtest.id()}\n")


class Said(logging.Handler):
    """What calltape's own log says during the run: it has no reason to say anything."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def outcomes_of(module: str) -> dict[str, dict[str, str]]:
    """Imports the module and runs its tests, in the state of the warnings that unittest's own runner makes."""
    outcomes = Outcomes()
    try:
        suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(module))
    except unittest.SkipTest as reason:
        return {module: {"outcome": "skipped", "detail": str(reason)}}
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        suite.run(outcomes)
    return outcomes.found


def run_monitored(modules: set[str], run: Callable[[], dict[str, dict[str, str]]]) -> dict[str, Any]:
    """Runs the tests with `monitor` on every function; the outcomes, and the recording's own figures."""
    import calltape

    left: set[str] = set()

    def decorate(function: Any) -> Any:
        monitored = calltape.monitor(function)
        if monitored is function:
            left.add(function.__qualname__)
        return monitored

    said = Said()
    logging.getLogger("calltape").addHandler(said)
    calltape.start(on_full="block", block_timeout=60)
    rewriting.install(decorate, modules)
    found = run()
    flushed = calltape.flush(timeout=60)
    figures = calltape.stats()
    names = ("recorded", "stored", "sampled_out", "dropped", "in_flight", "reentrant", "faults")
    stats = {name: getattr(figures, name) for name in names}
    return {"tests": found, "flushed": flushed, "stats": stats, "log": said.lines, "left": sorted(left)}


def main(column: str, output: str, module: str) -> None:
    """Runs the column and writes what it found."""
    os.environ.pop("PYTHONPATH", None)  # the tests' own child processes have no use for it
    modules = {*MODULES, module}
    if column == "monitored":
        document = run_monitored(modules, lambda: outcomes_of(module))
    else:
        if column == "rewritten":
            rewriting.install(lambda function: function, modules)
        document = {"tests": outcomes_of(module)}
    Path(output).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
