"""Reading in a process that records: threads, forks, and a tape that grows meanwhile."""

from conftest import RunProgram

BEGIN = """
import os, sys, threading, warnings
import calltape
@calltape.monitor(name="work")
def work(n): return n
def recorded(tape): return tape.functions()[0].calls
"""


def test_an_open_tape_sees_what_was_stored_since(run_program: RunProgram) -> None:
    run_program(
        BEGIN
        + """
work(0); assert calltape.flush()
tape = calltape.open()
for n in range(1, 20):
    work(n); assert calltape.flush()
    assert recorded(tape) == n + 1, recorded(tape)
"""
    )


def test_a_tape_may_be_used_by_many_threads_while_others_record(run_program: RunProgram) -> None:
    ended = run_program(
        BEGIN
        + """
work(0); assert calltape.flush()
failures, done = [], threading.Event()
tape = calltape.open()
def read():
    try:
        last = 0
        while not done.is_set():
            calls = recorded(tape)
            assert last <= calls, (last, calls)
            last = calls
            books = tape.accounting().total
            settled = books.stored + books.sampled_out + books.dropped + books.unknown
            assert books.calls == settled + books.in_flight, books
    except BaseException as error:
        failures.append(error)
def record():
    for n in range(20_000): work(n)
readers = [threading.Thread(target=read) for _ in range(6)]
writers = [threading.Thread(target=record) for _ in range(2)]
for thread in readers + writers: thread.start()
for thread in writers: thread.join()
assert calltape.flush()
done.set()
for thread in readers: thread.join()
assert not failures, failures
assert recorded(tape) == 40_001
"""
    )
    assert ended.tape.accounting()["work"]["stored"] == 40_001


def test_a_tape_opened_before_a_fork_is_read_by_parent_and_child(run_program: RunProgram) -> None:
    ended = run_program(
        BEGIN
        + """
for n in range(100): work(n)
assert calltape.flush()
tape = calltape.open()
assert recorded(tape) == 100
child = os.fork()
if child == 0:
    try:
        assert recorded(tape) == 100
        work(0); assert calltape.flush()
        assert recorded(tape) == 101
        tape.close()
        os._exit(0)
    except BaseException as error:
        print(error, file=sys.stderr)
        os._exit(1)
assert os.waitpid(child, 0)[1] == 0
assert recorded(tape) == 101
work(0); assert calltape.flush()
assert recorded(tape) == 102
""",
    )
    assert len(ended.tape.calls()) == 102


def test_a_fork_while_other_threads_read_leaves_a_child_that_reads(run_program: RunProgram) -> None:
    """A child inherits the locks that SQLite held at the fork. Readers make way for it; without that a child that reads
    hangs now and then. A fork waits 50 ms for them: where a busy machine gives them no turn until then, it is counted,
    and the child is told that it cannot read."""
    run_program(
        BEGIN
        + """
# Python 3.12 and later say that forks and threads do not go together: here they have to.
warnings.simplefilter("ignore", DeprecationWarning)
for n in range(5_000): work(n)
assert calltape.flush()
if sys.argv[1] == "stopped": calltape.stop()
tape = calltape.open()
done = threading.Event()
def read():
    while not done.is_set(): tape.functions(), tape.accounting(), tape.errors()
readers = [threading.Thread(target=read) for _ in range(3)]
for thread in readers: thread.start()
ends = []
for _ in range(40):
    child = os.fork()
    if child == 0:
        try:
            assert recorded(tape) == 5_000
            os._exit(0)
        except calltape.TapeError as error:
            os._exit(3 if "forked while SQLite was at work" in str(error) else 1)
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done.set()
for thread in readers: thread.join()
told = ends.count(3)
assert ends.count(0) + told == 40 and told < 40, ends
assert told <= calltape.stats().hurried_forks, (told, calltape.stats().hurried_forks)
""",
        "recording",
    )


def test_the_same_holds_where_the_process_records_no_more(run_program: RunProgram) -> None:
    test_a_fork_while_other_threads_read_leaves_a_child_that_reads(lambda program, _: run_program(program, "stopped"))
