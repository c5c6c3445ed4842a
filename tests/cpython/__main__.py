"""`python -m cpython`: runs CPython's tests bare, rewritten and monitored, compares, and reads the tapes.

Called by `make test` and, with `--asyncio`, by `make test-cpython`, from a build installed into the interpreter's
environment. Ends with 1 if a difference is not listed, a listed one is not there, a function went unmonitored, or a
tape does not balance.
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
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
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


def faults_of_the_recording(monitored: Document, may_drop: bool) -> list[str]:
    """What calltape's own figures and its log say against it."""
    stats = monitored["stats"]
    wrong = []
    if stats["recorded"] != sum(stats[part] for part in ("stored", "sampled_out", "dropped", "in_flight")):
        wrong.append(f"the figures do not balance: {stats}")
    if stats["faults"] or not monitored["flushed"]:
        wrong.append(f"faults, or calls that are not in the database: {stats}")
    if bool(stats["dropped"]) != may_drop:
        wrong.append(
            f"{stats['dropped']} calls were dropped, and the module is {'' if may_drop else 'not '}listed for it"
        )
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
        [stored] = database.execute("SELECT coalesce(sum(stored), 0) FROM accounting").fetchone()
        [rows] = database.execute("SELECT count(*) FROM calls WHERE status <> 'running'").fetchone()
    wrong = [f"the books do not balance: {row}" for row in unbalanced]
    if stored != rows:
        wrong.append(f"{stored} calls are stored by the books, {rows} are on the tape")
    return kinds, wrong


def check_module(module: str, known: listed.Known) -> tuple[dict[str, int], list[str]]:
    """Runs a module's three columns and prints a line for it; calls by kind, and everything that is wrong."""
    with tempfile.TemporaryDirectory(prefix="test-cpython-") as name:
        directory = Path(name)
        try:
            documents = {column: run_column(column, module, directory) for column in COLUMNS}
        except (RuntimeError, subprocess.TimeoutExpired) as broken:
            return {}, [f"{module}: {broken}"]
        kinds, wrong = read_tape(directory / "calls.db")
    seen = outcomes_side_by_side(documents)
    wrong += faults_of_the_recording(documents["monitored"], module in known.dropping)
    if module in MODULES:  # asyncio's tests print what comes of a race
        wrong += [
            f"{column} printed other than bare:\n{documents[column]['stderr']}"
            for column in COLUMNS[1:]
            if documents[column]["stderr"] != documents["bare"]["stderr"]
        ]
    wrong = [f"{module}: {text}" for text in wrong] + listed.judge(seen, known.of(module))
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


def asyncio_modules() -> list[str]:
    """The modules of the interpreter's own tests of asyncio."""
    if not is_there("test.test_asyncio"):
        return []
    package = import_module("test.test_asyncio")
    names = sorted(module.name for module in iter_modules(package.__path__))
    return [f"test.test_asyncio.{name}" for name in names if name.startswith("test_")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cpython", description="CPython's own tests, monitored.")
    parser.add_argument("modules", nargs="*", default=MODULES, help="these, and not the usual six")
    parser.add_argument("--asyncio", action="store_true", help="all of asyncio's tests too: minutes")
    options = parser.parse_args()
    wanted = [*options.modules, *(asyncio_modules() if options.asyncio else ())]
    modules = [module for module in wanted if is_there(module)]
    for missing in sorted({*wanted} - {*modules}):
        print(f"{missing}: not run, Python {platform.python_version()} comes without it")

    version = "{}.{}".format(*sys.version_info[:2])
    known = listed.read().on(version)
    wrong: list[str] = []
    kinds: set[str] = set()
    for module in modules:
        found, complaints = check_module(module, known)
        kinds |= set(found)
        wrong += complaints
    if {*modules}.issuperset(MODULES) and not kinds.issuperset(KINDS):
        wrong.append(f"kinds of functions on the tapes: {', '.join(sorted(kinds))}; not all of {', '.join(KINDS)}")
    for complaint in wrong:
        print(f"\n{complaint}", file=sys.stderr)
    print(f"{len(known.tests)} differences are listed for Python {version}; {len(wrong)} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
