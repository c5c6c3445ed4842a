"""How a check runs: once on the bare function, once on the decorated one, and both runs must have seen the same.

A check is a test of this folder that asks for `decorate`. It makes its subject with it, uses the subject and returns
what it saw as values that compare. `pytest tests/transparency --decorator module:name` runs the checks on another
decorator and ends with a table, file by file.
"""

import gc
import itertools
import pkgutil
from collections import Counter
from collections.abc import Iterator

import pytest

from transparency.kinds import SUBJECTS, Decorate, Make
from transparency.peers import bare


@pytest.fixture(scope="session")
def decorate(request: pytest.FixtureRequest) -> Decorate:
    """The decorator under test; a check is called with it after it was called with the bare one."""
    decorator: Decorate = pkgutil.resolve_name(request.config.getoption("decorator") or "calltape:monitor")
    return decorator


@pytest.fixture(params=SUBJECTS)
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a subject with `decorate`: one of each kind in each place a function can stand."""
    return SUBJECTS[request.param]


@pytest.fixture(scope="package", autouse=True)
def _collections_are_cheap() -> Iterator[None]:
    """Leaves what pytest itself holds out of the collections that the checks ask for."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a check on the bare function and on the decorated one, without collections that it does not ask for."""
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    if "decorate" not in arguments:
        return None
    seen = []
    for decorator in (bare, arguments["decorate"]):
        gc.disable()
        try:
            seen.append(pyfuncitem.obj(**arguments | {"decorate": decorator}))
            gc.collect()
        finally:
            gc.enable()
    on_bare, on_decorated = seen
    assert on_bare is not None, "a check returns what it saw"
    assert on_decorated == on_bare
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With `--decorator`: how many checks of each file saw the same on both, and how many did not."""
    decorator = config.getoption("decorator")
    if decorator is None:
        return
    different = _checks(terminalreporter, "failed", "error")
    counts = {
        behaviour: Counter(check not in different for check in checks)
        for behaviour, checks in itertools.groupby(sorted(_checks(terminalreporter, "passed") | different), _behaviour)
    }
    counts["all"] = sum(counts.values(), Counter())
    terminalreporter.section(f"transparency of {decorator}")
    terminalreporter.line(f"{'behaviour':<40}{'same':>10}{'different':>11}")
    for behaviour, count in counts.items():
        terminalreporter.line(f"{behaviour:<40}{count[True]:>10}{count[False]:>11}")


def _checks(terminalreporter: pytest.TerminalReporter, *outcomes: str) -> set[str]:
    """The checks of this folder that ended so."""
    reports = itertools.chain(*map(terminalreporter.getreports, outcomes))
    return {report.nodeid for report in reports if "transparency/" in report.nodeid}


def _behaviour(check: str) -> str:
    """What the file of a check is about, in words."""
    return check.partition("::")[0].rpartition("/")[2].removeprefix("test_").removesuffix(".py").replace("_", " ")
