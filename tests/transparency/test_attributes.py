"""The attributes of a decorated function are the function's: read, set, deleted, refused, with the same words."""

from collections.abc import Callable
from typing import Any

import pytest

from transparency.kinds import Decorate, async_generator, coroutine, finished, function, generator
from transparency.observation import each, outcome, plain

NAMES = (
    "__name__",
    "__qualname__",
    "__module__",
    "__doc__",
    "__defaults__",
    "__kwdefaults__",
    "__annotations__",
    "__code__",
    "__closure__",
    "__dict__",
    "__func__",
    "__self__",
    "__builtins__",
    "__type_params__",
    "__globals__",
    "__class__",
    "nothing_here",
    "__nothing_here__",
)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_as_on_the_function(name: str, decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        value = getattr(subject, name, "none")
        if name in ("__globals__", "__builtins__"):
            value = id(value)
        if name in ("__func__", "__self__"):
            value = plain(value)
        return value, hasattr(subject, name)

    return each(seen, decorate)


def test_it_is_read_past_what_its_type_overrides(decorate: Decorate) -> object:
    names = ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__code__", "__class__")
    return each(lambda subject: [outcome(object.__getattribute__, subject, name) for name in names], decorate)


def test_a_missing_attribute_is_said_with_the_same_words(decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        try:
            return subject.nothing_here
        except AttributeError as error:
            return str(error), error.name, error.obj is subject

    return each(seen, decorate)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "set": lambda f: setattr(f, "mark", 1),
    "renamed": lambda f: setattr(f, "__name__", "renamed"),
    "requalified": lambda f: setattr(f, "__qualname__", "Other.renamed"),
    "moved": lambda f: setattr(f, "__module__", "elsewhere"),
    "documented": lambda f: setattr(f, "__doc__", "new"),
    "documentation_removed": lambda f: delattr(f, "__doc__"),
    "annotated": lambda f: setattr(f, "__annotations__", {"first": int}),
    "annotation_added": lambda f: f.__annotations__.update(other=str),
    "defaults": lambda f: setattr(f, "__defaults__", (7,)),
    "defaults_removed": lambda f: delattr(f, "__defaults__"),
    "keyword_defaults": lambda f: setattr(f, "__kwdefaults__", {"key": "other"}),
    "dictionary": lambda f: setattr(f, "__dict__", {"whole": 1}),
    "dictionary_written": lambda f: f.__dict__.update(whole=1),
    "code": lambda f: setattr(f, "__code__", (lambda *args, **named: ["other", args, named]).__code__),
    "name_refused": lambda f: setattr(f, "__name__", 3),
    "name_deleted": lambda f: delattr(f, "__name__"),
    "qualname_refused": lambda f: setattr(f, "__qualname__", None),
    "code_refused": lambda f: setattr(f, "__code__", 3),
    "code_deleted": lambda f: delattr(f, "__code__"),
    "defaults_refused": lambda f: setattr(f, "__defaults__", [1]),
    "keyword_defaults_refused": lambda f: setattr(f, "__kwdefaults__", 3),
    "annotations_refused": lambda f: setattr(f, "__annotations__", 3),
    "dictionary_refused": lambda f: setattr(f, "__dict__", 3),
    "dictionary_deleted": lambda f: delattr(f, "__dict__"),
    "closure_refused": lambda f: setattr(f, "__closure__", ()),
    "globals_refused": lambda f: setattr(f, "__globals__", {}),
    "missing_deleted": lambda f: delattr(f, "nothing_here"),
}

READ = ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__", "__defaults__", "__kwdefaults__")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_does_the_same(change: str, decorate: Decorate) -> object:
    return [after(change, decorate(raw())) for raw in (function, coroutine, generator, async_generator)]


def after(change: str, subject: Any) -> object:
    """What is seen of a function after a change, and of what a call of it then makes."""
    changed = outcome(CHANGES[change], subject)
    made = outcome(subject, 1)[1]
    names = (plain(made), getattr(made, "__name__", None), getattr(made, "__qualname__", None))
    getattr(made, "close", list)()
    kept = {name: value for name, value in vars(subject).items() if name != "__wrapped__"}
    return changed, kept, [getattr(subject, name) for name in READ], plain(repr(subject)), names


@pytest.mark.parametrize("raw", [function, coroutine, generator, async_generator])
def test_an_attribute_set_is_read_and_deleted(raw: Callable[[], Any], decorate: Decorate) -> object:
    subject = decorate(raw())
    subject.mark = 5
    seen = [subject.mark, subject.__dict__["mark"], hasattr(subject, "mark")]
    del subject.mark
    return seen, hasattr(subject, "mark"), outcome(delattr, subject, "mark")


def test_an_attribute_set_before_is_there(decorate: Decorate) -> object:
    raw = function()
    raw.mark = "kept"
    subject = decorate(raw)
    return subject.mark, "mark" in vars(subject)


def test_an_attribute_of_a_method_is_refused(decorate: Decorate) -> object:
    class Holder:
        @decorate
        def method(self) -> None: ...

    Holder.method.mark = 1
    method: Any = Holder().method
    return method.mark, outcome(setattr, method, "mark", 2), outcome(delattr, method, "mark")


def test_a_function_counts_on_itself(decorate: Decorate) -> object:
    @decorate
    def counted() -> Any:
        counted.calls += 1
        return counted.calls

    counted.calls = 0
    return [counted(), counted(), counted.calls]


def test_defaults_are_made_once(decorate: Decorate) -> object:
    @decorate
    def collect(item: int, into: list[int] = []) -> list[int]:  # noqa: B006
        into.append(item)
        return into

    return list(collect(1)), list(collect(2)), collect.__defaults__


def test_its_call_can_be_taken_from_it(decorate: Decorate) -> object:
    return each(lambda subject: (callable(subject.__call__), finished(subject.__call__(1)) is not None), decorate)


def test_it_can_be_bound_by_hand(decorate: Decorate) -> object:
    subject = decorate(function())
    method = subject.__get__("first")
    return method(), method.__self__, plain(method), subject.__get__(None, str) is subject, outcome(subject.__get__)
