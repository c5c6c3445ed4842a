"""Power losses: what a recording, or a recovery, leaves on the disk when the machine stops at any moment.

A worker records under `power_log.c`, which logs its writes to database, WAL and journal; `power_images.py` rebuilds
what the disk may hold at moments of that log; an ordinary start recovers each image. The promise: the database is
whole, what was committed before is there, nothing altered or doubled is delivered, and what is missing is counted
or unknown. Every fifth recovery is logged too, and the power is lost again during it.
"""

import functools
import random
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .fault import Fault
from .oracle import Allowance, Verdict, judge, name_of, number_of, read_tape
from .power_images import Disk, events
from .stage import Round, SkippedError

SOURCE = Path(__file__).with_name("power_log.c")

# Images a round, of one recording.
IMAGES = 60
# Images of a recovery that was interrupted by a power loss.
SECOND_IMAGES = 4


@functools.cache
def logger(folder: Path) -> Path:
    """The logging library, compiled."""
    library = folder / "power_log.so"
    command = ["cc", "-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(library), "-ldl", "-lpthread"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise SkippedError("there is no C compiler") from None
    if done.returncode != 0:
        raise RuntimeError(f"{SOURCE.name} does not compile: {done.stderr}")
    return library


def logged(place: Round, program: str, root: Path, log: Path, **arguments: object) -> list[int]:
    """Runs a program to its end with what it does to the files under `root` logged."""
    env = {
        "LD_PRELOAD": str(logger(place.stage.folder)),
        "CALLTAPE_POWER_ROOT": str(root),
        "CALLTAPE_POWER_LOG": str(log),
    }
    numbers, code = place.stage.begin_alone(program, env, db=str(root / "tape" / "calls.db"), **arguments).end()
    if code != 0:
        raise RuntimeError(f"{program} ended with {code} under the log")
    return numbers


def moments(log: Path, count: int, chance: random.Random) -> Iterable[int]:
    """Positions in a log, in order: half of them beside a sync or a change of names, where it matters most."""
    operations = [event.operation for event in events(log)]
    if not operations:
        return []
    near = [at for at, operation in enumerate(operations) if operation in "SRUCD"]
    chosen = {chance.randrange(len(operations)) for _ in range(count // 2)}
    chosen |= {min(max(chance.choice(near) + chance.randint(-1, 1), 0), len(operations) - 1) for _ in range(count // 2)}
    return sorted(chosen)


def judge_image(image: Path, committed: int, issued: int) -> Verdict:
    """What a recovered image says: `committed` calls must be there, and nothing beyond the `issued` ones."""
    db = image / "tape" / "calls.db"
    aside = list(db.parent.glob("calls.db.quarantine*"))
    if aside:
        return Verdict(wrong=[f"a database that was only cut off was set aside: {aside}"])
    tape = read_tape(db)
    # Of the calls that were not committed any may be lost, or be there in part; the rows there are must be right.
    verdict = judge(tape, range(committed), Allowance(unknown=True))
    stored = {n: row for row in tape.rows if name_of(row) == "outer" and (n := number_of(row)) is not None}
    for n in range(committed):
        if n not in stored:
            verdict.blame(f"outer({n}) was committed and is not there")
    if stored and max(stored) >= issued:
        verdict.blame(f"a call {max(stored)} was never made")
    verdict.made, verdict.stored = issued, len(stored)
    verdict.unknown = issued - verdict.stored - verdict.lost
    return verdict


def recovered(place: Round, image: Path, committed: int, issued: int) -> Verdict:
    """An ordinary start on an image, and what it makes of it."""
    if not (image / "tape").exists():
        return Verdict(made=issued, unknown=issued, wrong=["committed and gone"] if committed else [])
    place.next_start(image / "tape" / "calls.db")
    return judge_image(image, committed, issued)


def lost_again(place: Round, image: Path, committed: int, issued: int) -> Verdict:
    """The recovery of an image is logged, and the power is lost during it."""
    verdict = Verdict()
    before, log = Disk(image), image.with_suffix(".log")
    before.load(image)
    logged(place, "next_start", image, log)
    verdict += judge_image(image, committed, issued)
    disk, position = before, 0
    chosen = set(moments(log, SECOND_IMAGES, place.chance))
    for position, event in enumerate(events(log)):
        disk.apply(event)
        if position in chosen:
            again = image.with_name(f"{image.name}-again-{position}")
            disk.image(again, place.chance)
            verdict += labelled(again, recovered(place, again, committed, issued))
            place.forget(again, verdict)
    return verdict


def labelled(image: Path, verdict: Verdict) -> Verdict:
    """The verdict with the image's name before each line."""
    verdict.wrong = [f"{image.name}: {line}" for line in verdict.wrong]
    return verdict


def power_loss(place: Round) -> Verdict:
    """Images of one recording, at moments in order."""
    root, log = place.folder / "disk", place.folder / "disk.log"
    root.mkdir()
    # Small files so that images are quick: the tape's folder is made by the worker and is not certain at first.
    issued = len(logged(place, "commits", root, log, seed=place.chance.randrange(1 << 30)))
    chosen = set(moments(log, IMAGES, place.chance))
    verdict, disk = Verdict(), Disk(root)
    disk.load_empty()
    for position, event in enumerate(events(log)):
        disk.apply(event)
        if position not in chosen:
            continue
        image = place.folder / f"image-{position}"
        disk.image(image, place.chance)
        again = position % 5 == 0 and (image / "tape").exists()
        one = (lost_again if again else recovered)(place, image, disk.mark, issued)
        verdict += labelled(image, one)
        place.forget(image, one)
    return verdict


FAULTS = [
    Fault("power-loss", "images of disk and journal after a power loss", power_loss, 6, 1, counts=IMAGES),
]
