"""attrs, pydantic and msgspec: fields as they are stored."""

import attrs
import msgspec
import pydantic


@attrs.define
class Parcel:
    id: int
    weight: float = 1.5
    labels: list[str] = attrs.field(factory=list)


@attrs.frozen
class Address:
    street: str
    city: str = "Lyon"


@attrs.define(slots=False)
class Loose:
    name: str
    pin_hint: str = attrs.field(repr=False, default="hint")


@attrs.define
class Private:
    _inner: int = 3


class User(pydantic.BaseModel):
    id: int
    name: str = "ann"
    tags: list[str] = []


class Account(pydantic.BaseModel):
    owner: User
    key: pydantic.SecretStr
    raw: pydantic.SecretBytes = pydantic.SecretBytes(b"hidden")
    quiet: str = pydantic.Field("not shown", repr=False)


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    id: int


class Hidden(pydantic.BaseModel):
    id: int
    _state: int = pydantic.PrivateAttr(default=5)

    @pydantic.computed_field
    @property
    def double(self) -> int:
        raise SystemExit("the program's code ran")


class Alias(pydantic.BaseModel):
    order_id: int = pydantic.Field(alias="orderId")


class Numbers(pydantic.RootModel[list[int]]):
    """A model that is one value."""


@pydantic.dataclasses.dataclass
class Temperature:
    degrees: float
    unit: str = "C"


class Event(msgspec.Struct):
    name: str
    at: int = 0
    data: dict[str, int] = {}


class Frozen(msgspec.Struct, frozen=True, tag=True, rename="camel"):
    event_name: str


VALUES = """
Parcel(7)
Parcel(7, labels=['fragile'])
Address('Rue 1')
Loose('x')
Private()
Parcel
attrs.fields(Parcel).id.name
attrs.NOTHING
User(id=1)
User(id=1, name='bob', tags=['x', 'y'])
Account(owner=User(id=2), key='s3cr3t-value')
User.model_construct(id='not validated')
Open(id=1, more='extra', other=[1])
Hidden(id=1)
Alias(orderId=5)
Numbers([1, 2, 3])
Temperature(21.5)
pydantic.SecretStr('s3cr3t-value')
pydantic.SecretBytes(b's3cr3t-value')
pydantic.Secret[int](1234567)
pydantic.HttpUrl('https://example.org/a?x=1')
pydantic.HttpUrl('https://user:hidden-pw@example.org/a')
User
Event('start')
Event('start', 5, {'a': 1})
Frozen('done')
msgspec.UNSET
msgspec.Raw(b'{}')
[User(id=1), Parcel(2), Event('x')]
"""
