"""An import hook that puts a decorator on every function a module defines, in its source, innermost.

Used by `column.py`. Functions, methods, nested ones, lambdas, and those of the module's doctests. Line numbers, names
and the order of evaluation stay. Never touches code that a module makes from text by itself with `exec` and `compile`:
what it hands to them is what it tests.
"""

import ast
import builtins
import doctest
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Collection, Sequence
from types import CodeType, ModuleType
from typing import Any

# How the rewritten source calls the decorator. It is looked up among the builtins, because doctests have globals of
# their own; the trailing underscores keep a class body from mangling it.
DECORATOR = "__decorated_by_test_cpython__"

Decorator = Callable[[Any], Any]


class _Decorating(ast.NodeTransformer):
    """Adds the decorator to each function, and wraps each lambda into a call of it."""

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        # At the place of `def`, so that the first line of an undecorated function is still that line.
        node.decorator_list.append(ast.copy_location(ast.Name(DECORATOR, ast.Load()), node))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.generic_visit(node)
        name = ast.copy_location(ast.Name(DECORATOR, ast.Load()), node)
        return ast.copy_location(ast.Call(name, [node], []), node)


def rewritten(source: str | bytes, filename: str, mode: str, flags: int = 0) -> CodeType:
    """Compiles source with the decorator on every function; raises what compiling it as it is would raise."""
    tree = compile(source, filename, mode, flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    decorated = _Decorating().visit(tree)
    code: CodeType = compile(decorated, filename, mode, flags, dont_inherit=True)
    return code


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles from source each time: the interpreter's cache holds the module as it is."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return rewritten(self.get_data(path), path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the chosen modules where the interpreter finds them, and gives them the rewriting loader."""

    def __init__(self, modules: Collection[str]) -> None:
        self._modules = frozenset(modules)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._modules:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return spec
        spec.loader = _Loader(fullname, spec.loader.path)
        return spec


def _compile_doctest(source: str, filename: str, mode: str, flags: int, _dont_inherit: bool) -> CodeType:
    return rewritten(source, filename, mode, flags)


def install(decorator: Decorator, modules: Collection[str]) -> None:
    """From now on the modules are imported, and every doctest is compiled, with the decorator on each function."""
    setattr(builtins, DECORATOR, decorator)
    sys.meta_path.insert(0, _Finder(modules))
    # `doctest` compiles each example by this name; a global of the module goes before the builtin.
    vars(doctest)["compile"] = _compile_doctest
