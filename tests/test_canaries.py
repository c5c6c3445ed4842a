"""No canary is found in anything that calltape writes: not after a run, and not after a kill before the drain.

Each place in `canaries/` passes a secret of its own into recorded functions. Looked through are the bytes of the
database, its WAL, the journal and the program's log, and what every command prints, for any six characters in a row of
any canary: half a secret is found as well. A failure names the place.
"""

import contextlib
import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from canaries import canary
from canaries.failures import service
from canaries.look_alikes import NAMES, TEXTS
from canaries.shapes import CARDS
from conftest import REPOSITORY, Tape

# Characters in a row of a canary that are part of a secret and not chance.
SEEN = 6
LEAST_PLACES = 60


def pieces(secret: bytes, length: int = SEEN) -> set[bytes]:
    return {secret[at : at + length] for at in range(len(secret) - length + 1)}


def known_pieces(places: list[str]) -> dict[bytes, str]:
    """Every piece of every canary, with its place."""
    known: dict[bytes, str] = {}
    for place in places:
        secret = canary(place).encode()
        known |= dict.fromkeys(pieces(secret) | pieces(secret[:16].upper()), place)
    return known


def leaks(data: bytes, known: dict[bytes, str]) -> dict[str, str]:
    """The places whose canaries are in the data, each with a stretch of what is around."""
    found: dict[str, str] = {}
    for word in re.finditer(rb"[A-Za-z0-9]{%d,}" % SEEN, data):
        for place in {known[piece] for piece in pieces(word[0]) & known.keys()}:
            found.setdefault(place, data[max(0, word.start() - 60) : word.end() + 20].decode(errors="replace"))
    digits = re.sub(rb"(?<=\d)[ -](?=\d)", b"", data)
    found |= {f"card {start}": number for start, number in CARDS.items() if number[:10].encode() in digits}
    return found


@dataclass
class Run:
    """A run through all places."""

    tape: Tape
    returncode: int
    stdout: str
    stderr: str
    # The names of the places, and of those whose values are only named on the tape.
    places: list[str]
    only_named: set[str]


RunPlaces = Callable[[str], Run]


@pytest.fixture
def run_places(environment: dict[str, str], tape_path: Path, tmp_path: Path) -> RunPlaces:
    def run(ending: str) -> Run:
        (tmp_path / "canary_service.py").write_text(service(canary("lines_of_source")), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "canaries", ending],
            # What the libraries say of themselves is none of this; a busy machine is given time.
            env=environment | {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(REPOSITORY / "tests")} | PATIENT,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        last = done.stdout.splitlines()[-1:] or [""]
        assert last[0].startswith("{"), f"the program failed:\n{done.stdout}\n{done.stderr}"
        only_named = json.loads(last[0])
        named = {place for place, is_only_named in only_named.items() if is_only_named}
        return Run(Tape(tape_path), done.returncode, done.stdout, done.stderr, list(only_named), named)

    return run


# A thread that is put aside while it captures would leave values out, and their secrets with them.
PATIENT = {"CALLTAPE_MAX_CAPTURE_TIME": "10s"}


def written(tape: Path) -> Iterator[tuple[str, bytes]]:
    """All that calltape has written, by the name of the file."""
    for path in sorted(tape.parent.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(tape.parent)), path.read_bytes()


def check_that_nothing_leaked(run: Run) -> None:
    known = known_pieces(run.places)
    everything = [*written(run.tape.path), ("stdout", run.stdout.encode()), ("stderr", run.stderr.encode())]
    found = [(place, name, near) for name, data in everything for place, near in leaks(data, known).items()]
    assert not found, "\n".join(f"{place} in {name}: {near!r}" for place, name, near in found)


def test_leaks_are_seen_and_named() -> None:
    known = known_pieces(["one", "another"])
    assert leaks(canary("one").encode(), known).keys() == {"one"}
    assert leaks(b"password=x" + canary("another")[20:27].encode() + b"!", known).keys() == {"another"}
    visa = CARDS["4"]
    assert leaks(f"{visa[:4]} {visa[4:8]}-{visa[8:]}".encode(), known).keys() == {"card 4"}
    assert leaks(canary("a third").encode() + canary("one")[:5].encode(), known) == {}


