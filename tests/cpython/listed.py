"""The differences that are known, from `listed.toml`, and what a run is judged by.

Used by `__main__.py`. An entry holds for the versions it names; there it must describe exactly what is seen, so that it
leaves the list when its reason does.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

LIST = Path(__file__).with_name("listed.toml")

# Who changes the outcome: the decorator in the source, whatever it does, or the recording of the call.
CAUSES = ("rewriting", "monitoring")


@dataclass(frozen=True)
class Listed:
    """A test whose outcome differs from the bare one, and why."""

    test: str
    python: tuple[str, ...]
    outcome: str
    cause: str
    reason: str


@dataclass(frozen=True)
class Seen:
    """A test's outcome in each column, `absent` where a column does not have it, and what the last one said."""

    bare: str
    rewritten: str
    monitored: str
    detail: str = ""

    @property
    def same(self) -> bool:
        """Whether the test ends as bare, both with any decorator and monitored."""
        return self.bare == self.rewritten == self.monitored

    def fits(self, entry: Listed) -> bool:
        """Whether the entry says what is seen."""
        changed_by_rewriting = entry.cause == "rewriting"
        return (
            self.monitored == entry.outcome != self.bare
            and self.rewritten == (self.monitored if changed_by_rewriting else self.bare)
        )  # fmt: skip


@dataclass(frozen=True)
class Dropping:
    """A module of whose calls some are dropped, and why."""

    module: str
    python: tuple[str, ...]
    reason: str


_Entry = TypeVar("_Entry", Listed, Dropping)


@dataclass(frozen=True)
class Known:
    """The list, or the part of it that holds for one version."""

    tests: tuple[Listed, ...]
    drops: tuple[Dropping, ...]

    def on(self, version: str) -> "Known":
        """What holds for a version, such as 3.11."""
        return Known(
            tuple(entry for entry in self.tests if version in entry.python),
            tuple(entry for entry in self.drops if version in entry.python),
        )

    def of(self, module: str) -> list[Listed]:
        """The entries for a module's tests."""
        return [entry for entry in self.tests if entry.test.startswith(f"{module}.")]

    @property
    def dropping(self) -> frozenset[str]:
        """The modules of whose calls some are dropped."""
        return frozenset(entry.module for entry in self.drops)


def read(path: Path = LIST) -> Known:
    """The list.

    Raises:
        ValueError: an entry has other keys than its class has, or no reason, or a cause that is not one of the two.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    tests = tuple(_entry(Listed, entry) for entry in document.pop("listed", []))
    drops = tuple(_entry(Dropping, entry) for entry in document.pop("dropping", []))
    if document or not all(entry.cause in CAUSES for entry in tests):
        raise ValueError(f"{path.name}: a cause that is none of {CAUSES}, or a table of another name: {document}")
    return Known(tests, drops)


def _entry(kind: type[_Entry], keys: dict[str, Any]) -> _Entry:
    if set(keys) != set(kind.__dataclass_fields__) or not keys["reason"]:
        raise ValueError(f"not a whole entry: {keys}")
    return kind(**{**keys, "python": tuple(keys["python"])})


def judge(seen: Mapping[str, Seen], entries: Iterable[Listed]) -> list[str]:
    """What is wrong, a text for each test: a difference that is not listed, an entry that does not hold."""
    wrong = []
    listed = {entry.test: entry for entry in entries}
    for test, outcomes in seen.items():
        entry = listed.pop(test, None)
        columns = f"bare {outcomes.bare}, rewritten {outcomes.rewritten}, monitored {outcomes.monitored}"
        if entry is not None and not outcomes.fits(entry):
            wrong.append(f"{test}: {columns}; listed as {entry.outcome} by {entry.cause}\n{outcomes.detail}")
        elif entry is None and not outcomes.same:
            wrong.append(f"{test}: {columns}\n{outcomes.detail}")
    wrong += [f"{test}: is listed, and there is no such test" for test in listed]
    return wrong
