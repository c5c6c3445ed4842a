"""The list of `make test-cpython` holds in both directions: all that differs is on it, and nothing else is."""

from pathlib import Path

import pytest
from cpython import listed
from cpython.listed import Listed, Seen

BY_MONITORING = Listed("t.one", ("3.11",), "failure", "monitoring", "because")
BY_REWRITING = Listed("t.one", ("3.11",), "failure", "rewriting", "because")


@pytest.mark.parametrize(
    ("seen", "entries", "wrong"),
    [
        (Seen("ok", "ok", "ok"), [], 0),
        (Seen("skipped", "skipped", "skipped"), [], 0),
        (Seen("ok", "ok", "failure"), [], 1),
        (Seen("failure", "failure", "ok"), [], 1),
        (Seen("ok", "failure", "ok"), [], 1),
        (Seen("ok", "absent", "absent"), [], 1),
        (Seen("ok", "ok", "failure"), [BY_MONITORING], 0),
        (Seen("ok", "ok", "error"), [BY_MONITORING], 1),
        (Seen("ok", "ok", "ok"), [BY_MONITORING], 1),
        (Seen("failure", "failure", "failure"), [BY_MONITORING], 1),
        (Seen("ok", "failure", "failure"), [BY_MONITORING], 1),
        (Seen("ok", "failure", "failure"), [BY_REWRITING], 0),
        (Seen("ok", "ok", "failure"), [BY_REWRITING], 1),
    ],
)
def test_what_is_seen_is_compared_with_the_list(seen: Seen, entries: list[Listed], wrong: int) -> None:
    assert len(listed.judge({"t.one": seen}, entries)) == wrong


def test_an_entry_without_a_test_is_wrong() -> None:
    assert listed.judge({}, [BY_MONITORING]) == ["t.one: is listed, and there is no such test"]


def test_the_list_can_be_read() -> None:
    known = listed.read()
    for version in ("3.11", "3.12", "3.13", "3.14"):
        tests = [entry.test for entry in known.on(version).tests]
        assert len(tests) == len(set(tests))


def test_an_entry_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.toml"
    path.write_text('[[listed]]\ntest = "t"\npython = ["3.11"]\noutcome = "error"\ncause = "monitoring"\nreason = ""\n')
    with pytest.raises(ValueError, match="not a whole entry"):
        listed.read(path)
