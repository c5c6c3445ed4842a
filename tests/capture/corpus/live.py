"""What a running program holds: functions and types, files and sockets, threads, locks and tasks, references."""

import asyncio
import collections
import contextlib
import contextvars
import functools
import io
import json
import logging
import mmap
import multiprocessing.pool
import os
import queue
import random
import select
import socket
import subprocess
import sys
import tempfile
import threading
import types
import weakref
from collections.abc import AsyncIterator, Generator

FOLDER = tempfile.TemporaryDirectory()
os.chdir(FOLDER.name)
with open("file.txt", "w") as written:  # noqa: PTH123 - its name is a part of what is captured
    written.write("text")
OPEN = open("file.txt")  # noqa: PTH123, SIM115
OPEN_BYTES = open("file.txt", "rb")  # noqa: PTH123, SIM115
UNBUFFERED = open("file.txt", "rb", buffering=0)  # noqa: PTH123, SIM115
CLOSED = open("file.txt")  # noqa: PTH123, SIM115
CLOSED.close()
MAPPED = mmap.mmap(-1, 4096)

# Sockets by numbers that are the same in every run.
os.dup2(socket.socket(socket.AF_INET, socket.SOCK_STREAM).detach(), 90)
STREAM = socket.socket(fileno=90)
os.dup2(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).detach(), 91)
LOCAL = socket.socket(fileno=91)
SHUT = socket.socket()
SHUT.close()

HELD = threading.Lock()
HELD.acquire()
REENTRANT = threading.RLock()
WAITING = threading.Thread(target=print, name="reader", daemon=True)


class Service:
    def run(self, times: int = 1) -> int:
        return times

    @classmethod
    def make(cls) -> "Service":
        return cls()

    @staticmethod
    def helper() -> None: ...

    class Inner: ...

    @property
    def state(self) -> str:
        raise SystemExit("the program's code ran")


class Callable_:
    def __call__(self) -> None: ...


def generate() -> Generator[int, None, None]:
    yield 1


async def fetch(n: int = 1) -> int:
    return n


async def stream() -> AsyncIterator[int]:
    yield 1


def closure() -> types.CellType:
    inner = 5
    return (lambda: inner).__closure__[0]


def coroutine() -> object:
    made = fetch()
    KEPT.append(made)
    return made


KEPT: list[object] = []
SERVICE = Service()
STARTED = generate()
next(STARTED)
LOOP = asyncio.new_event_loop()
PENDING = LOOP.create_task(asyncio.sleep(60), name="sleeper")
DONE = LOOP.create_task(fetch(), name="fetcher")
LOOP.run_until_complete(DONE)
FAILED: asyncio.Future[int] = LOOP.create_future()
FAILED.set_exception(ValueError("no"))
FAILED.exception()
for other in os.environ.keys() - {"CALLTAPE_DB"}:  # which others there are depends on who runs this
    del os.environ[other]
VARIABLE = contextvars.ContextVar("variable", default=1)

VALUES = """
json
os.path
collections
print
len
[].append
str.upper
'text'.upper
dict.fromkeys
int
dict
type
object
type(None)
types.FunctionType
collections.OrderedDict
Service
Service.Inner
generate
closure
(lambda: 0)
SERVICE.run
Service.run
Service.make
Service.helper
Service.state
vars(Service)['make']
vars(Service)['helper']
Callable_()
functools.partial(generate)
functools.partial(SERVICE.run, 3)
functools.lru_cache(generate)
functools.partialmethod(Service.run, 1)
generate()
STARTED
(n for n in ())
coroutine()
stream()
generate.__code__
closure()
STARTED.gi_frame
OPEN
OPEN_BYTES
UNBUFFERED
CLOSED
io.StringIO('text')
io.BytesIO(b'x' * 5000)
MAPPED
STREAM
LOCAL
SHUT
HELD
threading.Lock()
REENTRANT
threading.Event()
threading.Condition()
threading.Semaphore(3)
threading.Barrier(2)
threading.local()
threading.main_thread()
WAITING
queue.Queue()  # before 3.13
queue.Queue()  # from 3.13
queue.SimpleQueue()
LOOP
PENDING
DONE
FAILED
asyncio.Event()
asyncio.Lock()
asyncio.Queue()  # before 3.13
asyncio.Queue()  # from 3.13
VARIABLE
contextvars.copy_context()
weakref.ref(SERVICE)
weakref.proxy(SERVICE)
weakref.WeakKeyDictionary({SERVICE: 1})
weakref.WeakValueDictionary({'a': SERVICE})
weakref.WeakSet([SERVICE])
logging.getLogger('shop')
logging.getLogger()
random.Random(7)
contextlib.ExitStack()
contextlib.nullcontext()
select.poll()
subprocess.CompletedProcess(['ls', '-l'], 0, stdout='out')
sys.float_info
sys.float_info[:2]
os.stat_result(range(10))
os.terminal_size((80, 24))
os.environ
types.ModuleType('made')
super(Service, SERVICE)
property()
memoryview(MAPPED)[:10]
[print, int, json]
{'handler': generate, 'service': SERVICE}
"""
