"""Compares a tape with what the worker wrote to the pipe: the judge of every fault.

It knows from a call's number what must be on the tape. Each number that was acknowledged is a row exactly once, with
its arguments and its outcome, or is one of those the books count as dropped, sampled out or unknown; beyond them there
is nothing but what each thread was in. Called after every process of the tape has ended. Never imports calltape.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .numbered import STRIDE, arguments, refusal, refuses, result

# Lines kept of what is wrong with one tape.
MOST_LINES = 20

FUNCTIONS = ("outer", "inner")

Row = dict[str, Any]


@dataclass(frozen=True)
class Allowance:
    """What a fault excuses. The default is a death that loses nothing."""

    # Calls of one function that may have begun and not been acknowledged: the threads that were calling.
    in_flight: int = 1
    # Calls may be dropped or sampled out, as long as the books count them, and texts cut.
    losses: bool = False
    # Calls may be removed as too old, as long as the books count them.
    pruned: bool = False
    # What the journal held may be gone: any number of calls may be unknown, or there in part.
    unknown: bool = False
    # Rows that may read otherwise than they were written, because bytes of the database file were changed.
    altered: int = 0


@dataclass
class Verdict:
    """What one tape says, and what is wrong with it."""

    made: int = 0
    stored: int = 0
    lost: int = 0
    removed: int = 0
    unknown: int = 0
    wrong: list[str] = field(default_factory=list)

    def blame(self, line: str) -> None:
        """Notes something wrong; of very many the first ones, and how many more."""
        self.wrong.append(line)

    def __iadd__(self, other: "Verdict") -> "Verdict":
        self.made += other.made
        self.stored += other.stored
        self.lost += other.lost
        self.removed += other.removed
        self.unknown += other.unknown
        self.wrong += other.wrong
        return self

    def __str__(self) -> str:
        shown = self.wrong[:MOST_LINES]
        if len(self.wrong) > MOST_LINES:
            shown.append(f"... {len(self.wrong) - MOST_LINES} more")
        return "\n".join(shown)


@dataclass
class Tape:
    """What is read of one tape."""

    rows: list[Row]
    books: list[Row]
    minutes: list[Row]
    integrity: str
    lost_errors: int


def read_tape(path: Path) -> Tape:
    """Reads a tape that nobody writes any more.

    # Raises: `sqlite3.Error` where it does not open.
    """
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        database.text_factory = lambda text: text.decode(errors="replace")

        def query(sql: str) -> list[Row]:
            return [dict(row) for row in database.execute(sql)]

        books = query("SELECT * FROM accounting")
        for row in books:
            row.setdefault("pruned", 0)
        return Tape(
            query(
                "SELECT id, parent_id, root_id, function, status, args, result, duration_ns,"
                " error_type, error_message, run_id FROM calls ORDER BY id"
            ),
            books,
            query("SELECT function, sum(stored) AS stored, sum(dropped) AS dropped FROM function_minutes GROUP BY 1"),
            database.execute("PRAGMA integrity_check").fetchone()[0],
            database.execute("SELECT coalesce(sum(calls), 0) FROM lost_errors").fetchone()[0],
        )


def name_of(row: Row) -> str:
    """The last part of a function's name."""
    return str(row["function"]).rpartition(".")[2]


def is_cut(text: object, whole: str) -> bool:
    """Whether a text is the beginning of what it should be, and says that it was cut."""
    if not isinstance(text, str):
        return False
    kept, mark, _ = text.partition("...")
    return bool(mark) and whole.startswith(kept.rstrip())


