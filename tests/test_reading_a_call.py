"""One call by its id, and the tree around it."""

from collections.abc import Iterator

import pytest
import small_shop
from conftest import RunProgram

import calltape


@pytest.fixture
def ids(run_program: RunProgram) -> list[tuple[str, int]]:
    """The calls' functions and ids, in the order of the calls."""
    return [(row["function"], row["id"]) for row in run_program(small_shop.PROGRAM).tape.calls()]


@pytest.fixture
def tape(ids: list[tuple[str, int]], environment: dict[str, str]) -> Iterator[calltape.Tape]:
    with calltape.open(environment["CALLTAPE_DB"]) as tape:
        yield tape


def test_a_call_has_its_arguments_and_result_as_values(tape: calltape.Tape, ids: list[tuple[str, int]]) -> None:
    call = tape.call(ids[0][1])
    assert call is not None
    assert call.function == "shop.place"
    assert call.args == {"order": {"id": 1, "n": 1}, "dry_run": False}
    assert call.defaults == ("dry_run",)
    assert call.values == {"customer": 7}
    assert call.result == {"paid": 5}
    assert (call.status, call.kind, call.parent_id, call.root_id) == ("ok", "function", None, call.id)
    assert call.duration_ns is not None
    assert call.duration_s == call.duration_ns / 1e9
    assert call.started_at.tzinfo is not None
    assert call.ended_at is not None
    assert call.started_at <= call.ended_at
    assert call.program.endswith("program.py")
    assert call.failure is None


def test_a_call_that_failed_has_the_chain_of_what_it_raised(tape: calltape.Tape, ids: list[tuple[str, int]]) -> None:
    call = tape.call(ids[-1][1])
    assert call is not None
    assert (call.function, call.status, call.result) == ("shop.charge", "error", None)
    assert call.error_message == "no card for order 3"
    assert call.failure is not None
    first, second = call.failure.chain
    assert (second.error_type, second.relation, second.of) == ("KeyError", "cause", 0)
    frame = first.frames[-1]
    assert isinstance(frame, calltape.Frame)
    assert (frame.function, frame.source) == ("charge", 'raise PaymentError("no card for order 3") from error')
    text = str(call.failure)
    assert text.splitlines()[0].endswith("PaymentError: no card for order 3")
    assert "caused by KeyError: 'card'" in text


def test_a_call_reads_at_a_glance(tape: calltape.Tape, ids: list[tuple[str, int]]) -> None:
    call = tape.call(ids[-1][1])
    assert repr(call).startswith(f"<CallDetail {ids[-1][1]}: shop.charge, error, ")
    assert "PaymentError: no card for order 3" in repr(call)


def test_an_id_that_is_not_there_is_none(tape: calltape.Tape) -> None:
    assert tape.call(1) is None
    assert tape.tree(1) is None


def test_a_tree_shows_who_made_a_call_and_what_it_made(tape: calltape.Tape, ids: list[tuple[str, int]]) -> None:
    tree = tape.tree(ids[-1][1])
    assert tree is not None
    shown = [(depth, call.function) for depth, call in tree]
    assert shown == [(0, "shop.place"), (1, "shop.check"), (1, "shop.charge")]
    assert tree.root.id == ids[-3][1]
    assert tree.children(tree.root) == tree.calls[1:]
    assert tree.missing_caller is None
    drawn = [line.lstrip().split("  ", 1)[1] for line in str(tree).splitlines()]
    message = "PaymentError: no card for order 3"
    assert drawn[0].endswith(message)
    assert drawn[1] == "├─ shop.check"
    assert drawn[2].startswith("└─ shop.charge  ")
    assert drawn[2].endswith(f"{message}  <- this call")


def test_a_tree_says_what_it_leaves_out(tape: calltape.Tape, ids: list[tuple[str, int]]) -> None:
    tree = tape.tree(ids[0][1], children=1)
    assert tree is not None
    assert str(tree).splitlines()[-1].strip() == "└─ … 1 more call"
    assert repr(tree).startswith("<Tree of 2 calls from <Call ")
    call = tape.call(ids[0][1])
    assert call is not None
    assert tape.tree(call) == tape.tree(call.id)
