"""docs/python-api.md names every public name of calltape, and each has words of its own."""

import ast
import inspect
import re
import sys
from types import ModuleType

import pytest
from conftest import REPOSITORY

import calltape
import calltape.testing

PAGE = REPOSITORY / "docs" / "python-api.md"
NAMES = re.findall(r"^::: (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
STUB = REPOSITORY / "python" / "calltape" / "_native.pyi"


def public(module: ModuleType) -> list[str]:
    return [f"{module.__name__}.{name}" for name in module.__all__]


def test_the_page_names_each_public_name_once() -> None:
    assert sorted(NAMES) == sorted(public(calltape) + public(calltape.testing))


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_words_and_so_have_its_methods(name: str) -> None:
    module, _, last = name.rpartition(".")
    thing = getattr(sys.modules[module], last)
    assert (inspect.getdoc(thing) or "").strip()
    if not inspect.isclass(thing):
        return
    methods = [
        member
        for member in vars(thing).values()
        if inspect.isroutine(member) and not getattr(member, "__name__", "_").startswith("_")
    ]
    assert [method.__qualname__ for method in methods if not inspect.getdoc(method)] == []


def documented_natively() -> dict[str, str]:
    """The docstrings of the stub, by name. The site reads them there; the interpreter has the extension's own."""
    found = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            found[node.name] = text
            members = node.body if isinstance(node, ast.ClassDef) else []
            for member in members:
                if isinstance(member, ast.FunctionDef) and (text := ast.get_docstring(member)):
                    found[f"{node.name}.{member.name}"] = text
    return found


def test_what_the_stub_says_is_what_the_extension_says() -> None:
    texts = documented_natively()
    assert {"current", "CurrentCall", "CurrentCall.id", "CurrentCall.set"} <= texts.keys()
    for name, text in texts.items():
        thing = calltape._native
        for part in name.split("."):
            thing = getattr(thing, part)
        assert inspect.getdoc(thing) == text, name
