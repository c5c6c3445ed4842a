"""`functools` works on, under and over a decorated function as on the bare one."""

# A subject takes what the interpreter hands it.
# ruff: noqa: ARG002, ARG003

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, finished
from transparency.observation import each, outcome, plain


def test_wraps_copies_from_it(decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        @functools.wraps(subject)
        def around(*args: Any, **kwargs: Any) -> Any:
            return finished(subject(*args, **kwargs))

        names = (around.__name__, around.__qualname__, around.__doc__, around.__module__, around.__annotations__)
        return names, str(inspect.signature(around)), inspect.unwrap(around).__code__, str(around(1))

    return each(seen, decorate)


def test_it_stands_in_a_stack_of_wrappers(decorate: Decorate) -> object:
    def doubled(function: Any) -> Any:
        @functools.wraps(function)
        def around(*args: Any) -> Any:
            return function(*args) * 2

        return around

    @doubled
    @decorate
    @doubled
    def inside(value: int) -> int:
        """Inside."""
        return value + 1

    @decorate
    @doubled
    def above(value: int) -> int:
        """Above."""
        return value + 1

    names = [(f.__name__, f.__doc__, str(inspect.signature(f)), inspect.getsource(f)) for f in (inside, above)]
    return inside(1), above(1), names, sorted(vars(above).keys() - {"__wrapped__"})


PARTIALS: dict[str, Callable[[Any], Any]] = {
    "called": lambda p: finished(p(2, other=3)),
    "signature": lambda p: str(inspect.signature(p)),
    "repr": plain,
    "attributes": lambda p: (p.args, p.keywords, plain(p.func)),
    "iscoroutinefunction": inspect.iscoroutinefunction,
    "isgeneratorfunction": inspect.isgeneratorfunction,
    "isasyncgenfunction": inspect.isasyncgenfunction,
    "copy": lambda p: finished(functools.partial(p, 3)()),
}


@pytest.mark.parametrize("look", PARTIALS)
def test_a_partial_of_it(look: str, decorate: Decorate) -> object:
    return each(lambda subject: str(PARTIALS[look](functools.partial(subject, 1, key=False))), decorate)


def test_a_partial_under_it(decorate: Decorate) -> object:
    subject = decorate(functools.partial(lambda *args, **kwargs: (args, kwargs), 1, key=2))
    return subject(3, more=4), str(inspect.signature(subject)), callable(subject)


def test_a_partial_method_of_it(decorate: Decorate) -> object:
    class Holder:
        @decorate
        def put(self, name: str, value: int, *, loud: bool = False) -> Any:
            return name, value, loud

        @decorate
        async def fetch(self, name: str, value: int) -> Any:
            return name, value

        put_one = functools.partialmethod(put, "one", loud=True)
        fetch_one = functools.partialmethod(fetch, "one")

    holder = Holder()
    return (
        holder.put_one(1),
        finished(holder.fetch_one(2)),
        str(inspect.signature(holder.put_one)),
        str(inspect.signature(Holder.put_one)),
        inspect.iscoroutinefunction(holder.fetch_one),
        outcome(holder.put_one),
    )


def test_a_cache_above_it(decorate: Decorate) -> object:
    calls: list[int] = []

    @functools.lru_cache(maxsize=2)
    @decorate
    def cached(value: int) -> int:
        """Cached."""
        calls.append(value)
        return value + 1

    results = [cached(1), cached(1), cached(2), cached(3), cached(1)]
    return results, calls, tuple(cached.cache_info()), cached.__name__, cached.__doc__, str(inspect.signature(cached))


def test_a_cache_below_it(decorate: Decorate) -> object:
    calls: list[int] = []

    @decorate
    @functools.lru_cache(maxsize=2)
    def cached(value: int) -> int:
        """Cached."""
        calls.append(value)
        return value + 1

    results = [cached(1), cached(1), cached(2), cached(3), cached(1)]
    info = tuple(cached.cache_info())
    cached.cache_clear()
    return results, calls, info, tuple(cached.cache_info()), cached.__name__, str(inspect.signature(cached))


def test_a_cached_method(decorate: Decorate) -> object:
    class Holder:
        @functools.cache  # noqa: B019
        @decorate
        def above(self, value: int) -> int:
            return value + 1

        @decorate
        @functools.cache  # noqa: B019
        def below(self, value: int) -> int:
            return value + 1

    holder = Holder()
    return [holder.above(1), holder.above(1), holder.below(1), holder.below(1), tuple(Holder.above.cache_info())]


def test_a_cache_of_the_function_s_own_arguments(decorate: Decorate) -> object:
    subject = decorate(lambda: 1)
    counted = functools.cache(lambda function: function())
    return counted(subject), counted(subject), tuple(counted.cache_info())


def test_single_dispatch_on_it(decorate: Decorate) -> object:
    def first(value: Any) -> str:
        """Show it."""
        return "any"

    shown: Any = functools.singledispatch(decorate(first))

    def second(value: int) -> str:
        return "int"

    shown.register(decorate(second))
    of_list = shown.register(list, decorate(lambda _: "list"))

    names = (shown.__name__, shown.__doc__, str(inspect.signature(shown)), list(shown.registry))
    return [shown(1), shown([]), shown("a"), shown(True)], names, outcome(shown), shown.dispatch(list) is of_list


def test_single_dispatch_under_it(decorate: Decorate) -> object:
    @decorate
    @functools.singledispatch
    def shown(value: Any) -> str:
        return "any"

    shown.register(int, lambda _: "int")
    return [shown(1), shown("a")], shown.__name__, list(shown.registry)


def test_single_dispatch_methods(decorate: Decorate) -> object:
    class Holder:
        @functools.singledispatchmethod
        @decorate
        def shown(self, value: Any) -> str:
            return "any"

        @shown.register
        @decorate
        def _(self, value: int) -> str:  # type: ignore[misc]
            return "int"

        @functools.singledispatchmethod
        @classmethod
        @decorate
        def made(cls, value: Any) -> str:
            return cls.__name__

        @made.register
        @classmethod
        @decorate
        def _of(cls, value: int) -> str:
            return cls.__name__ + "int"

    holder = Holder()
    return holder.shown(1), holder.shown("a"), Holder.made(1), Holder.made("a"), holder.shown.__name__


def test_total_ordering_with_it(decorate: Decorate) -> object:
    class Version:
        def __init__(self, number: int) -> None:
            self.number = number

        @decorate
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Version) and self.number == other.number

        @decorate
        def __lt__(self, other: Any) -> bool:
            return bool(self.number < other.number)

    kind: Any = functools.total_ordering(Version)
    one, two = kind(1), kind(2)
    return [one < two, one <= two, one > two, one >= two, one == two, one != two], Version.__hash__ is None


def test_update_wrapper_onto_it(decorate: Decorate) -> object:
    def original(value: int) -> int:
        """Original."""
        return value

    @decorate
    def stand_in(*args: Any) -> Any:
        return args

    made = functools.update_wrapper(stand_in, original)
    return made is stand_in, made.__name__, made.__doc__, made(1), str(inspect.signature(made)), made.__wrapped__(1)
