"""Calls as tables: by Arrow's stream, and what reads that."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import small_shop
from conftest import RunProgram

import calltape

duckdb = pytest.importorskip("duckdb")
pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")


@pytest.fixture
def tape(run_program: RunProgram) -> Iterator[calltape.Tape]:
    with calltape.open(run_program(small_shop.PROGRAM).tape.path) as tape:
        yield tape


def rows(tape: calltape.Tape) -> list[dict[str, Any]]:
    """The view `calls`, as SQLite has it."""
    return tape.sql("SELECT * FROM calls ORDER BY id").dicts()


def test_arrow_has_the_view_with_its_columns_types_and_values(tape: calltape.Tape) -> None:
    table = tape.calls(order="oldest").to_arrow()
    expected = rows(tape)
    assert table.column_names == [*expected[0]]
    types = {field.name: str(field.type) for field in table.schema}
    assert types["id"] == types["duration_ns"] == "int64"
    assert types["weight"] == "double"
    assert types["started_at"] == "timestamp[ns, tz=UTC]"
    assert types["args"] == types["traceback"] == "string"
    for got, row in zip(table.to_pylist(), expected, strict=True):
        assert got.pop("started_at").value == row["started_ns"]
        assert got == {name: value for name, value in row.items() if name != "started_at"}


def test_pandas_and_polars_have_the_same_calls(tape: calltape.Tape) -> None:
    ids = [row["id"] for row in rows(tape)]
    calls = tape.calls("shop.*", order="oldest")
    assert calls.to_pandas()["id"].tolist() == ids
    assert calls.to_polars()["id"].to_list() == ids
    errors = calls.to_pandas().groupby("function")["error_type"].count()
    assert errors.to_dict() == {"shop.charge": 1, "shop.check": 0, "shop.place": 1}


def test_whatever_reads_streams_takes_the_calls_themselves(tape: calltape.Tape) -> None:
    calls = tape.calls("charge")
    assert pyarrow.RecordBatchReader.from_stream(calls).read_all().num_rows == 3
    assert polars.DataFrame(calls).height == 3
    assert pandas.DataFrame.from_arrow(calls).shape[0] == 3
    (paid,) = duckdb.from_arrow(calls).aggregate("sum((result ->> '$.paid')::int)").fetchall()[0]
    assert paid == 15


def test_order_filter_and_limit_hold_for_tables(tape: calltape.Tape) -> None:
    for order in ("newest", "oldest", "slowest"):
        calls = tape.calls("shop.ch*", order=order, limit=4)
        assert calls.to_arrow()["id"].to_pylist() == [call.id for call in calls]
    found = tape.calls(where="args.order.id = 3").to_arrow()
    assert [json.loads(args)["order"]["id"] for args in found["args"].to_pylist()] == [3, 3, 3]
    assert tape.calls(limit=0).to_arrow().num_rows == 0
    empty = tape.calls("nothing").to_arrow()
    assert (empty.num_rows, empty.num_columns) == (0, len(rows(tape)[0]))


def test_many_calls_come_in_batches_and_each_once(run_program: RunProgram) -> None:
    run_program("""
import calltape, pyarrow
@calltape.monitor(name="work")
def work(n): return n
for n in range(20_000): work(n)
assert calltape.flush()
with calltape.open() as tape:
    batches = [*pyarrow.RecordBatchReader.from_stream(tape.calls(order="oldest"))]
    assert 3 < len(batches) < 200, len(batches)
    args = [text for batch in batches for text in batch["args"].to_pylist()]
    assert args == ['{"n":%d}' % n for n in range(20_000)]
    assert tape.calls(limit=7_000).to_arrow().num_rows == 7_000
""")


def test_a_stream_outlives_its_tape_and_is_no_forked_childs(run_program: RunProgram) -> None:
    run_program("""
import calltape, os, pyarrow
@calltape.monitor(name="work")
def work(n): return n
for n in range(2_000): work(n)
assert calltape.flush()
with calltape.open() as tape: stream = pyarrow.RecordBatchReader.from_stream(tape.calls())
rows = stream.read_next_batch().num_rows
child = os.fork()
if child == 0:
    try: stream.read_next_batch()
    except Exception as error: os._exit(0 if "forked" in str(error) else 2)
    os._exit(1)
assert os.waitpid(child, 0)[1] == 0
rows += sum(batch.num_rows for batch in stream)
assert rows == 2_000, rows
""")


def test_what_is_not_installed_is_named_with_the_extra_that_has_it(
    tape: calltape.Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pyarrow", "polars"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'calltape\[arrow\]'"):
        tape.calls().to_pandas()
    with pytest.raises(ImportError, match=r"pip install 'calltape\[polars\]'"):
        tape.calls().to_polars()
