"""A FastAPI application under uvicorn on loopback, and a client for it.

Used by the tests of FastAPI. Each server is a process of its own, on a port that the kernel chose.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

# Seconds for an answer, and for a server to end.
PATIENCE = 60

SERVER = """
import socket, sys, time
from collections.abc import Iterator
from typing import Annotated

import anyio
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from calltape import monitor

app = FastAPI()
events = []

class Order(BaseModel):
    item: str
    count: int = 1

@app.middleware("http")
@monitor(capture={"args": False})
async def around(request: Request, call_next):
    return await call_next(request)

@monitor
def price_of(item: str) -> int:
    return {"tea": 3, "cake": 5}[item]

@monitor
async def price_later(item: str) -> int:
    await anyio.sleep(0)
    return price_of(item)

@monitor
def connection() -> Iterator[str]:
    events.append("open")
    try:
        yield "connection"
    finally:
        events.append("close")

@monitor
async def session(connection: Annotated[str, Depends(connection)]):
    yield f"session on {connection}"
    events.append("commit")

class Paging:
    @monitor
    def __init__(self, page: int = 1, size: int = 10) -> None:
        self.first = (page - 1) * size

class Allowed:
    @monitor
    async def __call__(self, token: str = "none") -> str:
        if token == "bad":
            raise HTTPException(403, "not with this token")
        return token

@app.get("/async/{item}")
@monitor
async def endpoint(item: str, count: int = 1, *, opened: Annotated[str, Depends(session)]) -> dict[str, object]:
    return {"item": item, "price": await price_later(item) * count, "session": opened}

@app.get("/sync/{item}")
@monitor
def sync_endpoint(item: str, count: int = 1, *, connection: Annotated[str, Depends(connection)]) -> dict[str, object]:
    return {"item": item, "price": price_of(item) * count, "connection": connection}

@app.post("/orders", status_code=201)
@monitor
async def order(order: Order, paging: Annotated[Paging, Depends()], token: Annotated[str, Depends(Allowed())]) -> Order:
    return Order(item=f"{order.item} for {token}", count=order.count + paging.first)

@monitor
async def lines():
    for number in range(3):
        await anyio.sleep(0)
        yield f"line {number}\\n"

@monitor
def sync_lines():
    for number in range(2):
        yield f"sync line {number}\\n"

@monitor
async def endless():
    try:
        while True:
            yield "again\\n"
            await anyio.sleep(0.005)
    finally:
        events.append("stream ended")

@app.get("/stream")
@monitor
async def stream():
    return StreamingResponse(lines())

@app.get("/sync-stream")
@monitor
def sync_stream():
    return StreamingResponse(sync_lines())

@app.get("/endless-stream")
@monitor
async def endless_stream():
    return StreamingResponse(endless())

@app.get("/events")
def all_events() -> list[str]:
    return events

listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen()
print(listening.getsockname()[1], flush=True)
server = uvicorn.Server(uvicorn.Config(app, loop=sys.argv[1], log_level="critical"))
try:
    server.run(sockets=[listening])
except KeyboardInterrupt:
    pass
"""

Answer = tuple[int, str]


class Client:
    """A browser in small: a connection for each request."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, path: str, body: object = None) -> Answer:
        """GET, or POST where there is a body; the status and the text."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            if body is None:
                connection.request("GET", path)
            else:
                connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def leave_after_a_line(self, path: str) -> bytes:
        """Reads one line of a stream and hangs up."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().readline()
        finally:
            connection.close()


@contextmanager
def serving(
    directory: Path, environment: Mapping[str, str], program: str = SERVER, loop: str = "asyncio"
) -> Iterator[Client]:
    """Runs a server while its client is in use; it has ended when the block has."""
    script, said = directory / "server.py", directory / "server.log"
    script.write_text(program, encoding="utf-8")
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(script), loop],
            env={**environment, "PYTHONWARNINGS": "default"},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        port = process.stdout.readline()
        assert port, said.read_text(encoding="utf-8")
        yield Client(int(port))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0, said.read_text(encoding="utf-8")
        assert "calltape" not in said.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.communicate()
