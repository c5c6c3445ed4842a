"""Secrets in exceptions: messages, causes, notes, groups, frames, their locals and their lines of source."""

import contextlib
import importlib
import json
import pathlib
from collections.abc import Callable

from calltape import monitor
from canaries import place, place_only_named


def fails(function: Callable[..., object], **options: object) -> None:
    """Calls a function, monitored, that raises."""
    with contextlib.suppress(Exception):
        monitor(function, **options)()


@place
def a_message(secret: str) -> None:
    def connect() -> None:
        raise ConnectionError(f"cannot reach postgresql://ann:{secret}@db/x with password={secret}")

    fails(connect)


@place
def arguments_of_an_exception(secret: str) -> None:
    def login() -> None:
        raise ValueError("password", secret)

    def find() -> None:
        raise KeyError(f"token={secret}")

    fails(login)
    fails(find)


@place_only_named
def attributes_of_an_exception(secret: str) -> None:
    class LoginError(Exception):
        def __init__(self) -> None:
            super().__init__({"password": secret})
            self.password = secret

    def login() -> None:
        raise LoginError

    fails(login)


@place
def files_of_an_error(secret: str) -> None:
    def read() -> None:
        pathlib.Path(f"/nowhere/token={secret}").stat()

    fails(read)


@place_only_named
def documents_of_an_error(secret: str) -> None:
    def parse() -> None:
        json.loads(f'{{"password": "{secret}", ')

    def decode() -> None:
        (b"token=" + secret.encode() + b"\xff").decode()

    fails(parse)
    fails(decode)


@place
def a_cause(secret: str) -> None:
    def connect() -> None:
        raise RuntimeError("no database") from OSError(f"https://ann:{secret}@example.org/")

    fails(connect)


@place
def a_context(secret: str) -> None:
    def connect() -> None:
        try:
            raise OSError(f"api_key={secret}")
        except OSError:
            raise RuntimeError("no database")  # noqa: B904 - the context is what this is about

    fails(connect)


@place
def members_of_a_group(secret: str) -> None:
    def connect() -> None:
        inner = ExceptionGroup(f"token={secret}", [ValueError(f"Bearer {secret}")])
        raise ExceptionGroup("all failed", [OSError(f"https://ann:{secret}@example.org/"), inner])

    fails(connect)


@place
def notes_of_an_exception(secret: str) -> None:
    def connect() -> None:
        error = OSError("refused")
        error.add_note(f"tried with password={secret}")
        raise error

    fails(connect)


@place
def a_long_message(secret: str) -> None:
    def connect(before: int) -> None:
        raise OSError("x" * before + f" https://ann:{secret}@example.org/ " + "y" * 900)

    for before in (*range(960, 1010, 7), *range(2000, 2060, 7)):
        fails(lambda before=before: connect(before))


@place
def locals_by_name(secret: str) -> None:
    def connect() -> None:
        password, config = secret, {"api_key": secret}  # noqa: F841 - to be seen in the frame
        raise OSError("refused")

    fails(connect, capture={"locals": True})


@place
def locals_by_shape(secret: str) -> None:
    def connect() -> None:
        address, header = f"https://ann:{secret}@example.org/", f"Bearer {secret}"  # noqa: F841 - as above
        raise OSError("refused")

    fails(connect, capture={"locals": True})


@place
def a_string_that_is_split(secret: str) -> None:
    def connect() -> None:
        raise ValueError("password=", secret)

    fails(connect)


@place
def lines_of_source(secret: str) -> None:
    # The module is there before the program starts, as programs are: lines of files that change are not shown.
    canary_service = importlib.import_module("canary_service")
    for name in ("by_name", "by_shape", "by_assignment", "over_lines", "in_a_dict", "in_a_comment"):
        with contextlib.suppress(OSError):
            getattr(canary_service, name)()


def service(secret: str) -> str:
    """The text of `canary_service.py`: a canary in lines of source."""
    return f"""
from calltape import monitor

def connect(*values, **named): raise OSError("refused")

@monitor
def by_name():
    connect("db", password="{secret}")

@monitor
def by_shape():
    connect("postgresql://ann:{secret}@db/x")

@monitor
def by_assignment():
    secret_key = "{secret}"; connect()

@monitor
def over_lines():
    connect(
        api_key="{secret}"
        "{secret}",
        more=connect("{secret}"),
    )

@monitor
def in_a_dict():
    connect({{"host": "db", "token": "{secret}"}})

@monitor
def in_a_comment():
    connect()  # with password={secret}
"""