def test_no_canary_is_in_what_a_run_leaves(
    run_places: RunPlaces, calltape_cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    run = run_places("exit")
    assert run.returncode == 0, run.stderr
    assert len(run.places) >= LEAST_PLACES
    check_that_nothing_leaked(run)
    check_that_each_place_is_recorded(run)
    check_that_look_alikes_survive(run.tape)

    known = known_pieces(run.places)
    spans = [str(call["id"]) for call in run.tape.rows("SELECT id FROM calls WHERE parent_id IS NULL")]
    failed = [str(call["id"]) for call in run.tape.rows("SELECT id FROM calls WHERE status = 'error'")]
    commands = [["top"], ["errors"], ["stats"], ["tail", "-n", "100000"]]
    commands += [["--json", *command] for command in commands]
    commands += [["show", number] for number in (*spans[::4], *failed[::4])] + [
        ["--json", "show", number] for number in failed[1::4]
    ]
    for command in commands:
        shown = calltape_cli(*command)
        assert shown.returncode == 0, f"{command}: {shown.stderr}"
        assert leaks(shown.stdout.encode() + shown.stderr.encode(), known) == {}, command


def check_that_each_place_is_recorded(run: Run) -> None:
    """A place whose value was never captured would hide every leak: its calls are there, and a mark in them."""
    unmarked = []
    for place in run.places:
        calls = run.tape.rows(
            "SELECT * FROM calls WHERE root_id IN (SELECT id FROM calls WHERE function = ?)", f"place {place}"
        )
        assert calls, f"{place} is not on the tape"
        if place not in run.only_named and not any("***" in str(list(call.values())) for call in calls):
            unmarked.append(place)
    assert unmarked == []


def check_that_look_alikes_survive(tape: Tape) -> None:
    texts = [call["args"] for call in tape.calls("keep")]
    everything = "\n".join(texts)
    missing = [name for name in NAMES if f'"alike {name}"' not in everything or f"{name}=same-{name}" not in everything]
    missing += [text for text in TEXTS if json.dumps(text) not in everything]
    assert missing == []


# Keeps the tape's database locked, so that what is recorded stays in the journal.
LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        yield
        process.communicate()


ADOPT = """
import pathlib, sys, time
import calltape
tape = pathlib.Path(sys.argv[1])
calltape.start(tape)
deadline = time.monotonic() + 60
while sum(entry.is_dir() for entry in tape.with_name(tape.name + ".tape").iterdir()) > 1:
    assert time.monotonic() < deadline, "what the dead process left is not in the database after a minute"
    time.sleep(0.01)
calltape.stop()
"""


def test_no_canary_is_in_the_journal_of_a_run_that_was_killed(
    run_places: RunPlaces, environment: dict[str, str], tape_path: Path
) -> None:
    # A tape there is, or the recorder could not begin while it is locked.
    subprocess.run(
        [sys.executable, "-c", "import calltape, sys; calltape.start(sys.argv[1]); calltape.stop()", str(tape_path)],
        env=environment,
        check=True,
        timeout=60,
    )
    with locked(tape_path):
        run = run_places("kill")
        assert run.returncode == -signal.SIGKILL
        journal = b"".join(data for name, data in written(tape_path) if ".tape/" in name)
        assert b"alike tokenizer" in journal, "the calls are not in the journal any more"
        check_that_nothing_leaked(run)
    subprocess.run([sys.executable, "-c", ADOPT, str(tape_path)], env=environment, check=True, timeout=120)
    check_that_nothing_leaked(run)
    check_that_look_alikes_survive(run.tape)
    with contextlib.closing(sqlite3.connect(tape_path)) as database:
        assert database.execute("SELECT count(*) FROM calls WHERE status = 'ok'").fetchone()[0] > len(run.places)
