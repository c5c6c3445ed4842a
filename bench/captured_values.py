"""The values whose capture is measured: what programs usually pass, and what is large.

Used by the workers of bench.capture_cost. The libraries are those of requirements-dev.txt.
"""

import collections
import dataclasses
import datetime
import decimal
import enum
import pathlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

FIELDS: dict[str, Any] = {"id": 17, "customer": "ann", "total": 19.9, "paid": False, "note": None}

# A token of three parts, as they stand in headers and logs.
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

WORDS = "the quick brown fox jumps over the lazy dog, then rests; "


class Status(enum.Enum):
    """An enum."""

    OPEN = 1


@dataclasses.dataclass
class Order:
    """A dataclass of five fields."""

    id: int
    customer: str
    total: float
    paid: bool
    note: str | None


class Plain:
    """An object of five attributes."""

    def __init__(self) -> None:
        vars(self).update(FIELDS)


OrderRow = collections.namedtuple("OrderRow", "id customer total paid note")


def with_attrs() -> Any:
    import attrs

    return attrs.make_class("Order", list(FIELDS))(**FIELDS)


def with_pydantic() -> Any:
    import pydantic

    fields: dict[str, Any] = {name: (type(value) | None, value) for name, value in FIELDS.items()}
    return pydantic.create_model("Order", **fields)()


def with_msgspec() -> Any:
    import msgspec

    return msgspec.defstruct("Order", list(FIELDS))(**FIELDS)


def sqlalchemy_row() -> Any:
    import sqlalchemy
    from sqlalchemy import orm

    base = orm.declarative_base()
    columns = {"customer": sqlalchemy.String, "total": sqlalchemy.Float, "paid": sqlalchemy.Boolean}
    members: dict[str, Any] = {name: sqlalchemy.Column(kind) for name, kind in columns.items()}
    members |= {"__tablename__": "orders", "id": sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)}
    model: Any = type("Order", (base,), members)
    engine = sqlalchemy.create_engine("sqlite://")
    base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add(model(id=17, customer="ann", total=19.9, paid=False))
        session.commit()
    with orm.Session(engine) as session:
        return session.get(model, 17)


def response() -> Any:
    import requests

    made = requests.Response()
    made.status_code = 200
    made.url = "https://example.org/orders?page=2"
    made.request = requests.Request("GET", made.url).prepare()
    return made


def raised() -> Exception:
    try:
        int("x")
    except ValueError as error:
        return error
    raise AssertionError("int() took an x")


def array() -> Any:
    import numpy

    return numpy.zeros((1000, 100))


def frame() -> Any:
    import pandas

    return pandas.DataFrame(array())


def berlin() -> datetime.datetime:
    import zoneinfo

    return datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))


NESTED = {
    "order": FIELDS,
    "items": [{"sku": f"A-{n}", "quantity": n, "tags": ["new", "sale"]} for n in range(3)],
    "page": {"next": None, "size": 50},
}

# What the table calls it, and how it is made. The first two are arguments of a call each; the others one value.
USUAL: Mapping[str, Callable[[], Any]] = {
    "int": lambda: 12345,
    "short str": lambda: "ann@example.org",
    "dict of 5 fields": lambda: dict(FIELDS),
    "dataclass of 5 fields": lambda: Order(**FIELDS),
    "object of 5 attributes": Plain,
    "attrs object of 5 fields": with_attrs,
    "pydantic model of 5 fields": with_pydantic,
    "msgspec Struct of 5 fields": with_msgspec,
    "namedtuple of 5 fields": lambda: OrderRow(**FIELDS),
    "SQLAlchemy row of 4 columns": sqlalchemy_row,
    "requests.Response": response,
    "str of 1 KiB": lambda: (WORDS * 20)[:1024],
    "str of 1 KiB with a JWT": lambda: ((WORDS * 8)[:400] + JWT + WORDS * 20)[:1024],
    "str of 10 MB": lambda: (WORDS * 200_000)[:10_000_000],
    "bytes of 1 MB": lambda: bytes(range(256)) * 4000,
    "list of 64 ints": lambda: list(range(1000, 1064)),
    "nested dict of 30 values": lambda: NESTED,
    "list of 10 million ints": lambda: list(range(10_000_000)),
    "datetime with a zone": berlin,
    "UUID": lambda: uuid.UUID(int=0x12345678123456781234567812345678),
    "Path": lambda: pathlib.Path("/srv/data/orders/2026.csv"),
    "Decimal": lambda: decimal.Decimal("1234.56"),
    "enum member": lambda: Status.OPEN,
    "exception": raised,
    "ndarray (1000, 100)": array,
    "DataFrame 1000x100": frame,
}


def emptied(made: Any) -> Any:
    """A container of ten million places of which the last few are taken: what a walk must not search through."""
    for key in range(10_000_000 - 3):
        if isinstance(made, set):
            made.discard(key)
        else:
            del made[key]
    return made


def nested(levels: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(levels):
        made = [made]
    return made


# Large in another way than by what they hold; none of them is a usual value.
ODD: Mapping[str, Callable[[], Any]] = {
    "dict of 3 items": lambda: dict.fromkeys(range(3)),
    "dict of 3 items, 10 million places": lambda: emptied(dict.fromkeys(range(10_000_000))),
    "set of 3 items, 10 million places": lambda: emptied(set(range(10_000_000))),
    "OrderedDict of 3 items, 10 million places": lambda: emptied(collections.OrderedDict.fromkeys(range(10_000_000))),
    "list 100,000 levels deep": lambda: nested(100_000),
    "int of a million digits": lambda: 1 << 3_321_928,
    "dict of 64 str of 1 KiB": lambda: {f"name{n}": (WORDS * 20)[:1024] for n in range(64)},
    "64 lists of 64 lists of 64 ints": lambda: [[list(range(64)) for _ in range(64)] for _ in range(64)],
}
