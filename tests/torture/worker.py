"""The programs under torture, and the process that starts them without the cost of a new interpreter each time.

`python -m torture.worker` imports calltape once, records nothing, and forks a child for each request on the socket it
inherits; `stage.py` is its only caller. A program gets a descriptor to acknowledge on: eight bytes, the call's number,
written after the call has returned. It never decides whether something is right: that is the oracle's.
"""

import ctypes
import gc
import json
import os
import random
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import calltape
from calltape import monitor

from .numbered import STRIDE, note, refusal, refuses, result

# Seconds until what a dead process left must be in the database.
ADOPTION = 60.0


class RefusedError(Exception):
    """What a call raises that refuses."""


@monitor()
def inner(n: int) -> int:
    """Called by each outer call; lets go of the interpreter lock now and then, so that others are in calls."""
    if n % 16 == 0:
        time.sleep(0.0001)
    return n + 1


@monitor()
def outer(n: int, *, note: str) -> str:
    """The acknowledged call."""
    assert inner(n) == n + 1
    if refuses(n):
        raise RefusedError(refusal(n))
    return result(n)


def call(n: int, ack: int) -> None:
    """Makes call n, sees that the caller gets what it should, and acknowledges it."""
    try:
        assert outer(n, note=note(n)) == result(n)
    except RefusedError as error:
        assert str(error) == refusal(n)  # noqa: PT017
        assert refuses(n)
    os.write(ack, n.to_bytes(8, "little"))


def calls_of(lane: int, ack: int, *, count: int | None = None, pause: float = 0.0, until: float | None = None) -> None:
    """Makes a lane's calls one after the other: `count` of them, until a time, or for ever; `pause` seconds apart."""
    n = lane * STRIDE
    while (count is None or n % STRIDE < count) and (until is None or time.monotonic() < until):
        call(n, ack)
        n += 1
        if pause:
            time.sleep(pause)


def threads_of(threads: int, ack: int, first: int = 0, **how: Any) -> list[threading.Thread]:
    """Starts so many threads with a lane each."""
    made = [
        threading.Thread(target=calls_of, args=[lane, ack], kwargs=how, name=f"lane-{lane}", daemon=True)
        for lane in range(first, first + threads)
    ]
    for thread in made:
        thread.start()
    return made


# ---------------------------------------------------------------------------------------------------------- programs


def load(ack: int, db: str, threads: int = 1, lane: int = 0, settings: Mapping[str, Any] = {}, **how: Any) -> None:
    """Calls from `threads` threads until killed, or until `seconds` are over; then an ordinary stop."""
    calltape.start(db, **settings)
    if "seconds" in how:
        how["until"] = time.monotonic() + how.pop("seconds")
    for thread in threads_of(threads, ack, lane, **how):
        thread.join()
    calltape.flush(60)
    calltape.stop(60)


def dies(ack: int, db: str, how: str, delay: float, threads: int = 4) -> None:
    """Calls from several threads, until the process ends itself: by a wild pointer, or without saying goodbye."""
    calltape.start(db, on_full="block")
    threads_of(threads, ack)
    time.sleep(delay)
    if how == "segfault":
        ctypes.string_at(0)
    os._exit(0)


def runs_in(folder: Path) -> list[Path]:
    """The runs in a tape's folder; not what is half made."""
    if not folder.is_dir():
        return []
    return [entry for entry in folder.iterdir() if entry.is_dir() and len(entry.name) == 16]


