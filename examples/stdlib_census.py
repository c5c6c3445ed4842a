"""A census of Python's own standard library, recorded by calltape.

Reads, parses and measures every module that the running interpreter came with, in a few threads. The functions that do
the work are marked `@monitor()`, so each call leaves a record on the tape. Beside that the program counts its own calls
and errors in plain Python, and at the end it compares the two, function by function: the exit code is 0 only if they
agree exactly.

    python examples/stdlib_census.py --db census.db
    calltape --db census.db top

The library's test folder is part of the walk. It holds files that do not decode and files that do not parse, on
purpose, so the errors on the tape are real ones.
"""

import argparse
import ast
import io
import os
import sqlite3
import sys
import sysconfig
import threading
import time
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeGuard

import calltape
from calltape import monitor

# ------------------------------------------------------------------------------------- the program's own books


class Books:
    """How often each function was called and how often it failed: what calltape's figures are compared with."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.errors: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def opened(self, function: str) -> None:
        with self._lock:
            self.calls[function] += 1

    def failed(self, function: str, error: type[BaseException]) -> None:
        with self._lock:
            self.errors[function, error.__name__] += 1


BOOKS = Books()


class counted:  # noqa: N801 - reads like the statement it is: `with counted("parse"):`
    """Enters the block in the books, and its exception if one passes through."""

    def __init__(self, function: str) -> None:
        self.function = function

    def __enter__(self) -> None:
        BOOKS.opened(self.function)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            BOOKS.failed(self.function, kind)


# ------------------------------------------------------------------------------------- the work, under @monitor()


@dataclass(frozen=True)
class Shape:
    """What one function or class looks like."""

    name: str
    lines: int
    nesting: int


@dataclass(frozen=True)
class Module:
    """What the census knows about one file; `problem` says why the other figures are missing."""

    path: Path
    lines: int = 0
    functions: int = 0
    classes: int = 0
    imports: int = 0
    deepest: Shape | None = None
    problem: str | None = None


@monitor()
def survey(path: Path) -> Module:
    """The facts of one module: the root call of each tree on the tape."""
    with counted("survey"):
        try:
            raw = path.read_bytes()
            source = decode(raw)
            tree = parse(raw, path.name)
        except (SyntaxError, ValueError) as error:
            return Module(path, problem=f"{type(error).__name__}: {error}")
        shapes = [measure_class(node) for node in tree.body if isinstance(node, ast.ClassDef)]
        shapes += [measure_function(node) for node in tree.body if is_function(node)]
        nodes = list(ast.walk(tree))  # on the tape, as an argument: "[list with 12345 items]"
        return Module(
            path,
            lines=source.count("\n"),
            functions=sum(map(is_function, nodes)),
            classes=sum(isinstance(node, ast.ClassDef) for node in nodes),
            imports=len(imported(nodes)),
            deepest=max(shapes, key=lambda shape: shape.nesting, default=None),
        )


@monitor()
def decode(raw: bytes) -> str:
    """The text of a source file: UTF-8, or what its coding line declares."""
    with counted("decode"):
        try:
            return decode_utf8(raw)
        except UnicodeDecodeError:
            return decode_declared(raw)


@monitor()
def decode_utf8(raw: bytes) -> str:
    """The text, if it is UTF-8, as nearly every module is."""
    with counted("decode_utf8"):
        return raw.decode("utf-8-sig")


@monitor()
def decode_declared(raw: bytes) -> str:
    """The text in the encoding that one of the first two lines names."""
    with counted("decode_declared"):
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return raw.decode(encoding)


@monitor()
def parse(raw: bytes, filename: str) -> ast.Module:
    """The syntax tree."""
    with counted("parse"):
        return ast.parse(raw, filename)


@monitor()
def measure_class(node: ast.ClassDef) -> Shape:
    """The shape of a class. Its methods are measured on the way: calls nested in this one."""
    with counted("measure_class"):
        methods = [measure_function(child) for child in node.body if is_function(child)]
        return Shape(node.name, lines_of(node), 1 + max((method.nesting for method in methods), default=0))


@monitor(sample_rate=0.1)
def measure_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Shape:
    """The shape of a function. There are tens of thousands: one call in ten is recorded, all of them are counted."""
    with counted("measure_function"):
        return Shape(node.name, lines_of(node), nesting_of(node))


@monitor(sample_rate=0.1)
def imported(nodes: list[ast.AST]) -> set[str]:
    """The names of the modules that a module imports."""
    with counted("imported"):
        names: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.add("." * node.level + (node.module or ""))
        return names


# ------------------------------------------------------------------------------------- plain functions, not recorded


def is_function(node: ast.AST) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def lines_of(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def nesting_of(node: ast.AST) -> int:
    """How many levels of statements stand below this one; an `elif` stands beside its `if`, not inside."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            beside = isinstance(child, ast.If) and isinstance(node, ast.If) and node.orelse == [child]
            deepest = max(deepest, nesting_of(child) + (not beside))
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            deepest = max(deepest, nesting_of(child))
    return deepest


