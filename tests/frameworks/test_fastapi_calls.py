"""What FastAPI's requests leave on the tape: who called whom, of which kind, with what, and how it ended."""

import functools
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from conftest import Tape
from fastapi_server import Client, serving
from trees import trees

Serve = Callable[..., AbstractContextManager[Client]]


@pytest.fixture
def serve(environment: dict[str, str], tmp_path: Path) -> Serve:
    """Runs the server while its client is in use; `loop` names the event loop."""
    return functools.partial(serving, tmp_path, environment)


# A request, and the tree it leaves. A dependency is called by FastAPI below the middleware, a sync one in a worker
# thread, and is thrown what the request fails of, a wrong parameter too; a stream is called by its endpoint and runs
# after that has returned.
TREES = {
    "/async/tea": "around\n  connection\n  endpoint\n    price_later\n      price_of\n  session\n",
    "/sync/tea": "around\n  connection\n  sync_endpoint\n    price_of\n",
    "/async/salt": (
        "around [error]\n  connection [error]\n  endpoint [error]\n    price_later [error]\n      price_of [error]\n"
        "  session [error]\n"
    ),
    "/sync/salt": "around [error]\n  connection [error]\n  sync_endpoint [error]\n    price_of [error]\n",
    "/sync/tea?count=many": "around\n  connection [error]\n",
    "/stream": "around\n  stream\n    lines\n",
    "/sync-stream": "around\n  sync_stream\n    sync_lines\n",
}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_request_is_a_tree(serve: Serve, tape_path: Path, loop: str) -> None:
    with serve(loop=loop) as client:
        for path in TREES:
            client.ask(path)
    assert dict(zip(TREES, trees(Tape(tape_path)), strict=True)) == TREES


def test_calls_of_a_request_have_kind_arguments_results_and_tasks(serve: Serve, tape_path: Path) -> None:
    with serve() as client:
        client.ask("/async/tea?count=2")
        client.ask("/orders?page=3&token=friend", {"item": "tea", "count": 2})
        client.ask("/stream")
        client.ask("/sync-stream")
    tape = Tape(tape_path)
    calls = {call["function"].removeprefix("__main__."): call for call in tape.calls()}
    assert {name: call["kind"] for name, call in calls.items() if call["kind"] != "coroutine"} == {
        "price_of": "function",
        "connection": "generator",
        "session": "async_generator",
        "Paging.__init__": "function",
        "lines": "async_generator",
        "sync_stream": "function",
        "sync_lines": "generator",
    }
    assert {name: call["yields"] for name, call in calls.items() if call["yields"] is not None} == {
        "connection": 1,
        "session": 1,
        "lines": 3,
        "sync_lines": 2,
    }
    assert json.loads(calls["endpoint"]["args"]) == {"item": "tea", "count": 2, "opened": "session on connection"}
    assert json.loads(calls["endpoint"]["result"])["price"] == 6
    assert json.loads(calls["price_later"]["result"]) == 3
    assert json.loads(calls["Allowed.__call__"]["result"]) == "friend"
    assert all(call["task"] for call in calls.values() if call["kind"] == "coroutine")
    # A sync endpoint runs in a worker thread, on behalf of a task of the loop's thread.
    assert calls["sync_stream"]["thread"] != calls["around"]["thread"]


def test_a_failing_endpoint_is_an_error_with_its_traceback(serve: Serve, tape_path: Path) -> None:
    with serve() as client:
        assert client.ask("/async/salt") == (500, "Internal Server Error")
    call = Tape(tape_path).calls("endpoint")[0]
    assert (call["error_type"], call["error_message"]) == ("KeyError", "'salt'")
    frames = json.loads(call["traceback"])[0]["frames"]
    assert [frame["function"] for frame in frames] == ["endpoint", "price_later", "price_of"]


def leave_until_it_is_noticed(client: Client) -> None:
    """Begins to read the endless stream and hangs up.

    A server on a busy machine may miss who leaves at once, with undecorated functions too. It notices a later one.
    """
    while True:
        assert client.leave_after_a_line("/endless-stream") == b"again\n"
        patience = time.monotonic() + 2
        while time.monotonic() < patience:
            if "stream ended" in client.ask("/events")[1]:
                return


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_stream_that_its_reader_leaves_is_not_ok(serve: Serve, tape_path: Path, loop: str) -> None:
    with serve(loop=loop) as client:
        leave_until_it_is_noticed(client)
    calls = Tape(tape_path).calls("endless")
    assert "ok" not in {call["status"] for call in calls}
    assert any(call["status"] in ("closed", "cancelled") and call["yields"] >= 1 for call in calls)
