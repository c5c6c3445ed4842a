# mypy: ignore-errors
# ruff: noqa: ARG002
"""`monitor` above a property or a cached property, as pyright sees it.

mypy takes no decorator above either ("Decorators on top of @property are not supported"): there `monitor` goes under
them. Never run; `test_type_checkers.py` says how it is checked.
"""

import functools
from typing import assert_type

from calltape import monitor


class Shop:
    @monitor
    @property
    def title(self) -> str:
        return "title"

    @monitor(group="g")
    @property
    def kept(self) -> int:
        return 1

    @kept.setter
    def kept(self, value: int) -> None: ...

    @monitor
    @functools.cached_property
    def cached(self) -> bytes:
        return b""

    @monitor()
    @functools.singledispatchmethod
    def shown(self, value: object) -> str:
        return ""

    @shown.register
    def _(self, value: int) -> str:
        return ""


shop = Shop()
assert_type(shop.title, str)
assert_type(shop.kept, int)
assert_type(shop.cached, bytes)
assert_type(shop.shown(1), str)
shop.kept = 3
