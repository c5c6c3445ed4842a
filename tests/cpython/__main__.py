"""`python -m cpython`: runs CPython's tests bare, rewritten and monitored, compares, and reads the tapes.

Called by `make test-cpython`, from a build installed into the interpreter's environment. Ends with 1 if a difference is
not listed, a listed one is not there, a function went unmonitored, or a tape does not balance. Modules named on the
command line run instead of the usual six.
"""

import argparse
import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cpython import MODULES, listed

COLUMNS = ("bare", "rewritten", "monitored")
KINDS = ("function", "coroutine", "generator", "async_generator")

# Seconds a column may take; the slowest takes two.
TIMEOUT = 300

# Of a long list of complaints, so many are shown.
SHOWN = 5

Document = dict[str, Any]


def run_column(column: str, module: str, directory: Path) -> Document:
    """One process; its outcomes, what it printed as `stderr`, and its tape as `tape`."""
    output = directory / f"{column}.json"
    work = directory / column
    work.mkdir()
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("CALLTAPE_", "PYTHON"))}
    settings = {"PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONHASHSEED": "0", "PYTHONFAULTHANDLER": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "cpython.column", column, output, module],
        env=clean | settings | {"CALLTAPE_DB": str(directory / "calls.db")},
        cwd=work,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{module}, {column}, ended with {done.returncode}:\n{done.stderr}")
    document: Document = json.loads(output.read_text(encoding="utf-8"))
    return document | {"stderr": re.sub(r"0x[0-9a-f]+", "0x...", done.stderr)}


def outcomes_side_by_side(documents: dict[str, Document]) -> dict[str, listed.Seen]:
    """Each test's outcome in the three columns."""
    tests = {column: documents[column]["tests"] for column in COLUMNS}
    seen = {}
    for test in sorted(set().union(*tests.values())):
        found = [tests[column].get(test, {"outcome": "absent", "detail": ""}) for column in COLUMNS]
        bare, rewritten, monitored = (one["outcome"] for one in found)
        seen[test] = listed.Seen(bare, rewritten, monitored, found[2]["detail"] or found[1]["detail"])
    return seen


def faults_of_the_recording(monitored: Document) -> list[str]:
    """What calltape's own figures and its log say against it."""
    stats = monitored["stats"]
    wrong = []
    if stats["recorded"] != sum(stats[part] for part in ("stored", "sampled_out", "dropped", "in_flight")):
        wrong.append(f"the figures do not balance: {stats}")
    if stats["faults"] or stats["dropped"] or not monitored["flushed"]:
        wrong.append(f"faults, or calls that are not in the database: {stats}")
    for what, texts in (("not monitored", monitored["left"]), ("calltape's log", monitored["log"])):
        if texts:
            wrong.append(f"{what}, {len(texts)}: " + "; ".join(texts[:SHOWN]))
    return wrong


def read_tape(tape: Path) -> tuple[dict[str, int], list[str]]:
    """Calls on the tape by kind, and what is wrong with its books. Its process has ended."""
    with closing(sqlite3.connect(f"{tape.as_uri()}?mode=ro", uri=True)) as database:
        kinds = dict(database.execute("SELECT kind, count(*) FROM calls GROUP BY kind"))
        unbalanced = database.execute(
            "SELECT function, calls, stored, sampled_out, dropped, in_flight, unknown FROM accounting"
            " WHERE calls <> stored + sampled_out + dropped + in_flight + unknown OR unknown <> 0"
        ).fetchall()
        [stored] = database.execute("SELECT sum(stored) FROM accounting").fetchone()
        [rows] = database.execute("SELECT count(*) FROM calls WHERE status <> 'running'").fetchone()
    wrong = [f"the books do not balance: {row}" for row in unbalanced]
    if stored != rows:
        wrong.append(f"{stored} calls are stored by the books, {rows} are on the tape")
    return kinds, wrong


def check_module(module: str, entries: list[listed.Listed]) -> tuple[dict[str, int], list[str]]:
    """Runs a module's three columns and prints a line for it; calls by kind, and everything that is wrong."""
    with tempfile.TemporaryDirectory(prefix="test-cpython-") as name:
        directory = Path(name)
        try:
            documents = {column: run_column(column, module, directory) for column in COLUMNS}
        except (RuntimeError, subprocess.TimeoutExpired) as broken:
            return {}, [f"{module}: {broken}"]
        kinds, wrong = read_tape(directory / "calls.db")
    seen = outcomes_side_by_side(documents)
    wrong = [f"{module}: {text}" for text in wrong + faults_of_the_recording(documents["monitored"])]
    wrong += listed.judge(seen, entries)
    for column in COLUMNS[1:]:
        if documents[column]["stderr"] != documents["bare"]["stderr"]:
            wrong.append(f"{module}, {column}, printed other than bare:\n{documents[column]['stderr']}")
    same = sum(outcomes.same for outcomes in seen.values())
    calls = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"{module:28} {len(seen):4} tests, {same} as bare, {len(seen) - same} not; calls: {calls}", flush=True)
    return kinds, wrong


def is_there(module: str) -> bool:
    """Whether the interpreter has the module; some distributions leave out their tests, or some of them."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cpython", description="CPython's own tests, monitored.")
    parser.add_argument("modules", nargs="*", default=MODULES, help="such as test.test_generators")
    wanted = parser.parse_args().modules
    version = "{}.{}".format(*sys.version_info[:2])
    modules = [module for module in wanted if is_there(module)]
    for missing in sorted({*wanted} - {*modules}):
        print(f"{missing}: not run, Python {platform.python_version()} comes without it")

    entries = [entry for entry in listed.read() if version in entry.python]
    wrong: list[str] = []
    kinds: set[str] = set()
    for module in modules:
        found, complaints = check_module(module, [entry for entry in entries if entry.test.startswith(f"{module}.")])
        kinds |= set(found)
        wrong += complaints
    if modules == [*MODULES] and not kinds.issuperset(KINDS):
        wrong.append(f"kinds of functions on the tapes: {', '.join(sorted(kinds))}; not all of {', '.join(KINDS)}")
    print(*wrong, sep="\n\n", file=sys.stderr)
    print(f"{len(entries)} differences are listed for Python {version}; {len(wrong)} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
