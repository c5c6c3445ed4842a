"""A journal that fills: short payloads, then fewer calls, then none but errors, then errors by their kind.

The database is locked by another process all the while, so nothing leaves the journal.
"""

import json
from typing import Any

from conftest import RunProgram, Tape

LOCKED = """
import os, subprocess, sys, time
from calltape import monitor, flush, start, stats, stop
@monitor
def first(): pass
start(); first(); stop()
holder = subprocess.Popen([sys.executable, "-c", '''
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
''', os.environ["CALLTAPE_DB"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
assert holder.stdout.readline() == "locked\\n"
def unlock():
    holder.stdin.close(); holder.wait(); holder.stdout.close()
    assert flush(60)
def until(pressure, work, most=200_000):
    for turn in range(most):
        if stats().pressure == pressure: return turn
        work(turn)
    raise AssertionError(stats())
"""


def assert_the_books_balance(tape: Tape) -> None:
    for book in tape.rows("SELECT * FROM accounting"):
        assert book["calls"] == book["stored"] + book["sampled_out"] + book["dropped"], book
        assert (book["in_flight"], book["unknown"]) == (0, 0), book
    assert tape.rows("SELECT count(*) AS n FROM calls")[0]["n"] == sum(
        book["stored"] for book in tape.rows("SELECT stored FROM accounting")
    )


def test_payloads_are_shortened_first(run_program: RunProgram) -> None:
    program = (
        LOCKED
        + """
start(journal_limit="4MiB", breaker_busy=600)
@monitor
def work(n, payload): return payload
@monitor(name="x.when")
def when(): pass
until("shortened", lambda n: work(n, "x" * 700))
for _ in range(5): work(-1, "y" * 700)
assert stats().pressure == "shortened"
unlock()
until("none", lambda n: time.sleep(0.01))
work(-2, "z" * 700)
"""
    )
    tape = run_program(program).tape
    assert_the_books_balance(tape)
    works = {json.loads(call["args"])["n"]: call for call in tape.calls("work")}
    whole, short = works[0], works[-1]
    assert json.loads(whole["args"])["payload"] == json.loads(whole["result"]) == "x" * 700
    assert len(short["args"]) <= 256 + 30
    assert len(short["result"]) <= 256
    assert short["result"].startswith('"yyyyyy')
    assert json.loads(works[-2]["result"]) == "z" * 700
    assert {call["weight"] for call in works.values()} == {1.0}


def test_hot_functions_are_sampled_harder_then_and_seldom_ones_are_not(run_program: RunProgram) -> None:
    program = (
        LOCKED
        + """
start(journal_limit="8MiB", breaker_busy=600)
@monitor
def hot(payload): return payload
@monitor
def seldom(): return inner()
@monitor
def inner(): return 1
until("sampled", lambda n: hot("x" * 100))
before = stats()
assert before.sampled_out == 0 and before.dropped == 0, before
for _ in range(20_000): hot("x" * 100)
seldom()
after = stats()
assert after.sampled_out > 10_000 and after.dropped == 0, after
assert after.pressure == "sampled", after
unlock()
"""
    )
    tape = run_program(program).tape
    assert_the_books_balance(tape)
    weights = {call["weight"] for call in tape.calls("hot")}
    assert 1.0 in weights
    assert max(weights) > 10
    assert [call["weight"] for call in tape.calls("seldom") + tape.calls("inner")] == [1.0, 1.0]


FILL = """
start(journal_limit="2MiB", breaker_busy=600)
@monitor
def once(payload): return payload
# Many functions, none of which is hot: nothing is left out by sampling.
functions = [monitor(lambda payload: payload, name=f"seldom.f{n}") for n in range(8000)]
"""


def test_successes_are_dropped_then_and_errors_are_kept_in_full(run_program: RunProgram) -> None:
    program = (
        LOCKED
        + FILL
        + """
@monitor
def fails(n):
    inner(n)
    raise ValueError(f"number {n}")
@monitor
def inner(n): return n
until("dropping", lambda n: functions[n]("x" * 900), 8000)
before = stats()
for n in range(50): functions[n]("y")
after = stats()
assert after.dropped - before.dropped == 50 and after.dropped_errors == 0, (before, after)
for n in range(20):
    try: fails(n)
    except ValueError: pass
last = stats()
assert last.dropped - after.dropped == 20 and last.dropped_errors == 0, last
unlock()
until("none", lambda n: time.sleep(0.01))
once("again")
"""
    )
    tape = run_program(program).tape
    assert_the_books_balance(tape)
    failed = tape.calls("fails")
    assert [(call["status"], call["weight"], call["error_message"]) for call in failed] == [
        ("error", 1.0, f"number {n}") for n in range(20)
    ]
    assert all(json.loads(call["traceback"])[0]["frames"] for call in failed)
    assert [json.loads(call["args"]) for call in failed] == [{"n": n, "(taken at end)": True} for n in range(20)]
    assert tape.calls("inner") == []
    assert len(tape.calls("once")) == 1
    minutes = tape.rows("SELECT sum(calls) AS calls, sum(dropped) AS dropped FROM function_minutes")
    assert minutes[0]["dropped"] == sum(book["dropped"] for book in tape.accounting().values()) >= 70