def same(found: object, expected: object, cut: bool) -> bool:
    """Whether a captured value is what it should be; a text may be shortened where `cut` says so."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same(found[key], expected[key], cut) for key in expected)
        )
    return found == expected or (cut and isinstance(expected, str) and is_cut(found, expected))


# What the row of an error says whose kind found no room.
NOT_KEPT = "(not kept)"


def check_lost_errors(tape: Tape, verdict: Verdict) -> None:
    """Each error without a row, and each whose row has no kind, is counted by kind once."""
    dropped = sum(row["dropped_errors"] for row in tape.books)
    bare = sum(row["error_type"] == NOT_KEPT for row in tape.rows)
    if tape.lost_errors != dropped + bare:
        verdict.blame(f"{tape.lost_errors} errors counted by kind, of {dropped} dropped and {bare} without kind")


def fault_of_row(row: Row, name: str, n: int, cut: bool) -> str | None:
    """What is wrong with one row, whatever the moment of the fault was."""
    found = json.loads(row["args"])
    found.pop("(taken at end)", None)
    if not same(found, arguments(name, n), cut):
        return f"{name}({n}) has other arguments: {row['args'][:200]}"
    if row["status"] == "interrupted":
        return None if row["result"] is None else f"{name}({n}) was interrupted and has a result"
    if name == "outer" and refuses(n):
        if cut and (row["status"], row["error_type"]) == ("error", NOT_KEPT):
            return None  # its kind is counted among the lost errors
        if (row["status"], row["error_message"]) != ("error", refusal(n)):
            return f"{name}({n}) should have raised: {row['status']} {row['error_message']}"
        return None
    expected = result(n) if name == "outer" else n + 1
    given = json.loads(row["result"]) if row["result"] is not None else None
    nothing = cut and row["result"] is None  # there was room for the end of the call and not for its result
    if row["status"] != "ok" or not (nothing or same(given, expected, cut)):
        return f"{name}({n}) should have given {expected!r}: {row['status']} {row['result']}"
    return None if row["duration_ns"] >= 0 else f"{name}({n}) took {row['duration_ns']} ns"


def number_of(row: Row) -> int | None:
    """The number of a row's call; None where its arguments do not say."""
    try:
        number = json.loads(row["args"])["n"]
    except (TypeError, ValueError, KeyError):
        return None
    return number if isinstance(number, int) else None


Calls = dict[str, dict[int, Row]]


def sort_rows(tape: Tape, allow: Allowance, verdict: Verdict) -> Calls:
    """The rows by function and number, each looked at by itself."""
    calls: Calls = {name: {} for name in FUNCTIONS}
    altered = 0
    for row in tape.rows:
        name, n = name_of(row), number_of(row)
        if name not in calls:
            continue
        fault = f"a row of {name} says {row['args']!r}" if n is None else fault_of_row(row, name, n, allow.losses)
        if fault is not None:
            altered += 1
            if altered > allow.altered:
                verdict.blame(fault)
        if n is None:
            continue
        if n in calls[name]:
            verdict.blame(f"{name}({n}) is stored twice: rows {calls[name][n]['id']} and {row['id']}")
        calls[name][n] = row
    return calls


def check_tree(calls: Calls, verdict: Verdict) -> None:
    """Each inner call that has a parent has the outer one of its number; a stored parent exists."""
    for n, row in calls["inner"].items():
        outer = calls["outer"].get(n)
        if outer is not None and (row["parent_id"], row["root_id"]) != (outer["id"], outer["id"]):
            verdict.blame(f"inner({n}) is not under outer({n})")


def check_acknowledged(calls: Calls, acknowledged: set[int], verdict: Verdict) -> int:
    """Each acknowledged call is finished where it is stored; how many are not stored."""
    missing = 0
    for n in acknowledged:
        row = calls["outer"].get(n)
        if row is None:
            missing += 1
        elif row["status"] == "interrupted":
            verdict.blame(f"outer({n}) returned and is stored as interrupted")
    return missing


