"""CPython's own tests, run with every function they define monitored: what passes bare must pass monitored.

`make test-cpython` runs it. Each module runs in processes of its own, once for each column: bare, with a decorator that
returns the function itself (what the rewriting of the source changes by itself), and monitored. Differences must be
listed in `listed.toml`, each with its reason; a listed difference that is not there is an error too.
"""

# Generators, coroutines, functools and contextlib. All are rewritten in each run, because some import from others.
MODULES = (
    "test.test_generators",
    "test.test_coroutines",
    "test.test_asyncgen",
    "test.test_functools",
    "test.test_contextlib",
    "test.test_contextlib_async",
)