def next_start(ack: int, db: str) -> None:
    """An ordinary start on the tape; it is done when the journals of the dead are gone."""
    folder = Path(db).with_name(Path(db).name + ".tape")
    dead = set(runs_in(folder))
    calltape.start(db)
    deadline = time.monotonic() + ADOPTION
    while dead & set(runs_in(folder)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{folder} still holds what the dead left: {calltape.stats()}")
        time.sleep(0.005)
    calltape.flush(10)
    calltape.stop(10)


def resumes(ack: int, db: str, count: int, lane: int) -> None:
    """Records on whatever is there, begun by its first call: some calls, a while for what the dead left, a stop."""
    os.environ["CALLTAPE_DB"] = db
    calls_of(lane, ack, count=count)
    folder = Path(db).with_name(Path(db).name + ".tape")
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline and (not folder.is_dir() or len(runs_in(folder)) > 1):
        time.sleep(0.01)
    calltape.flush(5)
    calltape.stop(5)


def grows(ack: int, db: str, cgroup: str) -> None:
    """Joins a memory cgroup, makes calls beside a thread that allocates until the kernel ends the process."""
    calltape.start(db, on_full="block", journal_limit="4MiB")
    Path(cgroup, "cgroup.procs").write_text(str(os.getpid()))
    threads_of(2, ack, pause=0.001)
    time.sleep(0.05)
    swallow(STRIDE * 9, held=[])


@monitor()
def swallow(n: int, held: list[bytes]) -> NoReturn:
    """Allocates for ever: the call that kills the process."""
    while True:
        held.append(b"x" * (1 << 20))


def forks(ack: int, db: str, children: int, threads: int, calls: int, watchdog: float) -> None:
    """Forks again and again while threads record; each child makes a few calls and ends in one of three ways."""
    calltape.start(db, on_full="block")
    threads_of(threads, ack, pause=0.0005)
    gc.freeze()
    for number in range(children):
        lane = 100 + number
        pid = os.fork()
        if pid == 0:
            calls_of(lane, ack, count=calls)
            if number % 3 == 0:
                calltape.stop(10)
            elif number % 3 == 1:
                os.kill(os.getpid(), 9)
            os._exit(0)
        deadline = time.monotonic() + watchdog
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, 6)
                raise TimeoutError(f"child {number} of {children} hangs")
            time.sleep(0.001)


def fails(ack: int, db: str, what: str, nth: int, error: int, forever: bool, threads: int) -> None:
    """Calls from several threads while the extension's nth system call, or allocation, fails; then it is well again."""
    from faults import Faults

    calltape.start(db, breaker_timeout="0.5s", journal_limit="4MiB")
    calls_of(threads, ack, count=50)
    shim = Faults()
    if what == "allocation":
        shim.allocations(nth, forever=forever)
    else:
        shim.calls(nth, error, forever=forever)
    lanes = threads_of(threads, ack, count=600, pause=0.001)
    time.sleep(0.5)
    shim.off()
    for lane in lanes:
        lane.join()
    calltape.flush(20)
    calltape.stop(20)


def commits(ack: int, db: str, seed: int) -> None:
    """Calls in bursts, each flushed and marked in the log of `power_log.c`; pauses let the drain move the WAL."""
    chance = random.Random(seed)
    power_mark = ctypes.CDLL(None).power_mark
    power_mark.argtypes = [ctypes.c_uint64]
    calltape.start(db)
    n = 0
    for _ in range(8):
        for _ in range(chance.randint(1, 120)):
            call(n, ack)
            n += 1
        if chance.random() < 0.7 and calltape.flush(10):
            power_mark(n)
        time.sleep(chance.choice([0, 0, 0.02, 1.2]))
    if calltape.stop(10):
        power_mark(n)


PROGRAMS: Mapping[str, Callable[..., None]] = {
    program.__name__: program for program in (load, dies, next_start, resumes, grows, forks, fails, commits)
}


# ------------------------------------------------------------------------------------------------------- the forker


def run(program: str, arguments: Mapping[str, Any], ack: int) -> NoReturn:
    """A child's life."""
    code = 70
    try:
        PROGRAMS[program](ack, **arguments)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def serve(requests: socket.socket) -> None:
    """Forks a child for each `begin`, and says how it ended for each `wait`."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, 1 << 16, 1)
        if not message:
            return
        request = json.loads(message)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            requests.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())
            continue
        [ack] = descriptors
        pid = os.fork()
        if pid == 0:
            requests.close()
            run(request["program"], request["arguments"], ack)
        os.close(ack)
        requests.send(json.dumps(pid).encode())


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve(connection)
