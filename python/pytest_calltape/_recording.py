"""What ``--calltape`` does: a tape a test, and a section in the report of one that fails.

Registered by the package when the option is given. It never fails a test: what goes wrong here stands in the section.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from calltape import TapeError
from calltape._report import calls_that_led_to
from calltape.testing import RecordedTape, record

_TAPE = pytest.StashKey[RecordedTape]()
_WANTED = pytest.StashKey[bool]()
_KEPT = pytest.StashKey[Path]()
_SECTION = "calltape: calls of this test"

# Characters of a test's name in a file's.
_MOST_OF_A_NAME = 120


class Recording:
    """The hooks of a session that records."""

    def __init__(self, keep_in: str | None) -> None:
        self._keep_in = None if keep_in is None else Path(keep_in)
        # The files of this session, by name, and whose they are.
        self._kept: dict[str, str] = {}

    def tape_of(self, item: pytest.Item) -> RecordedTape:
        """The tape of a test that runs."""
        item.stash[_WANTED] = True
        return item.stash[_TAPE]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Records set-up, call and tear-down."""
        # Most tests pass, soon, and nobody asks for their tapes: nothing is stored until somebody does.
        block = record(flush_interval="250ms")
        item.stash[_TAPE] = block.__enter__()
        item.stash[_WANTED] = False
        try:
            return (yield)
        finally:
            if item.stash[_WANTED] or _KEPT in item.stash:
                block.__exit__(None, None, None)
            else:
                block.discard()
            self._keep(item)
            del item.stash[_TAPE]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Adds the section to the report of a failure."""
        report = yield
        tape = item.stash.get(_TAPE, None)
        if report.failed and call.excinfo is not None and tape is not None:
            report.sections.append((_SECTION, self._section(item, tape, call.excinfo.value)))
        return report

    def _section(self, item: pytest.Item, tape: RecordedTape, raised: BaseException) -> str:
        try:
            text = calls_that_led_to(tape, raised)
        except (TapeError, OSError) as error:
            return f"no calls can be shown: {error}"
        if self._keep_in is None:
            return text
        item.stash[_KEPT] = self._keep_in / self._file_name(item.nodeid)
        return f"{text}\n\nthe tape: {item.stash[_KEPT]}"

    def _keep(self, item: pytest.Item) -> None:
        """Copies the tape of a test that failed, with its tear-down, now that nothing has it open."""
        kept = item.stash.get(_KEPT, None)
        if kept is None:
            return
        del item.stash[_KEPT]
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            item.stash[_TAPE]._copy_to(kept)
        except OSError as error:
            print(f"calltape: the tape of {item.nodeid} is not kept: {error}", file=sys.stderr)

    def _file_name(self, nodeid: str) -> str:
        """A file's name for a test. What is no letter becomes an underscore; where two then look alike, a number."""
        name = re.sub(r"[^\w.-]+", "_", nodeid)[-_MOST_OF_A_NAME:]
        if self._kept.setdefault(name, nodeid) != nodeid:
            name = f"{name}-{zlib.crc32(nodeid.encode()):08x}"
        return f"{name}.db"
