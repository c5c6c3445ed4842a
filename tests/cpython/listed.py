"""The differences that are known, from `listed.toml`, and what a run is judged by.

Used by `__main__.py`. An entry holds for the versions it names; there it must describe exactly what is seen, so that it
leaves the list when its reason does.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

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


def read(path: Path = LIST) -> list[Listed]:
    """The entries of the list.

    Raises:
        ValueError: an entry has another key than these five, or no reason, or a cause that is not one of the two.
    """
    entries = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("listed", []):
        if set(entry) != set(Listed.__dataclass_fields__) or not entry["reason"] or entry["cause"] not in CAUSES:
            raise ValueError(f"{path.name}: not a whole entry: {entry}")
        entries.append(Listed(**{**entry, "python": tuple(entry["python"])}))
    return entries


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
