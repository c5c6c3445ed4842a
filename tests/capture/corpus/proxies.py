"""Mocks, proxies and other objects that stand for something else: read as what they are, the other one untouched."""

import types
import unittest.mock

import django
import werkzeug.local
import wrapt
from django.conf import settings
from django.utils.functional import SimpleLazyObject, lazystr

settings.configure()
django.setup()


class Client:
    def get(self, path: str) -> str:
        return path


def explode() -> None:
    raise SystemExit("what the proxy stands for was asked")


class Forwarding:
    """Says that it is another class, and forwards every attribute."""

    def __init__(self, target: object) -> None:
        object.__setattr__(self, "_target", target)

    @property
    def __class__(self) -> type:
        explode()
        return dict

    def __getattribute__(self, name: str) -> object:
        explode()
        return None


MOCK = unittest.mock.MagicMock(name="user")
MOCK.login.return_value = 5
MOCK.login("ann", password="hidden-pw")

VALUES = """
unittest.mock.Mock()
unittest.mock.MagicMock()
unittest.mock.MagicMock(name='user')
MOCK
MOCK.login
MOCK.name.first
unittest.mock.AsyncMock(name='fetch')
unittest.mock.NonCallableMagicMock(name='row')
unittest.mock.Mock(spec=Client)
unittest.mock.Mock(spec=dict)
unittest.mock.create_autospec(Client)
unittest.mock.create_autospec(Client, instance=True).get
unittest.mock.create_autospec(explode)
unittest.mock.call(1, a=2)
MOCK.login.mock_calls
unittest.mock.ANY
unittest.mock.sentinel.missing
unittest.mock.DEFAULT
unittest.mock.PropertyMock()
unittest.mock.patch.object(Client, 'get')
werkzeug.local.LocalProxy(explode)
wrapt.ObjectProxy([1, 2])
wrapt.ObjectProxy(Client())
wrapt.FunctionWrapper(explode, lambda *_: None)
SimpleLazyObject(explode)
lazystr('text')
Forwarding({})
[MOCK.a, MOCK.b]
types.SimpleNamespace(client=MOCK)
"""