def modules(limit: int | None) -> list[Path]:
    """The standard library's files; with a limit, so many of them, spread evenly over the whole."""
    root = Path(sysconfig.get_path("stdlib"))
    files = sorted(path for path in root.rglob("*.py") if not {"site-packages", "dist-packages"} & set(path.parts))
    if limit is None or limit >= len(files):
        return files
    return [files[index * len(files) // limit] for index in range(limit)]


def walk(paths: Sequence[Path], threads: int) -> list[Module]:
    """Surveys the files in a pool of threads, with a line of progress where somebody watches."""
    found: list[Module] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="census") as pool:
        for module in pool.map(survey, paths):
            found.append(module)
            if sys.stderr.isatty() and len(found) % 50 == 0:
                print(f"\r  {len(found)} of {len(paths)} modules", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return found


# ------------------------------------------------------------------------------------- the comparison


@dataclass(frozen=True)
class Verdict:
    """One figure of the books beside the tape's."""

    what: str
    counted: int
    on_tape: int
    agrees: bool
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.what:<36} {self.counted:>9,} {self.on_tape:>9,} {self.detail:>34}   {self.word}"

    @property
    def word(self) -> str:
        return "agrees" if self.agrees else "DIFFERS"


def short(dotted: str) -> str:
    """`parse` for `__main__.parse`."""
    return dotted.rpartition(".")[2]


def verdicts(db: Path) -> Iterator[Verdict]:
    """The books against the tape: each function's calls, then each function's errors by type.

    The tape is an ordinary SQLite file, and `calltape.stop()` has closed it: reading it with `sqlite3` is safe here.
    While calltape records, a second SQLite in the same process is not (docs/unsupported-patterns.md).
    """
    with closing(sqlite3.connect(f"{db.resolve().as_uri()}?mode=ro", uri=True)) as tape:
        newest_of_mine = "SELECT id FROM runs WHERE pid = ? ORDER BY started_ns DESC LIMIT 1"
        run = tape.execute(newest_of_mine, [os.getpid()]).fetchone()
        accounting = tape.execute("SELECT * FROM accounting WHERE run_id = ?", run)
        columns = [column[0] for column in accounting.description]
        rows = [dict(zip(columns, row, strict=True)) for row in accounting]
        errors = "SELECT function, error_type, count(*) FROM calls WHERE run_id = ? AND status = 'error' GROUP BY 1, 2"
        failures = {(short(function), short(kind)): count for function, kind, count in tape.execute(errors, run)}

    figures = {short(row["function"]): row for row in rows}
    for function, counted_calls in BOOKS.calls.most_common():
        row = figures.pop(function, None)
        if row is None:
            yield Verdict(function, counted_calls, 0, agrees=False)
            continue
        settled = row["calls"] == row["stored"] + row["sampled_out"]  # so: none dropped, in flight or unknown
        detail = f"{row['stored']:,} stored, {row['sampled_out']:,} sampled out"
        yield Verdict(function, counted_calls, row["calls"], settled and row["calls"] == counted_calls, detail)
    for function, row in figures.items():
        yield Verdict(function, 0, row["calls"], agrees=row["calls"] == 0)

    for key in sorted(BOOKS.errors.keys() | failures.keys()):
        counted_errors, taped = BOOKS.errors[key], failures.get(key, 0)
        yield Verdict(": ".join(key), counted_errors, taped, counted_errors == taped)


# ------------------------------------------------------------------------------------- the program


def report(found: Sequence[Module], seconds: float) -> None:
    """What the census found out about the library."""

    def total(figure: str) -> str:
        return f"{sum(getattr(module, figure) for module in found):,} {figure}"

    figures = ", ".join(map(total, ["lines", "functions", "classes", "imports"]))
    print(f"{len(found):,} modules in {seconds:.1f} s: {figures}")
    shapes = [(module.deepest, module.path.name) for module in found if module.deepest]
    if shapes:
        deepest, filename = max(shapes, key=lambda pair: pair[0].nesting)
        print(f"Nested deepest: {deepest.name} in {filename}, {deepest.nesting} levels in {deepest.lines} lines.")
    unreadable = [module for module in found if module.problem]
    print(f"{len(unreadable)} could not be read{':' if unreadable else '.'}")
    for module in unreadable:
        print(f"  {module.path.name}: {module.problem}")


def main() -> int:
    parser = argparse.ArgumentParser(description="A census of Python's standard library, recorded by calltape.")
    parser.add_argument("--db", type=Path, default=Path(".calltape/census.db"), help="the tape (default: %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="so many modules, spread over the library; default: all")
    parser.add_argument("--threads", type=int, default=4, metavar="N", help="default: %(default)s")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what the parser has to say about other people's escape sequences

    calltape.start(options.db, on_full="block")
    began = time.perf_counter()
    found = walk(modules(options.limit), options.threads)
    report(found, time.perf_counter() - began)
    complete = calltape.flush(timeout=60)
    calltape.stop()

    print(f"\n{'':<36} {'counted':>9} {'on tape':>9}")
    compared = list(verdicts(options.db))
    print(*compared, sep="\n")
    agreed = complete and all(verdict.agrees for verdict in compared)
    print(f"\nThe program's own counters and the tape {'agree' if agreed else 'DIFFER'}.")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
