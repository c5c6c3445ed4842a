"""The torture's judge finds what is planted: a loss, a doubled row, an altered payload, books that do not balance.

The tape is a real one; each plant is made in a copy of it with the standard `sqlite3`, on the tables behind the views.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from torture.oracle import Allowance, compare
from torture.stage import Stage

OUTER = "SELECT max(id) FROM call WHERE function_id = (SELECT id FROM function WHERE name LIKE '%.outer')"
LAST = f"({OUTER})"
BOOKS = "(SELECT id FROM function WHERE name LIKE '%.outer')"

# A row that retention removed.
REMOVED = f"DELETE FROM call WHERE id = {LAST}; UPDATE run_function SET pruned = pruned + 1 WHERE function_id = {BOOKS}"

# What is planted, and words of the line that must find it.
PLANTS = {
    "a lost row, its books untouched": (f"DELETE FROM call WHERE id = {LAST}", "its books say"),
    "a loss that the books confess": (
        f"DELETE FROM call WHERE id = {LAST}; UPDATE run_function SET stored = stored - 1 WHERE function_id = {BOOKS};"
        f" UPDATE minute SET calls = calls - 1 WHERE function_id = {BOOKS} AND minute ="
        f" (SELECT max(minute) FROM minute WHERE function_id = {BOOKS})",
        "are unknown",
    ),
    "a doubled row": (
        "INSERT INTO call SELECT id + 1000000, function_id, thread_id, status, started_ns, duration_ns, args, result,"
        f" parent_id, root_id, weight, active_ns, yields, task FROM call WHERE id = {LAST}",
        "is stored twice",
    ),
    "another argument": (
        f"UPDATE call SET args = replace(args, 'a', 'e') WHERE function_id = {BOOKS} AND args LIKE '%a%a%a%'",
        "has other arguments",
    ),
    "another result": (f"UPDATE call SET result = '1' WHERE function_id <> {BOOKS}", "should have given"),
    "another outcome": (f"UPDATE call SET status = 1 WHERE id = {LAST}", "should have given"),
    "a call that returned, as interrupted": (
        f"UPDATE call SET status = 6, result = NULL WHERE id = {LAST}",
        "returned and is stored as interrupted",
    ),
    "a call nobody made": (
        f"UPDATE call SET args = '{{\"n\":77}}' WHERE function_id <> {BOOKS} AND args = '{{\"n\":7}}'",
        "neither returned nor was in flight",
    ),
    "a call under another parent": (
        f"UPDATE call SET parent_id = parent_id + 1 WHERE function_id <> {BOOKS}",
        "is not under",
    ),
    "more calls in the books than were made": (
        f"UPDATE run_function SET calls = calls + 3, stored = stored + 3 WHERE function_id = {BOOKS}",
        "its books say",
    ),
    "books that hold less than nothing": (
        f"UPDATE run_function SET calls = stored - 1 WHERE function_id = {BOOKS}",
        "less than nothing",
    ),
    "calls counted as dropped that were stored": (
        f"UPDATE run_function SET dropped = dropped + 1, calls = calls + 1 WHERE function_id = {BOOKS}",
        "dropped or sampled out",
    ),
    "a row that was removed as too old": (REMOVED, "were removed"),
    "minutes that forget calls": (f"UPDATE minute SET calls = calls - 1 WHERE function_id = {BOOKS}", "minutes say"),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[int]]]:
    """A tape of two threads with ten calls each, and their numbers."""
    stage = Stage(seed=1, short=True, folder=tmp_path_factory.mktemp("torture"))
    db = stage.folder / "calls.db"
    try:
        numbers, code = stage.begin("load", db=str(db), threads=2, count=10).end()
        assert code == 0
        assert len(numbers) == 20
        yield db, numbers
    finally:
        stage.close()


def test_a_tape_that_holds_what_was_acknowledged_is_right(recorded: tuple[Path, list[int]]) -> None:
    db, numbers = recorded
    verdict = compare(db, numbers, Allowance(in_flight=0))
    assert verdict.wrong == []
    assert (verdict.made, verdict.stored, verdict.lost, verdict.unknown) == (20, 20, 0, 0)


def changed(db: Path, folder: Path, statements: str) -> Path:
    """A copy of the tape in which the statements were run."""
    copy = folder / "calls.db"
    shutil.copy(db, copy)
    with closing(sqlite3.connect(copy)) as database:
        before = database.total_changes
        database.executescript(statements)
        assert database.total_changes > before
    return copy


@pytest.mark.parametrize("planted", PLANTS)
def test_the_judge_finds(planted: str, recorded: tuple[Path, list[int]], tmp_path: Path) -> None:
    db, numbers = recorded
    statements, words = PLANTS[planted]
    verdict = compare(changed(db, tmp_path, statements), numbers, Allowance(in_flight=0))
    assert any(words in line for line in verdict.wrong), verdict.wrong


def test_where_calls_may_be_removed_they_are_to_be_counted_and_timed(
    recorded: tuple[Path, list[int]], tmp_path: Path
) -> None:
    db, numbers = recorded
    allow = Allowance(in_flight=0, pruned=True)
    verdict = compare(changed(db, tmp_path, REMOVED), numbers, allow)
    assert (verdict.wrong, verdict.stored, verdict.lost, verdict.removed, verdict.unknown) == ([], 19, 0, 1, 0)
    uncounted = compare(changed(db, tmp_path, PLANTS["a lost row, its books untouched"][0]), numbers, allow)
    assert "its books say" in str(uncounted)
    untimed = compare(changed(db, tmp_path, f"{REMOVED}; {PLANTS['minutes that forget calls'][0]}"), numbers, allow)
    assert "minutes say" in str(untimed)


def test_the_judge_finds_a_call_that_was_acknowledged_and_is_nowhere(recorded: tuple[Path, list[int]]) -> None:
    db, numbers = recorded
    verdict = compare(db, [*numbers, 10], Allowance(in_flight=0))
    assert "its books say" in str(verdict)


def test_the_judge_finds_a_call_that_was_not_acknowledged_and_is_there(recorded: tuple[Path, list[int]]) -> None:
    db, numbers = recorded
    assert "neither returned nor was in flight" in str(compare(db, numbers[:-2], Allowance(in_flight=1)))


def test_a_tape_that_does_not_open_is_wrong(tmp_path: Path) -> None:
    assert "cannot be read" in str(compare(tmp_path / "none.db", [], Allowance()))
