"""How long questions to a tape of ten million calls take, while another process records 100,000 calls a second into it.

The tape is that of `make big-tape`, copied so that it stays as it is. The questions are asked by the engine's example
`query_times`, which prints the time of each within the query: twenty-four rounds, each of other times, functions and
values, and then once each after the tape's pages were dropped from memory.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bench.figures import Measured
from bench.processes import ANSWER_TIMEOUT, REPOSITORY, Scale, Worker, measured, scratch

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
QUERY_TIMES = TARGET / "release" / "examples" / "query_times"

# Where `make big-tape` puts tapes: one, whose name says how many calls it has.
BIG_TAPES = REPOSITORY / ".make" / "big-tape"

# Calls a second that the writer makes, in bursts with pauses between.
RATE = 100_000
BURST_S = 0.005

# Seconds that the writer has been at it before the first question.
HEAD_START = 3

# Each question and the figure it is judged by; those without one are in the notes.
JUDGED = {
    "top": "query, top",
    "errors": "query, errors",
    "find by function and time": "query, find",
    "find by a value in args within an hour": "query, find by value",
    "tree": "query, tree",
    "function page": "query, function page",
}


def record(db: Path) -> None:
    """The worker: calls at the pace until it is asked to end, then what became of them."""
    import calltape

    @calltape.monitor()
    def add(a: int, b: int) -> int:
        return a + b

    @calltape.monitor()
    def wait() -> str:
        return sys.stdin.readline()

    # Nothing of the tape is too old or too much.
    calltape.start(db, on_full="block", block_timeout=60, retention_age=0, retention_size=0, retention_minutes=0)
    # A call that runs all the time, for the question of what is running.
    asked = threading.Thread(target=wait, daemon=True)
    asked.start()
    began, made = time.perf_counter(), 0
    print(json.dumps({}), flush=True)
    while asked.is_alive():
        due = int((time.perf_counter() - began) * RATE)
        for number in range(made, due):
            add(number, 4)
        made = max(made, due)
        time.sleep(BURST_S)
    seconds = time.perf_counter() - began
    committed = calltape.flush(timeout=60)
    print(json.dumps({"rate": made / seconds, "committed": committed, "lost": calltape.stats().dropped}), flush=True)
    calltape.stop()


def ask(tape: Path, rounds: int, *questions: str) -> list[dict[str, Any]]:
    """The questions' times, in milliseconds: a document each."""
    done = subprocess.run(
        [QUERY_TIMES, tape, str(rounds), *questions],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=ANSWER_TIMEOUT,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def forget(tape: Path) -> None:
    """Has the system drop what it holds of the tape in memory."""
    with tape.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(scale: Scale) -> tuple[list[Measured], list[str]]:
    """Times of the questions, warm and cold."""
    if not QUERY_TIMES.exists():
        raise FileNotFoundError(f"{QUERY_TIMES.name} is not built: make query-times builds it")
    tapes = sorted(BIG_TAPES.glob("calls-*.db"))
    if not tapes:
        raise FileNotFoundError("there is no big tape: make big-tape makes it")
    rounds = 24 if scale.rounds >= 9 else 8
    with scratch() as directory:
        tape = directory / "calls.db"
        shutil.copyfile(tapes[-1], tape)
        calls = int(tapes[-1].stem.removeprefix("calls-"))
        writer = Worker("bench.queries", tape)
        writer.hear()
        time.sleep(HEAD_START)
        warm = ask(tape, rounds)
        cold = {}
        for answer in warm:
            forget(tape)
            [once] = ask(tape, 1, answer["question"])
            cold[answer["question"]] = once["ms"][0]
        ended = writer.ask("end")
        writer.end()
    if ended["lost"] or not ended["committed"]:
        raise RuntimeError(f"the writer lost calls: {ended}")
    if empty := [answer["question"] for answer in warm if not answer["found"]]:
        raise RuntimeError(f"questions that found nothing: {empty}")
    figures = [measured(JUDGED[answer["question"]], answer["ms"]) for answer in warm if answer["question"] in JUDGED]
    lines = [
        "| question | median | worst | by the processor | first, nothing of it in memory |",
        "|---|---|---|---|---|",
    ]
    for answer in warm:
        name, ms = answer["question"], answer["ms"]
        lines.append(
            f"| {name} | {statistics.median(ms):,.1f} ms | {max(ms):,.1f} ms |"
            f" {statistics.median(answer['processor_ms']):,.1f} ms | {cold[name]:,.1f} ms |"
        )
    notes = [
        f"questions to a tape of {calls:,} calls, {rounds} rounds, while another process recorded {ended['rate']:,.0f}"
        " calls a second into it, none lost:\n\n" + "\n".join(lines)
    ]
    return figures, notes


if __name__ == "__main__":
    record(Path(sys.argv[1]))
