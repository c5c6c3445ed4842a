"""`Tape.sql`: statements of one's own, read-only, in a process that may record."""

from collections.abc import Iterator

import pytest
import small_shop
from conftest import RunProgram

import calltape


@pytest.fixture
def tape(run_program: RunProgram) -> Iterator[calltape.Tape]:
    with calltape.open(run_program(small_shop.PROGRAM).tape.path) as tape:
        yield tape


def test_a_statement_answers_with_columns_and_rows(tape: calltape.Tape) -> None:
    answer = tape.sql("SELECT function, count(*) AS calls FROM calls GROUP BY 1 ORDER BY 1")
    assert answer.columns == ("function", "calls")
    assert [*answer] == [("shop.charge", 3), ("shop.check", 3), ("shop.place", 3)]
    assert answer.dicts()[0] == {"function": "shop.charge", "calls": 3}
    assert repr(answer).splitlines()[:2] == ["function     calls", "shop.charge      3"]
    assert "<td" in answer._repr_html_()


def test_values_keep_their_types(tape: calltape.Tape) -> None:
    (row,) = tape.sql("SELECT NULL, 1, 0.5, 'text', x'00ff', args ->> '$.order.id' FROM calls ORDER BY id LIMIT 1")
    assert row == (None, 1, 0.5, "text", b"\x00\xff", 1)


def test_a_long_answer_is_cut_and_says_so(tape: calltape.Tape) -> None:
    answer = tape.sql("SELECT id FROM calls", limit=4)
    assert (len(answer), answer.cut) == (4, True)
    assert repr(answer).endswith("cut here")
    assert not tape.sql("SELECT id FROM calls", limit=9).cut


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM call",
        "SELECT 1; SELECT 2",
        "ATTACH 'x' AS y",
        "PRAGMA journal_mode = DELETE",
        "SELEC",
        "SELECT nothing",
    ],
)
def test_what_is_more_than_one_reading_statement_is_refused(tape: calltape.Tape, statement: str) -> None:
    with pytest.raises(calltape.StatementError) as caught:
        tape.sql(statement)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value)
    assert tape.accounting().total.stored == 9


def test_a_wrong_argument_is_named(tape: calltape.Tape) -> None:
    with pytest.raises(ValueError, match=r"^sql: statement must"):
        tape.sql("")
    with pytest.raises(TypeError, match=r"^sql: statement must"):
        tape.sql(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^sql: limit must"):
        tape.sql("SELECT 1", limit=-1)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def test_a_read_that_takes_too_long_is_stopped_and_the_next_one_works(run_program: RunProgram) -> None:
    path = run_program(small_shop.PROGRAM).tape.path
    with calltape.open(path, time_limit=0.05) as tape:
        with pytest.raises(calltape.TapeError, match=r"longer than 0\.05 s and was stopped: narrow") as caught:
            tape.sql(ENDLESS)
        assert caught.value.path == path
        assert tape.sql("SELECT 1").rows == ((1,),)


def test_ctrl_c_ends_a_long_read_and_the_tape_goes_on(run_program: RunProgram) -> None:
    run_program(f"""
import calltape, os, signal, threading, time
@calltape.monitor
def work(): pass
work(); calltape.flush()
tape = calltape.open(time_limit=60)
def interrupt():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
began = time.monotonic()
try:
    tape.sql({ENDLESS!r})
    raise SystemExit("it ended")
except KeyboardInterrupt:
    assert time.monotonic() - began < 20
assert tape.sql("SELECT count(*) FROM calls").rows == ((1,),)
""")


def test_other_threads_run_while_one_reads_and_a_signals_handler_may_ask(run_program: RunProgram) -> None:
    run_program(f"""
import calltape, os, signal, threading, time
@calltape.monitor
def work(): pass
work(); calltape.flush()
tape = calltape.open(time_limit=3)
answers, ticks, done = [], [], threading.Event()
signal.signal(signal.SIGUSR1, lambda *_: answers.append(tape.sql("SELECT count(*) FROM calls").rows))
def tick():
    while not done.wait(0.01): ticks.append(time.monotonic())
threading.Thread(target=tick).start()
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
try: tape.sql({ENDLESS!r})
except calltape.TapeError: pass
done.set()
assert answers == [((1,),)], answers
assert len(ticks) > 20, len(ticks)
""")


def test_what_a_filter_cannot_match_is_said(tape: calltape.Tape) -> None:
    assert tape.notices("place", where="args.order.id = 1") == []
    (notice,) = tape.notices("plaze")
    assert "plaze" in notice
    (notice,) = tape.notices("charge", where="args.ordr.id = 1")
    assert "ordr" in notice
    assert "order" in notice
    assert "plaze" in tape.calls("plaze")._repr_html_()
