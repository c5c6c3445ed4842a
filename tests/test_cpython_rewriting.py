"""The rewriting behind `make test-cpython` reaches every function of a module, and changes nothing else of it."""

import builtins
import doctest
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from cpython import rewriting

SOURCE = '''
def plain(first=(lambda: 1)):
    def inner(): return first()
    return inner

def known(function):
    return function

@known
@known
async def decorated(): pass

class Made:
    @property
    def value(self): return [number for number in (lambda: (1, 2))()]
    async def items(self):
        """
        >>> def of_the_doctest(): return 3
        """
        yield 1
    value_again = property(lambda self: self.value)
'''


def executed(code: types.CodeType, names: dict[str, Any]) -> None:
    exec(code, names)  # noqa: S102


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that the decorator was given, by name and first line."""
    found: list[str] = []

    def decorator(function: Any) -> Any:
        found.append(f"{function.__qualname__}:{function.__code__.co_firstlineno}")
        return function

    monkeypatch.setattr("builtins." + rewriting.DECORATOR, decorator, raising=False)
    return found


def test_every_function_is_decorated_and_stays_on_its_line(seen: list[str]) -> None:
    names: dict[str, Any] = {"__name__": "made"}
    executed(rewriting.rewritten(SOURCE, "made.py", "exec"), names)
    assert seen == [
        "<lambda>:2",
        "plain:2",
        "known:6",
        "decorated:9",
        "Made.value:14",
        "Made.items:16",
        "Made.<lambda>:21",
    ]
    del seen[:]
    assert (names["plain"]()(), names["Made"]().value, names["Made"]().value_again) == (1, [1, 2], [1, 2])
    assert seen == ["plain.<locals>.inner:3", "Made.value.<locals>.<lambda>:15", "Made.value.<locals>.<lambda>:15"]


def test_code_of_the_functions_is_as_without_it(seen: list[str]) -> None:
    def functions(code: types.CodeType) -> dict[str, bytes]:
        inside = {}
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                inside[f"{constant.co_qualname}:{constant.co_firstlineno}"] = constant.co_code
                inside |= functions(constant)
        return inside

    bare = functions(compile(SOURCE, "made.py", "exec"))
    rewritten = functions(rewriting.rewritten(SOURCE, "made.py", "exec"))
    assert rewritten.keys() == bare.keys()
    # The ones without a function in them: the others make that function with the decorator.
    for name in ("known:6", "decorated:9", "Made.items:16", "plain.<locals>.inner:3"):
        assert rewritten[name] == bare[name]


def test_an_installed_hook_rewrites_the_chosen_modules_and_their_doctests(
    seen: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(doctest, "compile", None, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "chosen_by_test.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "left_by_test.py").write_text(SOURCE, encoding="utf-8")
    rewriting.install(getattr(builtins, rewriting.DECORATOR), ["chosen_by_test"])
    import chosen_by_test  # type: ignore[import-not-found]
    import left_by_test  # type: ignore[import-not-found]

    assert len(seen) == 7
    assert doctest.testmod(chosen_by_test) == (0, 1)
    assert seen[7:] == ["of_the_doctest:1"]
    assert left_by_test.plain()() == 1
    assert len(seen) == 8


def test_an_error_of_the_source_is_the_compilers_own(seen: list[str]) -> None:
    for source in ("def f(:", "def f():\n  await x", "return 1"):
        said = []
        for make in (compile, rewriting.rewritten):
            with pytest.raises(SyntaxError) as raised:
                make(source, "made.py", "exec")
            said.append((raised.value.msg, raised.value.lineno))
        assert said[0] == said[1]
