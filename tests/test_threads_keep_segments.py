"""Each live thread keeps a segment of the journal; those that are drained take nothing from other threads' calls.

The failure there was: once seven eighths of the segments were threads' own, drained or not, no call got another. The
damage: existing threads lost every call after their first segment, or waited for each of them, and nothing said why.
"""

import json

from conftest import RunProgram

IDLE_THREADS = """
import json, sys, threading, time
import calltape
from calltape import monitor
@monitor
def work(payload): return payload
def keep_segments(threads):
    over = threading.Event()
    def idle(begun):
        work(0); begun.set(); over.wait()
    for n in range(threads):
        begun = threading.Event()
        threading.Thread(target=idle, args=(begun,), daemon=True).start()
        begun.wait()
        if n % 20 == 0: assert calltape.flush(30)
    assert calltape.flush(30)
    return over
def work_and_let_it_be_drained(calls):
    longest = 0
    for n in range(calls):
        began = time.monotonic()
        work("x" * 900)
        longest = max(longest, time.monotonic() - began)
        if n % 50 == 0: assert calltape.flush(30)
    return longest
"""


def test_a_thread_among_many_idle_ones_loses_nothing(run_program: RunProgram) -> None:
    program = (
        IDLE_THREADS
        + """
calltape.start(journal_limit="8MiB")  # 64 segments
over = keep_segments(59)
work_and_let_it_be_drained(2000)
figures = calltape.stats()
json.dump([figures.recorded, figures.dropped, figures.sampled_out], sys.stdout)
over.set()
"""
    )
    ended = run_program(program)
    assert json.loads(ended.stdout) == [2059, 0, 0]
    assert ended.tape.accounting()["work"]["stored"] == 2059


def test_a_thread_among_many_idle_ones_waits_for_nothing(run_program: RunProgram) -> None:
    program = (
        IDLE_THREADS
        + """
calltape.start(journal_limit="8MiB", on_full="block", block_timeout=20)
over = keep_segments(59)
longest = work_and_let_it_be_drained(2000)
json.dump([calltape.stats().dropped, longest], sys.stdout)
over.set()
"""
    )
    dropped, longest = json.loads(run_program(program).stdout)
    assert dropped == 0
    assert longest < 10


def test_more_threads_than_segments_take_turns(run_program: RunProgram) -> None:
    program = (
        IDLE_THREADS
        + """
calltape.start(journal_limit="2MiB", on_full="block", block_timeout=60)  # 16 segments
def busy():
    for _ in range(600): work("x" * 900)
threads = [threading.Thread(target=busy) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
json.dump([calltape.stats().recorded, calltape.stats().dropped], sys.stdout)
"""
    )
    assert json.loads(run_program(program).stdout) == [12_000, 0]


def test_calls_at_the_exit_do_not_wait_for_the_segments_of_daemon_threads(run_program: RunProgram) -> None:
    program = (
        IDLE_THREADS
        + """
import atexit
calltape.start(journal_limit="2MiB", on_full="block", block_timeout=20)
def busy():
    while True: work("x" * 900)
def at_the_exit():
    began = time.monotonic()
    for _ in range(100): work("last")
    json.dump(time.monotonic() - began, sys.stdout)
    sys.stdout.flush()
for _ in range(20): threading.Thread(target=busy, daemon=True).start()
atexit.register(at_the_exit)
time.sleep(0.6)
"""
    )
    assert json.loads(run_program(program).stdout) < 15
