"""Damage to the files of a tape: bytes changed, files cut, emptied, removed, renamed, a folder in a file's place.

Each seed makes a tape with calls in the database, in its WAL and in the journal of a process that was killed, damages
it in one way, and starts a recorder on it that makes new calls. The promise: the program notices nothing; the new calls
are on a tape at the path, once and unaltered; no old one is there twice, or altered; a damaged file is set aside
whole; the books balance, and what is gone is unknown. One thing no program on SQLite can promise: a byte changed inside
a page of the database file may alter the row that stands there, for its pages have no checksums.
"""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from .fault import Fault
from .numbered import STRIDE
from .oracle import Allowance, Verdict, judge, judge_rows, name_of, number_of, read_tape
from .stage import Round, SkippedError

# The lane of the calls made after the damage, and how many.
NEW_LANE = 50
NEW_CALLS = 20
NEW = range(NEW_LANE * STRIDE, NEW_LANE * STRIDE + NEW_CALLS)


def tape_of_the_dead(place: Round) -> list[int]:
    """Makes a tape with an ended run in the database and a killed one in WAL and journal; its numbers. Made for each
    seed, for a copied database is another file to the recorder, and one that was never its own it does not move.
    """
    ended, code = place.begin("load", threads=1, count=60).end()
    if code != 0:
        raise RuntimeError(f"the first run ended with {code}")
    second = place.begin("load", threads=2, lane=1, pause=0.0002)
    second.first_call()
    second.watch(place.chance.uniform(0.05, 0.15))
    return ended + second.kill()


# ------------------------------------------------------------------------------------------------------------ damages


def flip(place: Round, path: Path) -> None:
    """1, 8 or 64 bytes become others."""
    with path.open("r+b") as file:
        size = path.stat().st_size
        near = min(size, 16 << 10) if place.chance.random() < 0.5 else size
        for _ in range(place.chance.choice([1, 8, 64])):
            file.seek(place.chance.randrange(near))
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ place.chance.randrange(1, 256)]))


def cut(place: Round, path: Path) -> None:
    """The file ends earlier, perhaps at once."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(place.chance.choice([0, place.chance.randrange(size), place.chance.randrange(min(size, 4096))]))


def overwrite_header(place: Round, path: Path) -> None:
    """The first hundred bytes are noise."""
    with path.open("r+b") as file:
        file.write(place.chance.randbytes(100))


def unlink(place: Round, path: Path) -> None:
    """The file is gone."""
    path.unlink()


def rename(place: Round, path: Path) -> None:
    """The file has another name."""
    path.rename(path.with_name(path.name + "-moved"))


Damage = Callable[[Round, Path], None]
WAYS: tuple[Damage, ...] = (flip, flip, flip, cut, overwrite_header, unlink, rename)


def targets(tape: Path) -> list[Path]:
    """What may be damaged: the database, its WAL, and each file of the journal."""
    database = [tape / "calls.db", tape / "calls.db-wal"]
    journal = sorted(path for path in (tape / "calls.db.tape").rglob("*") if path.is_file())
    return [path for path in [*database * 3, *journal] if path.exists() and path.stat().st_size > 0]


# --------------------------------------------------------------------------------------------------------------- judge


def judge_damaged(db: Path, old: list[int], new: list[int], database_changed: bool, control_changed: bool) -> Verdict:
    """What the tape at the path says after the damage. `database_changed`, `control_changed`: bytes
    within the database file, or within a run's control file, were.
    """
    tape = read_tape(db)
    fresh = [row for row in tape.rows if name_of(row) == "outer" and number_of(row) in NEW]
    verdict = Verdict(stored=len(fresh))
    if new != list(NEW):
        verdict.blame(f"{len(new)} of {NEW_CALLS} new calls returned")
    if sorted(number_of(row) or 0 for row in fresh) != list(NEW):
        verdict.blame(f"{len(fresh)} of {NEW_CALLS} new calls are on the tape")
    verdict.wrong += judge_rows(tape, NEW).wrong
    if not database_changed:
        # The counters are what threads add to, so they have no checksum: changed, they count what never was.
        verdict.wrong += judge(tape, [], Allowance(unknown=True, losses=control_changed)).wrong
    known = set(old)
    verdict.stored += len({n for row in tape.rows if name_of(row) == "outer" and (n := number_of(row)) in known})
    verdict.made = len(old) + len(new)
    verdict.unknown = verdict.made - verdict.stored
    return verdict


def newest_are_there(db: Path) -> bool:
    """Whether the new calls can be read where an old page is damaged that nothing has touched since."""
    newest = f"SELECT args FROM call ORDER BY id DESC LIMIT {4 * NEW_CALLS}"
    try:
        with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(newest).fetchall()
        return set(NEW) <= {json.loads(args)["n"] for (args,) in rows}
    except (sqlite3.Error, UnicodeDecodeError):
        return False


def resumed(place: Round) -> list[int]:
    """A recorder on the damaged tape makes new calls and ends; the program must not notice."""
    program = place.begin("resumes", count=NEW_CALLS, lane=NEW_LANE)
    numbers, code = program.end()
    if code != 0:
        raise RuntimeError(f"the program on the damaged tape ended with {code}")
    return numbers


def damaged(place: Round) -> Verdict:
    """One seed: one damage, or two at once."""
    old, tape = tape_of_the_dead(place), place.db.parent
    done, changed, control = [], False, False
    for _ in range(place.chance.choice([1, 1, 1, 2])):
        path, way = place.chance.choice(targets(tape)), place.chance.choice(WAYS)
        way(place, path)
        changed |= path.name == "calls.db" and way in (flip, cut, overwrite_header)
        control |= path.name == "control" and way in (flip, cut, overwrite_header)
        done.append(f"{way.__name__} {path.relative_to(tape)}")
    new = resumed(place)
    try:
        verdict = judge_damaged(place.db, old, new, changed, control)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # its own words may quote what is no text
        verdict = Verdict(made=len(old) + len(new), unknown=len(old) + len(new))
        if not changed or not newest_are_there(place.db):
            verdict.blame(f"the tape at the path cannot be read, and was not set aside: {error}")
    verdict.wrong = [f"after {' and '.join(done)}: {line}" for line in verdict.wrong]
    return verdict


def read_only(place: Round) -> Verdict:
    """A program on a tape that it may read alone: it does not notice, and later everything old is there."""
    old = tape_of_the_dead(place)
    mount_read_only(place.db.parent)
    try:
        new = resumed(place)
    finally:
        subprocess.run(["umount", place.db.parent], check=True)
    place.next_start()
    verdict = place.judged(old, Allowance(in_flight=2))
    if len(new) != NEW_CALLS:
        verdict.blame(f"{len(new)} of {NEW_CALLS} new calls returned")
    return verdict


def mount_read_only(folder: Path) -> None:
    """The folder mounted over itself, for reading alone: what a mode cannot do to root."""
    for how in (["--bind", folder, folder], ["-o", "remount,ro,bind", folder]):
        done = subprocess.run(["mount", *map(str, how)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SkippedError(f"a folder cannot be mounted read-only: {done.stderr.strip()}")


FAULTS = [
    Fault("corruption", "500 seeds of damage to database, WAL and journal", damaged, 500, 60),
    Fault("read-only", "a start on a tape that cannot be written", read_only, 10, 2),
]
