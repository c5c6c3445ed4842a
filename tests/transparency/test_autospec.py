"""`unittest.mock` specifies and patches a decorated function as the bare one."""

import inspect
from typing import Any
from unittest import mock

from transparency.kinds import Decorate, finished
from transparency.observation import each, outcome, plain


def test_a_specification_has_its_signature(decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        specified = mock.create_autospec(subject, return_value=3)
        return (
            str(inspect.signature(specified)),
            type(specified).__name__,
            inspect.iscoroutinefunction(specified),
            inspect.isfunction(specified),
            outcome(lambda: finished(specified())),
        )

    return each(seen, decorate)


def test_a_specification_refuses_wrong_arguments(decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        specified = mock.create_autospec(subject, return_value=3)
        return finished(specified(key=1, other=2))

    return each(seen, decorate)


def test_a_specified_coroutine_function_is_awaited(decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        specified = mock.create_autospec(subject, return_value=3)
        return finished(specified(1)), str(specified.call_args_list)

    return each(seen, decorate)


def test_a_mock_made_for_it_has_its_kind(decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        return type(mock.Mock(spec=subject)).__name__, type(mock.MagicMock(subject)).__name__

    return each(seen, decorate)


class Service:
    def ask(self, question: str, *, loud: bool = False) -> str:
        return question.upper() if loud else question

    async def fetch(self, key: int) -> int:
        return key

    @staticmethod
    def rule(value: int) -> int:
        return value

    @classmethod
    def build(cls, value: int) -> int:
        return value


def test_a_patched_class_with_it_is_specified(decorate: Decorate) -> object:
    decorated: Any = type(
        "Service", (), {name: decorate(it) for name, it in vars(Service).items() if not name.startswith("__")}
    )
    specified = mock.create_autospec(decorated)
    one = specified()
    one.ask("a", loud=True)
    return (
        one.ask.call_args,
        outcome(one.ask)[1][:2],
        outcome(one.rule, 1, 2)[1][:2],
        outcome(one.build)[1][:2],
        inspect.iscoroutinefunction(one.fetch),
        type(one.fetch).__name__,
    )


def test_it_is_patched_and_comes_back(decorate: Decorate) -> object:
    holder: Any = type("Holder", (), {"method": decorate(Service.ask)})
    before = holder.method
    with mock.patch.object(holder, "method", autospec=True) as patched:
        patched.return_value = "mocked"
        during = holder().method("a")
        refused = outcome(holder().method)[1][:2]
    return during, refused, holder.method is before, holder().method("b")


def test_a_mock_wraps_it(decorate: Decorate) -> object:
    watched = mock.Mock(wraps=decorate(lambda value: value + 1))
    return watched(1), watched.call_args, plain(watched.mock_calls)
