"""`calltape export`: JSON Lines, CSV and Parquet as pandas, pyarrow and DuckDB read them, against the view `calls`."""

import csv
import io
import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pyarrow.parquet
import pytest
from conftest import RunProgram, Tape

Cli = Callable[..., subprocess.CompletedProcess[str]]
Row = dict[str, Any]

# Values that formats get wrong: surrogates alone, NUL, line ends, whole numbers beyond 2^53 and 2^64, what a
# spreadsheet takes for a formula.
RECORDED = r"""
import asyncio
import threading

import calltape
from calltape import monitor


@monitor(group="=SUM(A1)")
def echo(value):
    return value


@monitor()
def fail(message):
    raise LookupError(message)


@monitor()
async def fetch(number):
    await asyncio.sleep(0)
    return number


@monitor()
def count(upto):
    yield from range(upto)


for value in [
    2**53 + 1, 10**30, -7, 1.5, None, True, "", "a\x00b", "a\nb\r\nc", "\ud800", "'quoted', \"twice\"", "=1+1", "-1+1",
    "\u2028 e\u0301 \U0001f980", {"nested": ["\udfff", {"deep": 2**64}]},
]:
    echo(value)
for message in ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "'x", "", "a\x00b", "line\nline", "\ud800"]:
    try:
        fail(message)
    except LookupError:
        pass


async def main():
    await asyncio.gather(fetch(1), fetch(2))


asyncio.run(main())
list(count(3))
count(1)
thread = threading.Thread(target=echo, args=(0,), name="=cmd|x")
thread.start()
thread.join()
assert calltape.flush()
"""

NUMBERS = ["id", "parent_id", "root_id", "started_ns", "duration_ns", "active_ns", "yields", "pid", "run_id", "weight"]
JSON_COLUMNS = ["args", "result", "traceback"]


@pytest.fixture
def tape(run_program: RunProgram) -> Tape:
    """A tape with values that formats get wrong."""
    return run_program(RECORDED).tape


@pytest.fixture
def exported(tape: Tape, calltape_cli: Cli, tmp_path: Path) -> Callable[[str], Path]:
    """Exports the tape into a file of that name."""

    def export(name: str) -> Path:
        done = calltape_cli("--db", tape.path, "export", "--output", name)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return tmp_path / name

    return export


def test_json_lines_are_the_view_with_what_was_recorded_as_json(tape: Tape, exported: Callable[[str], Path]) -> None:
    text = exported("calls.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.removesuffix("\n").split("\n")]
    expected = tape.calls()
    assert len(lines) == len(expected) > 25
    for line, row in zip(lines, expected, strict=True):
        recorded = {name: None if row[name] is None else json.loads(row[name]) for name in JSON_COLUMNS}
        assert line == row | recorded
    echoed = [line["result"] for line in lines if line["function"] == "__main__.echo"]
    assert {2**53 + 1, 10**30, "a\x00b", "\ud800", "a\nb\r\nc"} <= {
        value for value in echoed if not isinstance(value, dict)
    }


def test_pyarrow_reads_the_parquet_file_as_the_view(tape: Tape, exported: Callable[[str], Path]) -> None:
    table = pyarrow.parquet.read_table(exported("calls.parquet"))
    expected = tape.calls()
    assert table.column_names == list(expected[0])
    starts = table.column("started_at").cast("int64").to_pylist()
    assert starts == [row["started_ns"] for row in expected]
    read = table.drop_columns(["started_at"]).to_pylist()
    assert read == [{name: value for name, value in row.items() if name != "started_at"} for row in expected]
    assert str(table.schema.field("started_at").type) == "timestamp[ns, tz=UTC]"


@pytest.mark.parametrize("name", ["calls.parquet", "calls.csv"])
def test_duckdb_counts_and_sums_as_sqlite_does(name: str, tape: Tape, exported: Callable[[str], Path]) -> None:
    path = exported(name)
    query = """SELECT function, status, count(*), sum(duration_ns)::BIGINT, count(args), count(error_type), max(id)
               FROM {} GROUP BY ALL ORDER BY ALL"""
    with duckdb.connect() as database:
        found = database.sql(query.format(f"'{path}'")).fetchall()
    expected = tape.rows(
        """SELECT function, status, count(*), sum(duration_ns), count(args), count(error_type), max(id)
           FROM calls GROUP BY function, status ORDER BY function, status"""
    )
    assert found == [tuple(row.values()) for row in expected]


def test_duckdb_takes_the_arguments_in_json_lines_apart(tape: Tape, calltape_cli: Cli, tmp_path: Path) -> None:
    done = calltape_cli("--db", tape.path, "export", "fetch", "--output", "fetch.jsonl")
    assert done.returncode == 0, done.stderr
    with duckdb.connect() as database:
        query = f"SELECT id, args.number, result, task FROM '{tmp_path / 'fetch.jsonl'}' ORDER BY id"
        found = database.sql(query).fetchall()
    fetched = tape.calls("fetch")
    assert [row[1:3] for row in found] == [(1, 1), (2, 2)]
    assert [(row[0], row[3]) for row in found] == [(row["id"], row["task"]) for row in fetched]


def test_pandas_reads_the_csv_as_the_view(tape: Tape, exported: Callable[[str], Path]) -> None:
    frame = pandas.read_csv(
        exported("calls.csv"),
        dtype=dict.fromkeys(NUMBERS[:-1], "Int64") | {"weight": "float64"},
        keep_default_na=False,
        na_values={name: [""] for name in NUMBERS},
    )
    expected = tape.calls()
    assert list(frame.columns) == list(expected[0])
    assert len(frame) == len(expected)
    for name in frame.columns:
        read = [plain(value) for value in frame[name]]
        assert read == [row[name] if name in NUMBERS else row[name] or "" for row in expected], name


def plain(value: Any) -> Any:
    """A cell as SQLite has it: no number as None, and the apostrophe taken off that guards against formulas."""
    if isinstance(value, str):
        return value.removeprefix("'")
    return None if value is pandas.NA or (isinstance(value, float) and math.isnan(value)) else value


def test_no_cell_of_the_csv_is_a_formula(exported: Callable[[str], Path]) -> None:
    with exported("calls.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(io.StringIO(file.read())) for cell in row]
    formulas = [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n")]
    assert formulas == ["-7"]
    assert {"'=HYPERLINK(1)", "'=SUM(A1)", "'=cmd|x", "''x"} <= set(cells)
