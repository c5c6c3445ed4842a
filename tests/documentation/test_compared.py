"""What the comparison of a page's output with a command's takes for the same, and what it does not."""

import pytest
from compared import compare

SHOWN = """\
function        calls  errors      p50  total
__main__.place      4       2  20.2 ms   61 ms  ████
last call 713068408108255 at 09:32:37.407, pid 22676, just now
"""
PRINTED = """\
function        calls  errors     p50    total
__main__.place      4       2   871 µs  1.21 s
last call 713068408199999 at 23:01:00.001, pid 7, 3 s ago
"""


def test_what_differs_from_run_to_run_is_the_same_and_the_real_id_is_given() -> None:
    assert compare(SHOWN, PRINTED) == {"713068408108255": "713068408199999"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("place      4", "place      5"),
        ("errors", "failures"),
        ("__main__.place", "__main__.pay"),
        ("871 µs", "871 calls"),
        ("last call", "first call"),
        ("713068408199999", "7"),
        ("3 s ago\n", "3 s ago\nand a line more\n"),
    ],
)
def test_anything_else_that_differs_is_noticed(old: str, new: str) -> None:
    assert old in PRINTED
    assert compare(SHOWN, PRINTED.replace(old, new)) is None


def test_the_active_part_of_a_duration_is_said_or_not() -> None:
    shown, printed = (
        "  103 µs  app.read  coroutine  <- here\n",
        "  147 µs  app.read  coroutine · 135 µs active  <- here\n",
    )
    assert compare(shown, printed) == compare(printed, shown) == {}
    assert compare(shown, printed.replace("active", "idle")) is None


def test_dots_stand_for_any_number_of_lines() -> None:
    assert compare("first\n...\nlast\n", "first\nlast\n") == {}
    assert compare("first\n...\nlast\n", "first\n1\n2\nlast\n") == {}
    assert compare("first\n...\nlast\n", "first\n1\n2\n") is None


def test_an_id_that_stands_twice_is_one_id() -> None:
    shown = "713068408108255 calls 713068408108255"
    assert compare(shown, "713068408100001 calls 713068408100001") == {"713068408108255": "713068408100001"}
    assert compare(shown, "713068408100001 calls 713068408100002") is None


def test_a_time_that_changed_may_be_one_that_did_not() -> None:
    assert compare("pay  4.65 -> 9.04 ms  199 -> 203 ms", "pay  871 µs -> 1.1 ms  199 ms") == {}
    assert compare("pay  199 ms", "pay  198 -> 199 ms") == {}
    assert compare("pay  199 -> 203 ms", "pay  199 calls") is None
