"""Functions made while a program runs are decorated as those that stand in its text."""

import collections
import functools
import inspect
import textwrap
import types
import typing
from typing import Any

from transparency.kinds import Decorate, finished
from transparency.observation import outcome, plain


def test_a_function_from_exec(decorate: Decorate) -> object:
    space: dict[str, Any] = {"decorate": decorate}
    text = """
        @decorate
        def made(value, *, scale=2):
            "Made."
            return value * scale

        @decorate
        async def waits(value):
            return value

        def fails():
            return decorate(lambda: unknown)()
        """
    exec(compile(textwrap.dedent(text), "made.py", "exec"), space)  # noqa: S102
    made = space["made"]
    return (
        made(2),
        made.__module__,
        made.__code__.co_filename,
        made.__globals__ is space,
        finished(space["waits"](3)),
        outcome(space["fails"]),
        outcome(inspect.getsource, made)[0],
    )


def test_a_function_from_eval(decorate: Decorate) -> object:
    made = eval("decorate(lambda value: value + offset)", {"decorate": decorate, "offset": 4})  # noqa: S307
    return made(1), made.__name__, plain(made)


def test_a_function_made_of_code(decorate: Decorate) -> object:
    def original(value: int, other: int = 3) -> int:
        return value + other

    made = decorate(types.FunctionType(original.__code__, {}, "made", (5,), None))
    return made(1), made.__name__, made.__defaults__, made.__module__, made.__globals__


def test_a_function_without_a_module(decorate: Decorate) -> object:
    space: dict[str, Any] = {}
    exec("def made(): return 1", space)  # noqa: S102
    space["made"].__module__ = None
    made = decorate(space["made"])
    return made(), made.__module__, plain(made)


def test_closures_share_their_cells(decorate: Decorate) -> object:
    def counter() -> Any:
        count = 0

        @decorate
        def up() -> int:
            nonlocal count
            count += 1
            return count

        @decorate
        def read() -> int:
            return count

        return up, read

    up, read = counter()
    results = [up(), up(), read()]
    up.__closure__[0].cell_contents = 10
    return results, read(), up.__closure__ == read.__closure__, up.__code__.co_freevars


def test_a_cell_that_is_empty(decorate: Decorate) -> object:
    @decorate
    def early() -> Any:
        return later

    failed = outcome(early)
    later = 1
    return failed, early(), later


def test_lambdas_in_loops(decorate: Decorate) -> object:
    late = [decorate(lambda: number) for number in range(3)]  # noqa: B023
    early = [decorate(lambda number=number: number) for number in range(3)]
    return [each() for each in late], [each() for each in early]


def test_many_functions_of_one_text(decorate: Decorate) -> object:
    def make(number: int) -> Any:
        @decorate
        def made() -> int:
            return number

        return made

    functions = [make(number) for number in range(50)]
    return [made() for made in functions], len(set(functions)), len({made.__code__ for made in functions})


def test_overloads_are_registered(decorate: Decorate) -> object:
    @typing.overload
    @decorate
    def read(key: int) -> int: ...
    @typing.overload
    @decorate
    def read(key: str) -> str: ...
    @decorate
    def read(key: Any) -> Any:
        return key

    subject: Any = read  # type: ignore[has-type]
    found = typing.get_overloads(subject)
    typing.clear_overloads()
    return subject(1), [typing.get_type_hints(each) for each in found], [plain(each) for each in found]


def test_typing_marks(decorate: Decorate) -> object:
    class Holder:
        @typing.final
        @decorate
        def last(self) -> None: ...

    @typing.no_type_check
    @decorate
    def unchecked(value: "no such name") -> None: ...

    return vars(Holder)["last"].__final__, typing.get_type_hints(unchecked), unchecked.__no_type_check__


def test_code_is_replaced_while_functions_exist(decorate: Decorate) -> object:
    def first() -> str:
        return "first"

    def second(value: str = "second") -> str:
        return value

    subject = decorate(first)
    before = subject()
    subject.__code__ = second.__code__
    subject.__defaults__ = ("changed",)
    return before, subject(), str(inspect.signature(subject)), subject.__code__ is second.__code__


def test_a_code_object_with_other_words(decorate: Decorate) -> object:
    def original() -> Any:
        return "word"

    original.__code__ = original.__code__.replace(co_name="other", co_firstlineno=1000)
    subject = decorate(original)
    return subject(), subject.__name__, subject.__code__.co_name, subject.__code__.co_firstlineno


def test_callables_that_are_no_functions(decorate: Decorate) -> object:
    class Called:
        """A callable."""

        def __call__(self, value: int = 1) -> int:
            return value + 1

    Pair = collections.namedtuple("Pair", "first second")
    subjects = [Called(), functools.partial(max, 3), len, "text".upper, [].append, dict.get, operator_itemgetter(0)]
    return [
        (outcome(subject, *args)[:1], plain(subject), getattr(subject, "__name__", None), callable(subject))
        for subject, args in zip(
            map(decorate, subjects), [(1,), (2,), ("abc",), (), (1,), ({1: 2}, 1), (Pair(1, 2),)], strict=True
        )
    ]


def operator_itemgetter(position: int) -> Any:
    import operator

    return operator.itemgetter(position)
