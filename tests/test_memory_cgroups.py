"""Memory that the kernel takes back, or takes the process for: what is on the tape then.

Needs a memory cgroup that this user may make (version 1 or 2); where none can be made the tests are skipped.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Tape

LIMIT_BYTES = 200 << 20

KILLED = """
import sys
from calltape import monitor, start
start()

@monitor
def harmless(n):
    return n

@monitor
def greedy(order, size):
    kept = []
    while True:
        kept.append(bytearray(b"x") * size)

for n in range(2000):
    harmless(n)
greedy("order 66", 1 << 20)
"""

RECLAIMED = """
import sys
from calltape import flush, monitor, start, stats
from pathlib import Path
start()

@monitor
def work(n, text):
    return text

# Pages of files that the kernel can take back, more than the limit, again and again: it reclaims the journal's too.
file = Path(sys.argv[1])
block = b"y" * (1 << 20)
with file.open("wb") as out:
    for n in range(300):
        out.write(block)
        for call in range(100):
            work(n * 100 + call, "z" * 500)
kept = bytearray(100 << 20)
for n in range(30_000, 60_000):
    work(n, "z" * 500)
assert flush(60.0)
print(stats().recorded, stats().dropped)
"""


class Group:
    """A memory cgroup with a limit, and no swap beyond it where that can be said."""

    def __init__(self, folder: Path, is_version_2: bool) -> None:
        self.folder, self.is_version_2 = folder, is_version_2
        folder.mkdir()
        self._put("memory.max" if is_version_2 else "memory.limit_in_bytes", LIMIT_BYTES)
        swap = ("memory.swap.max", 0) if is_version_2 else ("memory.memsw.limit_in_bytes", LIMIT_BYTES)
        if (folder / swap[0]).exists():
            self._put(*swap)

    def _put(self, name: str, value: int) -> None:
        (self.folder / name).write_text(str(value))

    def has_met_its_limit(self) -> bool:
        """Whether there was more to keep than it may hold."""
        if self.is_version_2:
            events = dict(line.split() for line in (self.folder / "memory.events").read_text().splitlines())
            return int(events["max"]) > 0
        return int((self.folder / "memory.max_usage_in_bytes").read_text()) >= LIMIT_BYTES


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    name = f"calltape-{os.getpid()}-{tmp_path.name}"
    first, second = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    is_version_2 = not first.is_dir()
    folder = (second if is_version_2 else first) / name
    try:
        made = Group(folder, is_version_2)
    except OSError as error:
        if folder.is_dir():
            folder.rmdir()
        pytest.skip(f"no memory cgroup can be made here: {error}")
    yield made
    deadline = time.monotonic() + 60
    while made.folder.exists():
        try:
            made.folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


RunIn = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_in(group: Group, environment: dict[str, str], tmp_path: Path) -> RunIn:
    """Runs a program text inside the group, to whatever end it comes to."""

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        inside = f"open({str(group.folder / 'cgroup.procs')!r}, 'w').write('0')\n"
        script = tmp_path / "program.py"
        script.write_text(inside + program, encoding="utf-8")
        command = [sys.executable, str(script), *arguments]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
        )

    return run


def test_the_call_that_the_kernel_killed_the_process_for_is_on_the_tape_with_its_arguments(
    run_in: RunIn, run_program: Callable[..., object], tape_path: Path
) -> None:
    killed = run_in(KILLED)
    assert killed.returncode == -9, killed.stderr
    run_program("import calltape; calltape.start(); assert calltape.flush(20.0)")
    tape = Tape(tape_path)
    (greedy,) = tape.calls("greedy")
    assert greedy["status"] == "interrupted"
    assert json.loads(greedy["args"]) == {"order": "order 66", "size": 1 << 20}
    assert len(tape.calls("harmless")) == 2000
    (ended,) = tape.rows("SELECT ending FROM runs WHERE id = ?", greedy["run_id"])
    assert ended["ending"] == "died"


def test_where_the_kernel_takes_pages_back_all_calls_are_there(
    run_in: RunIn, group: Group, tape_path: Path, tmp_path: Path
) -> None:
    done = run_in(RECLAIMED, str(tmp_path / "pages"))
    assert done.returncode == 0, done.stderr
    assert group.has_met_its_limit()
    recorded, dropped = map(int, done.stdout.split())
    assert (recorded, dropped) == (60_000, 0)
    assert Tape(tape_path).rows("SELECT count(*) AS n FROM calls WHERE status = 'ok'") == [{"n": 60_000}]
