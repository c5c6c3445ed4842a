"""Decorating: every form of the decorator works, wrong arguments say so at once, the kill switch changes nothing."""

import functools
from typing import Any

import pytest

from calltape import monitor


def test_all_forms_of_the_decorator_wrap_once() -> None:
    def bare() -> int:
        return 1

    for wrapped in (monitor(bare), monitor()(bare), monitor(name="x.y")(bare), monitor(bare, group="g")):
        assert wrapped is not bare
        assert wrapped.__wrapped__ is bare  # type: ignore[attr-defined]
        assert monitor(wrapped) is wrapped
    method = staticmethod(monitor(bare))
    assert monitor(method) is method


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "name must be a str that is not empty, or None, not ''"),
        ({"group": 3}, "group must be a str that is not empty, or None, not 3"),
        ({"capture": {"arg": True}}, "capture knows args, result, locals, repr, .*, not 'arg'"),
        ({"capture": {"args": {"user": 0}}}, r"capture\['args'\] must be True, False or a mapping .* not {'user': 0}"),
        ({"capture": {"max_items": 0}}, r"capture\['max_items'\] must be a whole number of items from 1 .*, not 0"),
        ({"capture": {"max_depth": 33}}, r"capture\['max_depth'\] must be .* levels from 1 to 32, not 33"),
        ({"capture": {"max_call_bytes": -1}}, r"capture\['max_call_bytes'\] must be .* bytes from 16 .*, not -1"),
        ({"capture": {"max_capture_time": -0.1}}, r"capture\['max_capture_time'\] must be .* seconds .*, not -0.1"),
        ({"sensitive_fields": "badge"}, r"sensitive_fields must be a collection such as \['badge'\], not 'badge'"),
        ({"sensitive_fields": ["ba*dge"]}, r"sensitive_fields has 'ba\*dge'; give a name such as 'badge'"),
        ({"sensitive_fields": [""]}, "sensitive_fields has ''"),
        ({"capture": 5}, "capture must be a mapping such as .*, not 5"),
        (
            {"capture": {"args": "yes"}},
            r"capture\['args'\] must be True or False, or names .*{'user': False}, not 'yes'",
        ),
        ({"capture": {"locals": 1}}, r"capture\['locals'\] must be True or False, not 1"),
        ({"capture": {"max_repr": 20}}, "capture knows .*, not 'max_repr'; give max_repr to monitor itself"),
        ({"sensitive_fields": ["badge,pin"]}, "sensitive_fields has 'badge,pin'; give a name such as 'badge'"),
        ({"max_repr": 0}, "max_repr must be a whole number of bytes from 16, not 0"),
        ({"max_repr": 1.5}, "max_repr must be a whole number of bytes from 16, not 1.5"),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_do(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        monitor(**arguments)  # type: ignore[call-overload]


def test_what_cannot_be_called_or_changed_is_refused() -> None:
    with pytest.raises(TypeError, match="3 is not callable"):
        monitor(3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="the class int is built in and cannot be changed"):
        monitor(int)


@pytest.mark.parametrize("switch", ["1", "true", " YES "])
def test_the_kill_switch_returns_everything_untouched(monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    def bare() -> None: ...

    async def coroutine() -> None: ...

    def getter(self: object) -> None: ...

    class Shop:
        def method(self) -> None: ...

    forms: list[Any] = [bare, coroutine, Shop, int, 3, functools.partial(bare)]
    forms += [staticmethod(bare), property(getter), functools.partialmethod(bare)]
    before = dict(vars(Shop))
    monkeypatch.setenv("CALLTAPE_DISABLED", switch)
    for form in forms:
        assert monitor(form) is form
        assert monitor(name="x")(form) is form
    assert dict(vars(Shop)) == before
