"""Secrets in what a call runs in: names of threads, tasks and spans, and objects that the interpreter names."""

import asyncio
import io
import logging
import pathlib
import tempfile
import threading
import types
import weakref

import calltape
from canaries import keep, place, place_only_named


@place
def the_name_of_a_thread(secret: str) -> None:
    thread = threading.Thread(target=keep, args=[1], name=f"worker token={secret}")
    thread.start()
    thread.join()
    keep(thread)


@place
async def the_name_of_a_task(secret: str) -> None:
    @calltape.monitor
    async def work() -> None:
        await asyncio.sleep(0)

    task = asyncio.create_task(work(), name=f"load https://ann:{secret}@example.org/")
    keep(task)
    await task


@place
def the_name_of_a_span(secret: str) -> None:
    with calltape.span(f"GET https://ann:{secret}@example.org/?token={secret}"):
        keep(1)


@place
def the_key_of_a_set_value(secret: str) -> None:
    with calltape.span("set"):
        calltape.current().set(f"token={secret}", 1)


@place
def the_name_of_a_file(secret: str) -> None:
    with tempfile.NamedTemporaryFile(prefix=f"token={secret}") as file, pathlib.Path(file.name).open() as text:
        keep(file.file, text)


@place_only_named
def files_in_memory(secret: str) -> None:
    keep(io.StringIO(f"token={secret}"), io.BytesIO(secret.encode()))


@place
def names_of_modules_and_types(secret: str) -> None:
    keep(types.ModuleType(f"token={secret}"), type(f"token={secret}", (), {}))


@place_only_named
def references_and_records(secret: str) -> None:
    class Vault:
        password = secret

    vault = Vault()
    record = logging.LogRecord("x", 20, "x", 1, "password=%s", (secret,), None)
    keep(weakref.ref(vault), {"record": record.msg}, (value for value in [secret]), lambda: secret)
