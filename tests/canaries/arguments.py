"""Secrets in arguments, by the name of the parameter or of what holds them, and in results."""

import collections
import contextlib
import functools
import types
from collections.abc import AsyncIterator, Generator

import calltape
from calltape import monitor
from canaries import keep, place, place_only_named


@place
def a_parameter(secret: str) -> None:
    @monitor
    def login(user: str, password: str) -> None: ...

    login("ann", secret)


@place
def a_keyword_only_parameter(secret: str) -> None:
    @monitor
    def call(*, api_key: str) -> None: ...

    call(api_key=secret)


@place
def a_parameter_in_camel_case(secret: str) -> None:
    @monitor
    def call(accessToken: str) -> None: ...  # noqa: N803 - as other languages write it

    call(secret)


@place
def a_keyword_of_any_name(secret: str) -> None:
    keep(client_secret=secret)


@place
def a_pair_of_positional_arguments(secret: str) -> None:
    keep(("password", secret))


@place
def a_default(secret: str) -> None:
    @monitor
    def connect(host: str, token: str = secret) -> None: ...

    connect("db")


@place
def a_keyword_only_default(secret: str) -> None:
    @monitor
    def connect(host: str, *, passphrase: str = secret) -> None: ...

    connect("db")


@place
def a_monitored_partial(secret: str) -> None:
    def connect(host: str, password: str) -> None: ...

    monitor(functools.partial(connect, password=secret))("db")


@place_only_named
def a_partial_as_a_value(secret: str) -> None:
    keep(functools.partial(print, f"password={secret}", password=secret))


@place
def a_method(secret: str) -> None:
    class Client:
        @monitor
        def login(self, password: str) -> None: ...

    Client().login(secret)


@place
def a_class_method(secret: str) -> None:
    class Client:
        @classmethod
        @monitor
        def make(cls, secret_key: str) -> None: ...

    Client.make(secret)


@place
def an_attribute_of_the_object(secret: str) -> None:
    class Client:
        def __init__(self) -> None:
            self.auth_token = secret

        @monitor
        def call(self, other: object) -> "Client":
            return self

    Client().call(Client())


@place
def a_property_that_is_set(secret: str) -> None:
    class Client:
        @property
        def key(self) -> str:
            return ""

        @key.setter
        @monitor
        def key(self, private_key: str) -> None: ...

    Client().key = secret


@place
def a_nested_dict(secret: str) -> None:
    keep({"services": [{"db": {"primary": {"password": secret}}}]})


@place
def a_value_of_any_kind_under_a_name(secret: str) -> None:
    keep({"credentials": {"user": secret, "key": [secret]}, "secrets": [secret, secret]})


@place
def keys_as_bytes(secret: str) -> None:
    keep({b"password": secret.encode()})


@place
def keys_in_any_spelling(secret: str) -> None:
    keep({"X-Api-Key": secret, "dbPassword": secret, "APIToken": secret, "PASSWORD_2": secret, "session id": secret})


@place
def header_pairs(secret: str) -> None:
    keep([("Accept", "*/*"), ("Authorization", f"Bearer {secret}")], [["Cookie", f"sid={secret}"]])


@place
def header_pairs_as_bytes(secret: str) -> None:
    keep([(b"host", b"x"), (b"authorization", b"Basic " + secret.encode()), (b"cookie", b"sid=" + secret.encode())])


@place
def an_ordered_dict(secret: str) -> None:
    keep(collections.OrderedDict(token=secret))


@place
def a_default_dict(secret: str) -> None:
    keep(collections.defaultdict(str, token=secret))


@place
def a_chain_map(secret: str) -> None:
    keep(collections.ChainMap({"page": "1"}, {"token": secret}))


@place
def a_user_dict(secret: str) -> None:
    keep(collections.UserDict(token=secret))


@place
def a_mapping_proxy(secret: str) -> None:
    keep(types.MappingProxyType({"token": secret}))


@place
def views_of_a_dict(secret: str) -> None:
    values = {"token": secret}
    keep(values.items())


@place
def a_subclass_of_dict(secret: str) -> None:
    class Config(dict[str, str]): ...

    keep(Config(password=secret))


@place
def a_deque_of_pairs(secret: str) -> None:
    keep(collections.deque([("token", secret)]))


@place
def an_own_name(secret: str) -> None:
    @monitor(sensitive_fields=["badge", "*salary*"])
    def enter(badge: str, values: object) -> None: ...

    enter(secret, {"old_badge": secret, "base_salary_2026": secret})


@place_only_named
def an_argument_that_is_left_out(secret: str) -> None:
    @monitor(capture={"args": {"user": False}})
    def enter(user: str, door: int) -> None: ...

    enter(secret, 3)


@place
def a_result(secret: str) -> None:
    @monitor
    def login() -> dict[str, str]:
        return {"user": "ann", "access_token": secret}

    login()


@place
def a_result_as_text(secret: str) -> None:
    @monitor
    def header() -> str:
        return f"Authorization: Bearer {secret}"

    header()


@place
async def the_result_of_a_coroutine(secret: str) -> None:
    @monitor
    async def login() -> dict[str, str]:
        return {"refresh_token": secret}

    await login()


@place
def what_a_generator_takes_yields_and_returns(secret: str) -> None:
    @monitor
    def steps(password: str) -> Generator[dict[str, str], dict[str, str], dict[str, str]]:
        yield {"password": secret}
        return {"password": secret}

    generator = steps(secret)
    next(generator)
    with contextlib.suppress(StopIteration):
        generator.send({"password": secret})


@place
async def what_an_async_generator_takes_and_yields(secret: str) -> None:
    @monitor
    async def steps(password: str) -> AsyncIterator[dict[str, str]]:
        yield {"password": secret}

    async for _ in steps(secret):
        pass


@place
def a_span_value_by_name(secret: str) -> None:
    with calltape.span("load", password=secret):
        pass


@place
def a_span_value_by_shape(secret: str) -> None:
    with calltape.span("load", address=f"https://ann:{secret}@example.org/"):
        pass


@place
def a_value_set_by_name(secret: str) -> None:
    with calltape.span("set"):
        calltape.current().set("session_token", secret)
        calltape.current().set("login", {"password": secret})


@place
def a_value_set_by_shape(secret: str) -> None:
    with calltape.span("set"):
        calltape.current().set("header", f"Bearer {secret}")
        calltape.current().set("text", f"login with password={secret}")
