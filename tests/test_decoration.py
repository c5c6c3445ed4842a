"""Decorating: every form works, wrong arguments say so at once, and what cannot be recorded stays itself."""

import logging
from collections.abc import AsyncIterator, Iterator

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
        ({"name": ""}, "name must be a word or None, not ''"),
        ({"group": 3}, "group must be a word or None, not 3"),
        ({"capture": {"arg": True}}, "capture knows args, result, not 'arg'"),
        ({"capture": 5}, "capture must be a mapping such as .*, not 5"),
        ({"capture": {"args": "yes"}}, r"capture\['args'\] must be True or False, not 'yes'"),
        ({"max_repr": 0}, "max_repr must be a positive number of bytes, not 0"),
        ({"max_repr": 1.5}, "max_repr must be a positive number of bytes, not 1.5"),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_do(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        monitor(**arguments)  # type: ignore[call-overload]


def test_what_cannot_be_called_and_classes_are_refused() -> None:
    with pytest.raises(TypeError, match="3 is not callable"):
        monitor(3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="int is a class; decorate its methods"):
        monitor(int)


def test_functions_that_run_later_stay_themselves_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    async def coroutine() -> None: ...

    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    for function in (coroutine, generator, async_generator):
        with caplog.at_level(logging.WARNING, logger="calltape"):
            assert monitor(function) is function
        assert caplog.records[-1].getMessage().startswith(f"calltape: {__name__}.")
        assert "is not recorded" in caplog.records[-1].getMessage()


def test_the_kill_switch_returns_the_function_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def bare() -> None: ...

    monkeypatch.setenv("CALLTAPE_DISABLED", "1")
    assert monitor(bare) is bare