ERRORS = """
import threading
@monitor
def fails(n, payload):
    if n % 3 == 0: raise KeyError(n)
    raise ValueError(n)
@monitor
async def fails_later(payload): raise OSError
@monitor
def sends(payload):
    yield
    raise EOFError
made = {"KeyError": 0, "ValueError": 0, "OSError": 0, "EOFError": 0, "RuntimeError": 0}
def fail(n):
    try: fails(n, "x" * 900)
    except (KeyError, ValueError) as error: made[type(error).__name__] += 1
    try: fails_later("x").send(None)
    except OSError: made["OSError"] += 1
    try: list(sends("x"))
    except EOFError: made["EOFError"] += 1
    from calltape import span
    try:
        with span("block", n=n): raise RuntimeError
    except RuntimeError: made["RuntimeError"] += 1
"""


def test_errors_without_room_are_counted_by_their_kind(run_program: RunProgram) -> None:
    program = (
        LOCKED
        + FILL
        + ERRORS
        + """
until("dropping", lambda n: functions[n]("x" * 900), 8000)
until("counting_errors", fail, 20_000)
# What is left of this thread's own segment is still theirs.
for n in range(20_000):
    if stats().dropped_errors >= 200: break
    fail(n)
thread = threading.Thread(target=fail, args=(0,)); thread.start(); thread.join()
assert stats().dropped_errors >= 204, stats()
assert stats().faults == 0
unlock()
import json; print(json.dumps(made))
"""
    )
    ended = run_program(program)
    tape, made = ended.tape, json.loads(ended.stdout)
    assert_the_books_balance(tape)
    kept = "SELECT error_type, count(*) AS n FROM calls WHERE status = 'error' GROUP BY error_type"
    lost = tape.rows("SELECT * FROM lost_errors")
    total: dict[str, int] = {row["error_type"]: row["n"] for row in tape.rows(kept)}
    total.pop("(not kept)", None)
    for row in lost:
        total[row["error_type"]] = total.get(row["error_type"], 0) + row["calls"]
    assert total == made
    by_type: dict[str, Any] = {row["error_type"]: row for row in lost}
    assert by_type["KeyError"]["file"].endswith("program.py")
    assert by_type["KeyError"]["place"] == "fails"
    assert by_type["KeyError"]["calls"] >= 11
    errors = tape.rows("SELECT sum(errors) AS n FROM function_minutes")
    assert errors == [{"n": sum(made.values())}]


def test_block_waits_and_neither_shortens_nor_leaves_out(run_program: RunProgram) -> None:
    program = (
        LOCKED
        + """
import threading
start(journal_limit="2MiB", on_full="block", block_timeout=60, breaker_busy=600)
@monitor
def work(payload): return payload
threading.Timer(0.5, lambda: (holder.stdin.close(), holder.wait(), holder.stdout.close())).start()
for n in range(6000): work("y" * 600)
figures = stats()
assert (figures.dropped, figures.sampled_out) == (0, 0), figures
"""
    )
    tape = run_program(program).tape
    book = tape.accounting()["work"]
    assert (book["calls"], book["stored"]) == (6000, 6000)
    assert {len(call["result"]) for call in tape.calls("work")} == {602}


def test_block_keeps_the_errors_of_calls_that_waited_in_vain(run_program: RunProgram) -> None:
    program = (
        LOCKED
        + """
start(journal_limit="2MiB", on_full="block", block_timeout=0.05, breaker_busy=600)
@monitor
def work(payload):
    if payload == "fails": raise ValueError
until("dropping", lambda n: work("y" * 900))
work("dropped")
try: work("fails")
except ValueError: pass
assert stats().dropped >= 1 and stats().dropped_errors == 0, stats()
unlock()
"""
    )
    tape = run_program(program).tape
    assert_the_books_balance(tape)
    [failed] = [call for call in tape.calls("work") if call["status"] == "error"]
    assert json.loads(failed["args"]) == {"payload": "fails", "(taken at end)": True}
