"""Secrets in the fields of objects: of the program, of the standard library, of the usual libraries."""

import dataclasses
import enum
import types
import typing
import unittest.mock

import attrs
import django
import httpx
import msgspec
import pydantic
import requests
import sqlalchemy
import starlette.requests
from django.conf import settings
from django.db import models
from sqlalchemy import orm

from calltape import monitor, register
from canaries import keep, place, place_only_named

settings.configure()
django.setup()


@place
def an_attribute(secret: str) -> None:
    keep(type("Client", (), {"__init__": lambda self: setattr(self, "apiKey", secret)})())


@place
def an_attribute_two_objects_down(secret: str) -> None:
    inner = types.SimpleNamespace(db_password=secret)
    keep(types.SimpleNamespace(config=types.SimpleNamespace(database=inner)))


@place
def a_slot(secret: str) -> None:
    class Client:
        __slots__ = ("host", "token")

    client = Client()
    client.host, client.token = "x", secret
    keep(client)


@place
def a_field_of_a_dataclass(secret: str) -> None:
    @dataclasses.dataclass(slots=True)
    class Connection:
        host: str
        password: str

    keep(Connection("db", secret))


@place
def a_field_that_its_repr_hides(secret: str) -> None:
    @dataclasses.dataclass
    class Connection:
        host: str
        extra: str = dataclasses.field(repr=False)

    @attrs.define
    class Loose:
        extra: str = attrs.field(repr=False)

    keep(Connection("db", secret), Loose(secret))


@place
def a_field_of_attrs(secret: str) -> None:
    @attrs.define
    class Connection:
        password: str

    @attrs.define(slots=False)
    class Loose:
        password: str

    keep(Connection(secret), Loose(secret))


@place
def a_field_of_pydantic(secret: str) -> None:
    class Login(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        user: str
        password: str
        hidden: str = pydantic.Field(repr=False)
        _token: str = pydantic.PrivateAttr(default=secret)

    keep(Login(user="ann", password=secret, hidden=secret, api_key=secret))  # type: ignore[call-arg]


@place
def a_secret_of_pydantic(secret: str) -> None:
    class Login(pydantic.BaseModel):
        key: pydantic.SecretStr
        raw: pydantic.SecretBytes

    keep(Login(key=pydantic.SecretStr(secret), raw=pydantic.SecretBytes(secret.encode())), pydantic.SecretStr(secret))


@place
def a_url_of_pydantic(secret: str) -> None:
    class Settings(pydantic.BaseModel):
        database: pydantic.PostgresDsn
        plain: str

    keep(Settings(database=f"postgresql://ann:{secret}@db/x", plain=f"postgresql://ann:{secret}@db/x"))  # type: ignore[arg-type]


@place
def a_field_of_msgspec(secret: str) -> None:
    keep(msgspec.defstruct("Login", [("user", str), ("password", str)])("ann", secret))


class Base(orm.DeclarativeBase):
    """The models' base class."""


class Account(Base):
    __tablename__ = "account"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    password_hash: orm.Mapped[str]


@place
def a_column_of_sqlalchemy(secret: str) -> None:
    keep(Account(id=1, password_hash=secret))


@place
def a_url_of_sqlalchemy(secret: str) -> None:
    url = sqlalchemy.engine.make_url(f"postgresql://ann:{secret}@db/x")
    keep(url, {"password": url})


@place_only_named
def an_engine_of_sqlalchemy(secret: str) -> None:
    keep(sqlalchemy.create_engine(f"sqlite:///file:{secret}?uri=true&password={secret}"))


class User(models.Model):
    name: typing.Any = models.TextField()
    api_token: typing.Any = models.TextField()

    class Meta:
        app_label = "canaries"


@place
def a_column_of_django(secret: str) -> None:
    keep(User(name="ann", api_token=secret))


@place
def a_named_tuple(secret: str) -> None:
    keep(typing.NamedTuple("Login", [("user", str), ("password", str)])("ann", secret))


@place
def a_request_of_httpx(secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    keep(
        httpx.Request(
            "GET", f"https://ann:{secret}@example.org/?token={secret}", headers=headers, content=secret.encode()
        )
    )


@place
def a_request_of_requests(secret: str) -> None:
    request = requests.Request(
        "POST", f"https://ann:{secret}@example.org/?token={secret}", auth=("ann", secret), data={"password": secret}
    )
    keep(request, request.prepare())


@place
def a_request_of_starlette(secret: str) -> None:
    keep(
        starlette.requests.Request(
            {
                "type": "http",
                "method": "GET",
                "scheme": "https",
                "server": ("example.org", 443),
                "path": "/orders",
                "query_string": f"token={secret}".encode(),
                "headers": [(b"authorization", secret.encode())],
            }
        )
    )


@place
def a_text_subclass(secret: str) -> None:
    class Text(str):
        __slots__ = ()

    keep(Text(f"token={secret}"), {Text("password"): Text(secret)})


@place
def members_of_enums(secret: str) -> None:
    address = f"https://ann:{secret}@example.org/"
    plain = enum.Enum("plain", {"ADDRESS": address})
    text = enum.StrEnum("text", {"ADDRESS": address})
    keep(plain["ADDRESS"], text["ADDRESS"], {"address": text["ADDRESS"], "password": text["ADDRESS"]})


@place_only_named
def mocks_and_proxies(secret: str) -> None:
    mock = unittest.mock.MagicMock(password=secret, return_value=secret)
    mock.login(password=secret)
    keep(mock, mock.login.call_args, mock.method_calls)


@place
def what_a_registered_function_returns(secret: str) -> None:
    class Vault: ...

    register(Vault, lambda _: {"password": secret, "url": f"https://ann:{secret}@example.org/"})
    keep(Vault())


@place
def what_its_own_method_returns(secret: str) -> None:
    class Vault:
        def __calltape__(self) -> object:
            return [f"token={secret}", {"token": secret}]

    keep(Vault())


@place
def what_its_repr_returns(secret: str) -> None:
    class Vault:
        __slots__ = ()

        def __repr__(self) -> str:
            return f"Vault(user='ann', password='{secret}')"

    @monitor(capture={"repr": True})
    def own(value: object) -> None: ...

    own(Vault())


@place_only_named
def what_its_own_code_raises(secret: str) -> None:
    class Vault:
        def __calltape__(self) -> object:
            raise ValueError(f"password={secret}")

    class Odd:
        def __repr__(self) -> str:
            raise ValueError(f"password={secret}")

    register(Odd, repr)
    for _ in range(6):  # after five failures it is said in the log
        keep(Vault(), Odd())
