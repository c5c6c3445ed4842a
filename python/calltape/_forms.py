"""Descriptors that hold functions: taken apart, and made again around other functions.

Called by the decorator with the change to make: a function to a monitored one, or back. A descriptor is never changed
in place, since a program may hold it elsewhere, and what comes back is of the same type and state.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_origin

# Gets a callable and whether its first parameter is an instance or class (None: it must tell itself).
Change = Callable[[Any, "bool | None"], Any]


class CannotRebuildError(TypeError):
    """A subclass of a descriptor that is more than its functions and attributes."""


@dataclass(frozen=True)
class _Form:
    base: Any
    """The class of the descriptor."""
    parts: tuple[str, ...]
    """The attributes that hold its functions, in the order its constructor takes them."""
    first: bool = True
    """Whether its functions get an instance or class as first argument."""


_FORMS = (
    _Form(staticmethod, ("__func__",), first=False),
    _Form(classmethod, ("__func__",)),
    _Form(property, ("fget", "fset", "fdel")),
    _Form(types.DynamicClassAttribute, ("fget", "fset", "fdel")),
    _Form(functools.cached_property, ("func",)),
    _Form(functools.partialmethod, ("func",)),
    _Form(functools.singledispatchmethod, ("func",)),
)


def _form_of(subject: Any) -> _Form | None:
    return next((form for form in _FORMS if issubclass(type(subject), form.base)), None)


def functions_in(subject: Any) -> Iterator[Any]:
    """The callables that a descriptor holds, through all its layers; what is no such descriptor yields itself."""
    form = _form_of(subject)
    if form is None:
        yield subject
        return
    for name in form.parts:
        part = getattr(subject, name)
        if part is not None:
            yield from functions_in(part)


def rebuilt(subject: Any, change: Change, *, later: bool, first: bool | None = None) -> Any:
    """`subject` with `change` made to each callable in it; itself where that changes nothing.

    `later` is for descriptors that are given more functions afterwards: whether the change is made to those as well.

    Raises:
        CannotRebuildError: the descriptor's class is a subclass that cannot be made again safely.
    """
    form = _form_of(subject)
    if form is None:
        return change(subject, first)
    again = functools.partial(rebuilt, change=change, later=later, first=form.first)
    if form.base is functools.singledispatchmethod:
        return _dispatching(subject, form, again, later)
    old = [getattr(subject, name) for name in form.parts]
    new = [part if part is None else again(part) for part in old]
    if all(map(operator.is_, old, new)):
        return subject
    return _with_parts(subject, form, old, new)


def _with_parts(subject: Any, form: _Form, old: list[Any], new: list[Any]) -> Any:
    """A descriptor of the same type and state around `new`. A subclass's constructor is not run: what it did before is
    in the attributes, which are taken over, the functions among them changed."""
    kind = type(subject)
    if kind is property:
        return _property_with(subject, new)
    if not _adds_only_attributes(kind, form.base):
        raise CannotRebuildError(_remedy(kind, form))
    made = form.base.__new__(kind)
    if form.base in (staticmethod, classmethod, property):  # written in C: these hold their functions out of reach
        form.base.__init__(made, *new, *([subject.__doc__] if issubclass(kind, property) else []))
    attributes = getattr(made, "__dict__", {})
    for name, value in getattr(subject, "__dict__", {}).items():
        at = next((at for at, part in enumerate(old) if part is value and part is not None), None)
        attributes[name] = value if at is None else new[at]
    if not all(getattr(made, name) is part for name, part in zip(form.parts, new, strict=True)):
        raise CannotRebuildError(_remedy(kind, form))
    return made


def _property_with(subject: property, new: list[Any]) -> property:
    """Made by the property's own methods, which keep its name and where its docstring came from."""
    for name, part in zip(("getter", "setter", "deleter"), new, strict=True):
        if part is not None:
            subject = getattr(subject, name)(part)
    return subject


def _adds_only_attributes(kind: type, base: type) -> bool:
    added = kind.__mro__[: kind.__mro__.index(base)]
    return kind.__new__ is base.__new__ and not any(vars(each).get("__slots__") for each in added)


def _remedy(kind: type, form: _Form) -> str:
    return (
        f"monitor: a {kind.__qualname__} cannot be made again as other {form.base.__name__} objects can; "
        "put @monitor under it, on its function"
    )


def _dispatching(method: Any, form: _Form, again: Callable[[Any], Any], later: bool) -> Any:
    """A `singledispatchmethod` hands a call straight to an implementation: each of them is changed."""
    old = method.dispatcher
    was_hooked = isinstance(old.register, _Registration)
    changed = {id(part): again(part) for part in (method.func, *old.registry.values())}
    if was_hooked is later and all(changed[id(part)] is part for part in (method.func, *old.registry.values())):
        return method
    made = _with_parts(method, form, [method.func], [changed[id(method.func)]])
    form.base.__init__(made, made.func)  # a dispatcher of its own, and nothing kept of what was bound by the other
    for kind, implementation in old.registry.items():
        made.dispatcher.register(kind, changed[id(implementation)])
    if later:
        made.dispatcher.register = _Registration(made.dispatcher.register, again)
    return made


class _Registration:
    """The `register` of a monitored dispatcher: makes the change to what is registered, and returns what was given."""

    def __init__(self, register: Callable[..., Any], change: Callable[[Any], Any]) -> None:
        self._register = register
        self._change = change

    def __call__(self, cls: Any, func: Any = None) -> Any:
        if func is not None:
            self._register(cls, self._change(func))
            return func
        if isinstance(cls, type) or get_origin(cls) is not None or isinstance(cls, types.UnionType):
            return functools.partial(self, cls)
        self._register(self._change(cls))  # the implementation itself, its type in an annotation
        return cls
