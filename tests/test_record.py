"""`calltape.testing.record`: a tape for a block, in memory, gone afterwards; what was recorded before goes on."""

import gc
import logging
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from conftest import RunProgram

import calltape
from calltape.testing import record


@calltape.monitor(name="double")
def double(n: int) -> int:
    return n * 2


@calltape.monitor(name="outer")
def outer(n: int) -> int:
    return double(n) + 1


def called(tape: calltape.Tape) -> dict[str, int]:
    return {row.function: row.calls for row in tape.functions()}


def test_the_tape_has_every_call_that_was_made_before_it_is_asked() -> None:
    with record() as tape:
        assert called(tape) == {}
        for n in range(1, 4):
            outer(n)
            assert called(tape) == {"outer": n, "double": n}
    assert called(tape) == {"outer": 3, "double": 3}
    assert tape.accounting().is_complete
    outer(4)
    assert called(tape) == {"outer": 3, "double": 3}


def test_the_tape_is_gone_when_nobody_has_it_any_more() -> None:
    with record() as tape:
        outer(1)
    folder = tape.path.parent
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert called(tape) == {"outer": 1, "double": 1}
    del tape
    gc.collect()
    assert not folder.exists()


def test_a_closed_tape_is_gone_and_says_so() -> None:
    with record() as tape:
        outer(1)
    tape.close()
    tape.close()
    assert not tape.path.parent.exists()
    with pytest.raises(calltape.TapeError, match="was closed"):
        tape.functions()


def test_blocks_in_each_other_have_their_own_calls() -> None:
    with record() as around:
        double(1)
        with record() as inside:
            outer(1)
            assert called(around) == {"double": 1}
        double(2)
        assert called(inside) == {"outer": 1, "double": 1}
        assert called(around) == {"double": 2}


def test_a_block_that_ends_takes_those_begun_inside_with_it() -> None:
    first, second = record(), record()
    around, inside = first.__enter__(), second.__enter__()
    double(1)
    first.__exit__(None, None, None)
    double(2)
    second.__exit__(None, None, None)
    assert (called(around), called(inside)) == ({}, {"double": 1})


def test_a_call_that_is_open_around_the_block_ends_on_its_own_tape() -> None:
    """The function is called inside the block too, so that it had another number there when its outer call ended."""

    @calltape.monitor(name="with_a_block")
    def with_a_block(deep: bool) -> dict[str, int]:
        double(1)
        if deep:
            return {}
        with record() as tape:
            outer(5)
            with_a_block(True)
        double(2)
        return called(tape)

    with record() as around:
        assert with_a_block(False) == {"outer": 1, "double": 2, "with_a_block": 1}
    (account,) = [entry.account for entry in around.accounting().functions if entry.function == "with_a_block"]
    assert (account.calls, account.stored, account.in_flight) == (1, 1, 0)
    assert called(around) == {"with_a_block": 1, "double": 2}


def test_a_span_that_is_open_around_the_block_ends_on_its_own_tape() -> None:
    with record() as around, calltape.span("work", n=1), record() as inside, calltape.span("work", n=2):
        double(1)
    assert called(around) == {"work": 1}
    assert called(inside) == {"work": 1, "double": 1}


