"""Damage to the database while a recorder writes it.

The promise: it is noticed within a batch, the damaged file is set aside or left alone, and recording goes on: the
program notices nothing, and each call made after the damage is on the tape at the path once nothing stands in the way.
Calls from before may be in the file that is gone or set aside, and are unknown then; none is there twice or altered.
"""

import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from .fault import Fault
from .numbered import STRIDE
from .oracle import Allowance, Verdict, judge, judge_rows, name_of, number_of, read_tape
from .stage import Round

# Seconds from the damage until it must have been noticed: the drain commits several times a second.
NOTICE = 1.0

LANES = 2


def unlink(place: Round) -> None:
    """The database is removed."""
    place.db.unlink()


def unlink_all(place: Round) -> None:
    """The database is removed with its WAL."""
    for path in place.db.parent.glob("calls.db*"):
        if path.is_file():
            path.unlink()


def unlink_wal(place: Round) -> None:
    """The WAL is removed."""
    place.db.with_name("calls.db-wal").unlink(missing_ok=True)


def rename(place: Round) -> None:
    """The database is renamed."""
    place.db.rename(place.db.with_name("moved.db"))


def folder(place: Round) -> None:
    """A folder takes its place, for a while."""
    place.db.rename(place.db.with_name("moved.db"))
    place.db.mkdir()
    time.sleep(NOTICE)
    place.db.rmdir()


def empty(place: Round) -> None:
    """The database is cut to nothing."""
    with place.db.open("r+b") as file:
        file.truncate(0)


def halve(place: Round) -> None:
    """The database is cut in half."""
    with place.db.open("r+b") as file:
        file.truncate(place.db.stat().st_size // 2)


def overwrite_header(place: Round) -> None:
    """The database begins with noise."""
    with place.db.open("r+b") as file:
        file.write(place.chance.randbytes(100))


def replace(place: Round) -> None:
    """Another tape takes its place."""
    other = place.folder / "other" / "calls.db"
    _, code = place.stage.begin("load", db=str(other), threads=1, lane=90, count=10).end()
    if code != 0:
        raise RuntimeError(f"the other tape could not be made: {code}")
    other.rename(place.db)


def cut_wal(place: Round) -> None:
    """The WAL is cut to nothing."""
    with place.db.with_name("calls.db-wal").open("r+b") as file:
        file.truncate(0)


DAMAGES: tuple[Callable[[Round], None], ...] = (
    unlink, unlink_all, unlink_wal, rename, folder, empty, halve, overwrite_header, replace, cut_wal,
)  # fmt: skip


def last_of(numbers: list[int]) -> dict[int, int]:
    """By lane, the highest number."""
    highest = dict.fromkeys(range(LANES), 0)
    for n in numbers:
        highest[n // STRIDE] = max(highest[n // STRIDE], n)
    return highest


def damaged_meanwhile(place: Round) -> Verdict:
    """One damage to the database of a program that goes on for some seconds."""
    damage = DAMAGES[place.number % len(DAMAGES)]
    program = place.begin("load", threads=LANES, pause=0.002, seconds=3.5 + NOTICE, settings={"breaker_timeout": "1s"})
    program.first_call()
    program.watch(place.chance.uniform(0.2, 0.8))
    damage(place)
    program.watch(NOTICE)
    noticed = last_of(program.numbers)
    numbers, code = program.end()
    if code != 0:
        raise RuntimeError(f"after {damage.__name__} the process ended with {code}")
    place.next_start()
    verdict = judge_after(place.db, numbers, noticed)
    verdict.wrong = [f"after {damage.__name__}: {line}" for line in verdict.wrong]
    shutil.rmtree(place.folder / "other", ignore_errors=True)
    return verdict


def judge_after(db: Path, numbers: list[int], noticed: dict[int, int]) -> Verdict:
    """The calls after the damage was noticed are there, each once and unaltered; the books balance."""
    try:
        tape = read_tape(db)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return Verdict(made=len(numbers), wrong=[f"the tape cannot be read, and was not set aside: {error}"])
    verdict = judge(tape, [], Allowance(unknown=True))
    stored = {n for row in tape.rows if name_of(row) == "outer" and (n := number_of(row)) is not None}
    for lane, last in noticed.items():
        after = range(last + 1, (lane + 1) * STRIDE)
        verdict.wrong += judge_rows(tape, after).wrong
        missing = sorted(n for n in numbers if n in after and n not in stored)
        if missing:
            verdict.blame(f"{len(missing)} calls made after the damage are not there, the first {missing[0]}")
    returned = set(numbers)
    verdict.made, verdict.stored = len(returned), len(returned & stored)
    verdict.unknown = verdict.made - verdict.stored
    return verdict


FAULTS = [
    Fault("damaged-meanwhile", "the database removed, cut, replaced while it is written", damaged_meanwhile, 20, 5)
]
