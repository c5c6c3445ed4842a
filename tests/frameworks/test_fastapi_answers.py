"""FastAPI with monitored endpoints, dependencies and streams answers as with undecorated ones.

The same requests go to a server whose functions are monitored and to one whose functions are not
(`CALLTAPE_DISABLED=1`), and the answers are compared.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fastapi_server import SERVER, Answer, Client, serving


def all_answers(client: Client) -> dict[str, Answer]:
    """What the server says to each kind of request."""
    requests: dict[str, tuple[Any, ...]] = {
        "async": ("/async/tea?count=2",),
        "sync": ("/sync/cake",),
        "a count that is no number": ("/sync/cake?count=many",),
        "an unknown item": ("/async/salt",),
        "an unknown item, sync": ("/sync/salt",),
        "an order": ("/orders?page=3&token=friend", {"item": "tea", "count": 2}),
        "a refused order": ("/orders?token=bad", {"item": "tea"}),
        "an order without an item": ("/orders", {"count": 2}),
        "stream": ("/stream",),
        "sync stream": ("/sync-stream",),
        "openapi": ("/openapi.json",),
    }
    return {what: client.ask(*request) for what, request in requests.items()}


def events(client: Client) -> Counter[str]:
    """How often the dependencies opened and closed. One may close after its answer was sent: this waits for all."""
    while True:
        counted = Counter(json.loads(client.ask("/events")[1]))
        if counted["open"] == counted["close"]:
            return counted


@pytest.mark.parametrize("first_line", ["", "from __future__ import annotations\n"], ids=["types", "texts"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_answers_are_as_without_and_signatures_are_honoured(
    environment: dict[str, str], tmp_path: Path, loop: str, first_line: str
) -> None:
    program = first_line + SERVER
    with serving(tmp_path, environment, program, loop) as client:
        answers, counted = all_answers(client), events(client)
    with serving(tmp_path, environment | {"CALLTAPE_DISABLED": "1"}, program, loop) as client:
        assert all_answers(client) == answers
        assert events(client) == counted == {"open": 5, "commit": 1, "close": 5}
    assert {what: status for what, (status, _) in answers.items()} == {
        "async": 200,
        "sync": 200,
        "a count that is no number": 422,
        "an unknown item": 500,
        "an unknown item, sync": 500,
        "an order": 201,
        "a refused order": 403,
        "an order without an item": 422,
        "stream": 200,
        "sync stream": 200,
        "openapi": 200,
    }
    assert json.loads(answers["async"][1]) == {"item": "tea", "price": 6, "session": "session on connection"}
    assert json.loads(answers["an order"][1]) == {"item": "tea for friend", "count": 22}
    assert answers["stream"][1] == "line 0\nline 1\nline 2\n"
