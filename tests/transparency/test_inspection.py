"""`inspect`, `typing`, `dis` and `pydoc` read a decorated function of any kind in any place as the bare one."""

import dis
import inspect
import pydoc
import types
import typing
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from transparency.kinds import Decorate, Make, finished
from transparency.observation import each, plain

PLAIN_TEXT = vars(pydoc)["plaintext"]


def is_coroutine_function_to_asyncio(function: Any) -> bool:
    import asyncio

    with warnings.catch_warnings(action="ignore"):
        return asyncio.iscoroutinefunction(function)


LOOKS: dict[str, Callable[[Any], Any]] = {
    "signature": inspect.signature,
    "own_signature": lambda f: inspect.signature(f, follow_wrapped=False),
    "evaluated_signature": lambda f: inspect.signature(f, eval_str=True),
    "signature_of_a_partial": lambda f: inspect.signature(partial(f, 1, key=False)),
    "bound_arguments": lambda f: inspect.signature(f).bind(1, 2, 3, other=4).arguments,
    "full_argument_specification": inspect.getfullargspec,
    "call_arguments": lambda f: str(inspect.getcallargs(f, 1, other=4)),
    "isfunction": inspect.isfunction,
    "ismethod": inspect.ismethod,
    "isroutine": inspect.isroutine,
    "isbuiltin": inspect.isbuiltin,
    "ismethoddescriptor": inspect.ismethoddescriptor,
    "isdatadescriptor": inspect.isdatadescriptor,
    "isclass": inspect.isclass,
    "iscode": lambda f: inspect.iscode(f.__code__),
    "iscoroutinefunction": inspect.iscoroutinefunction,
    "asyncio_iscoroutinefunction": is_coroutine_function_to_asyncio,
    "isgeneratorfunction": inspect.isgeneratorfunction,
    "isasyncgenfunction": inspect.isasyncgenfunction,
    "isawaitable": inspect.isawaitable,
    "source": inspect.getsource,
    "source_lines": inspect.getsourcelines,
    "source_file": inspect.getsourcefile,
    "file": inspect.getfile,
    "module": inspect.getmodule,
    "doc": inspect.getdoc,
    "comments": inspect.getcomments,
    "annotations": inspect.get_annotations,
    "evaluated_annotations": lambda f: inspect.get_annotations(f, eval_str=True),
    "closure_variables": lambda f: inspect.getclosurevars(f)._asdict(),
    "unwrapped_code": lambda f: inspect.unwrap(f).__code__,
    "type_hints": typing.get_type_hints,
    "type_hints_with_extras": lambda f: typing.get_type_hints(f, include_extras=True),
    "isinstance": lambda f: [isinstance(f, kind) for kind in (types.FunctionType, types.MethodType, Callable)],  # type: ignore[arg-type]
    "class": lambda f: f.__class__,
    "callable": callable,
    "instructions": lambda f: [step.opname for step in dis.get_instructions(f)],
    "code_info": lambda f: plain(dis.code_info(f)),
    "disassembly": lambda f: plain(dis.Bytecode(f).dis()),
    "help": lambda f: plain(pydoc.render_doc(f, renderer=PLAIN_TEXT)),
    "description": pydoc.describe,
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_function_of_any_kind_reads_the_same(look: str, decorate: Decorate) -> object:
    return each(lambda subject: LOOKS[look](subject), decorate)


def test_it_gives_what_the_function_gives(make: Make, decorate: Decorate) -> object:
    subject = make(decorate)
    return str([finished(subject(1)), finished(subject(1, 2, 3, key=False, more=4))])


MADE = (
    inspect.iscoroutine,
    inspect.isgenerator,
    inspect.isasyncgen,
    inspect.isawaitable,
    inspect.isframe,
    callable,
)


@pytest.mark.parametrize("look", MADE)
def test_what_a_call_makes_reads_the_same(look: Callable[[Any], Any], decorate: Decorate) -> object:
    def seen(subject: Any) -> Any:
        made = subject(1)
        return look(made), finished(made) is made

    return each(seen, decorate)


def test_a_function_can_be_marked_as_making_coroutines(make: Make, decorate: Decorate) -> object:
    mark = getattr(inspect, "markcoroutinefunction", None)
    if mark is None:
        return "since 3.12"
    subject = make(decorate)
    mark(subject)
    return inspect.iscoroutinefunction(subject)


def test_it_lists_the_same_attributes(decorate: Decorate) -> object:
    return each(lambda subject: sorted(set(dir(subject)) - {"__wrapped__"}), decorate)


def test_a_class_lists_it_as_the_function_it_is(decorate: Decorate) -> object:
    class Holder:
        @decorate
        def method(self) -> None: ...

        @decorate
        @staticmethod
        def static() -> None: ...

        @decorate
        @classmethod
        def of_class(cls) -> None: ...

        @property
        @decorate
        def value(self) -> None: ...

    listed = [
        (name, inspect.ismethod(member), inspect.isfunction(member)) for name, member in inspect.getmembers(Holder)
    ]
    attributes = [(entry.name, entry.kind) for entry in inspect.classify_class_attrs(Holder)]
    return listed, attributes, plain(pydoc.render_doc(Holder, renderer=PLAIN_TEXT))