def test_calls_of_other_threads_are_on_the_tape() -> None:
    with record() as tape:
        threads = [threading.Thread(target=outer, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert called(tape) == {"outer": 4, "double": 4}


def test_an_exception_leaves_the_block_as_it_is() -> None:
    with pytest.raises(KeyError, match="mine"), record() as tape:
        _ = {"theirs": outer(1)}["mine"]
    assert called(tape) == {"outer": 1, "double": 1}


def test_settings_hold_in_the_block() -> None:
    with record(max_repr=20) as tape:
        double("x" * 100)  # type: ignore[arg-type]
    with closing(sqlite3.connect(tape.path)) as database:
        ((args,),) = database.execute("SELECT args FROM calls")
    assert len(args) < 60


def test_a_wrong_setting_is_said_and_nothing_is_begun() -> None:
    with pytest.raises(ValueError, match="colour"):
        record(colour=True).__enter__()
    with pytest.raises(ValueError, match=r"^record: db cannot be set"):
        record(db="x")
    with record() as tape:
        double(1)
    assert called(tape) == {"double": 1}


def test_an_object_serves_one_block_at_a_time() -> None:
    block = record()
    with block as first, pytest.raises(RuntimeError, match="has begun already"):
        block.__enter__()
    with block as second:
        double(1)
    assert (called(first), called(second)) == ({}, {"double": 1})


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "calltape"), record():
        outer(1)
    assert caplog.records == []


def test_a_program_that_records_goes_on_where_it_was(run_program: RunProgram) -> None:
    ended = run_program("""
import calltape, os, threading
from calltape.testing import record

@calltape.monitor(name="work")
def work(n):
    if n == 2:
        with record() as tape:
            work(20); work(21)
        assert tape.functions()[0].calls == 2
    return n

path = calltape.open
for n in range(5): work(n)
assert calltape.flush()
with calltape.open() as tape:
    assert str(tape.path) == os.environ["CALLTAPE_DB"], tape.path
    assert tape.accounting().total.stored == 5
assert calltape.stats().stored == 5
""")
    rows = ended.tape.calls("work")
    assert [(row["args"], row["status"]) for row in rows] == [(f'{{"n":{n}}}', "ok") for n in range(5)]
    assert len(ended.tape.rows("SELECT * FROM runs")) == 1


def test_a_program_that_has_not_recorded_yet_begins_afterwards_with_its_own_settings(run_program: RunProgram) -> None:
    ended = run_program("""
import calltape
from calltape.testing import record
@calltape.monitor(name="work")
def work(n): return n
with record() as tape: work(1)
assert calltape.stats().journal == "none"
work(2)
assert calltape.stats().journal_capacity == 64 << 20
""")
    assert [row["args"] for row in ended.tape.calls()] == ['{"n":2}']


def test_a_program_that_stopped_recording_stays_so(run_program: RunProgram) -> None:
    ended = run_program("""
import calltape
from calltape.testing import record
@calltape.monitor(name="work")
def work(n): return n
work(1); calltape.stop()
with record() as tape: work(2)
assert tape.accounting().total.stored == 1
work(3)
assert calltape.stats().journal == "none"
""")
    assert [row["args"] for row in ended.tape.calls()] == ['{"n":1}']


def test_a_forked_child_records_on_the_blocks_tape_and_leaves_it_to_its_parent(run_program: RunProgram) -> None:
    ended = run_program("""
import calltape, os, sys
from calltape.testing import record
@calltape.monitor(name="work")
def work(n): return n
work(1)
with record() as tape:
    work(2)
    child = os.fork()
    work(3)
    if child:
        assert os.waitpid(child, 0)[1] == 0
        assert tape.accounting().total.stored == 3, tape.accounting()
if child == 0:
    work(4); calltape.flush(); sys.exit()
assert tape.accounting().total.stored == 3, tape.accounting()
assert tape.path.exists()
work(5)
""")
    assert sorted(row["args"] for row in ended.tape.calls()) in (
        ['{"n":1}', '{"n":5}'],
        ['{"n":1}', '{"n":4}', '{"n":5}'],
    )


def test_what_a_killed_process_left_in_memory_is_removed_by_the_next(run_program: RunProgram, tmp_path: Path) -> None:
    program = """
import calltape, os, signal, sys
from calltape.testing import record
with record() as tape:
    print(tape.path.parent)
    if sys.argv[1] == "kill":
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
"""
    left = Path(run_program(program, "kill", check=False).stdout.strip())
    with record() as tape:
        alive = tape.path.parent
        assert left.is_dir()
        run_program(program, "end")
        assert not left.exists()
        assert alive.is_dir()


def test_a_disabled_calltape_records_the_functions_that_are_monitored(run_program: RunProgram) -> None:
    run_program(
        """
import calltape
from calltape.testing import record
@calltape.monitor
def work(n): return n
with record() as tape: work(1)
assert tape.functions() == []
with record() as tape:
    with calltape.span("block"): pass
assert [f.function for f in tape.functions()] == ["block"]
""",
        env={"CALLTAPE_DISABLED": "1"},
    )
    assert "CALLTAPE_DISABLED" not in os.environ