def check_beyond(calls: Calls, acknowledged: set[int], allow: Allowance, verdict: Verdict) -> None:
    """Beyond the acknowledged calls there is the one that each thread was in, and no other."""
    upcoming: dict[int, int] = defaultdict(int)
    for n in acknowledged:
        upcoming[n // STRIDE] = max(upcoming[n // STRIDE], n % STRIDE + 1)
    for name in FUNCTIONS if not allow.unknown else ():
        beyond = calls[name].keys() - acknowledged
        for n in sorted(beyond):
            if n % STRIDE != upcoming[n // STRIDE]:
                verdict.blame(f"{name}({n}) neither returned nor was in flight")
        if len(beyond) > allow.in_flight:
            verdict.blame(f"{len(beyond)} calls of {name} beyond the acknowledged ones, {allow.in_flight} threads")


def check_book(name: str, books: Sequence[Row], rows: int, known: int, allow: Allowance, verdict: Verdict) -> None:
    """One function's books, over all runs: they balance, and count what was seen from outside."""
    for book in books:
        parts = [book[part] for part in ("stored", "sampled_out", "dropped", "in_flight", "unknown")]
        if None not in parts and book["calls"] != sum(parts):
            verdict.blame(f"the books of {name} do not balance: {book}")
        if any(part is not None and part < 0 for part in parts):
            verdict.blame(f"the books of {name} hold less than nothing: {book}")
        if book["in_flight"] != 0:
            verdict.blame(f"calls of {name} in flight in a run that is over: {book}")
    total = Counter[str]()
    for book in books:
        total.update(
            {key: book[key] or 0 for key in ("calls", "stored", "sampled_out", "dropped", "unknown", "pruned")}
        )
    if total["stored"] - total["pruned"] != rows:
        verdict.blame(f"{rows} rows of {name}, its books say {total['stored']} stored")
    if total["sampled_out"] + total["dropped"] and not allow.losses:
        verdict.blame(f"calls of {name} were dropped or sampled out: {books}")
    if total["pruned"] and not allow.pruned:
        verdict.blame(f"calls of {name} were removed: {books}")
    if allow.unknown:
        return
    if total["unknown"] > allow.in_flight:
        verdict.blame(f"{total['unknown']} calls of {name} are unknown, {allow.in_flight} threads were calling")
    if not known <= total["calls"] <= known + allow.in_flight:
        verdict.blame(f"{known} calls of {name} returned, its books say {total['calls']} were made")


def judge_rows(tape: Tape, wanted: range) -> Verdict:
    """Looks at the rows of some numbers alone: each once, unaltered, in its tree."""
    verdict = Verdict()
    rows = [row for row in tape.rows if (n := number_of(row)) is not None and n in wanted]
    check_tree(sort_rows(replace(tape, rows=rows), Allowance(), verdict), verdict)
    return verdict


def judge(tape: Tape, acknowledged: Iterable[int], allow: Allowance) -> Verdict:
    """Compares a tape with the numbers that were acknowledged."""
    verdict = Verdict()
    known = list(acknowledged)
    returned = set(known)
    if len(returned) != len(known):
        verdict.blame("the worker acknowledged a number twice: the test is broken")
    if tape.integrity != "ok":
        verdict.blame(f"integrity_check: {tape.integrity}")
    if not allow.unknown:
        check_lost_errors(tape, verdict)
    calls = sort_rows(tape, allow, verdict)
    check_tree(calls, verdict)
    missing = check_acknowledged(calls, returned, verdict)
    check_beyond(calls, returned, allow, verdict)
    by_name = {name: [book for book in tape.books if name_of(book) == name] for name in FUNCTIONS}
    for name, books in by_name.items():
        check_book(name, books, len(calls[name]), len(returned), allow, verdict)
        stored = sum(row["stored"] for row in tape.minutes if name_of(row) == name)
        # What is removed here had ended well.
        ended = sum(row["status"] != "interrupted" for row in calls[name].values())
        ended += sum(book["pruned"] for book in books)
        if stored != ended:
            verdict.blame(f"{ended} ended calls of {name}, its minutes say {stored}")
    removed = sum(book["pruned"] for book in by_name["outer"])
    counted = removed + sum(book["sampled_out"] + book["dropped"] for book in by_name["outer"])
    unknown = [book["unknown"] for book in by_name["outer"]]
    if missing > counted + sum(part or 0 for part in unknown) and not (allow.unknown or None in unknown):
        verdict.blame(f"{missing} acknowledged calls have no row, the books count {counted} + {unknown}")
    verdict.made = len(returned) + len(calls["outer"].keys() - returned)
    verdict.stored = len(calls["outer"])
    verdict.removed = min(removed, missing)
    verdict.lost = min(counted, missing) - verdict.removed
    verdict.unknown = missing - verdict.removed - verdict.lost
    return verdict


def compare(path: Path, acknowledged: Iterable[int], allow: Allowance = Allowance()) -> Verdict:
    """Reads the tape at `path` and compares it; a tape that does not open is wrong."""
    try:
        return judge(read_tape(path), acknowledged, allow)
    except sqlite3.Error as error:
        return Verdict(wrong=[f"{path} cannot be read: {error}"])
