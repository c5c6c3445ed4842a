"""pytest on a file whose tests and fixtures are monitored: it collects, runs, fails and explains as without."""

import re
from pathlib import Path

import pytest
from conftest import RunProgram
from trees import tree

# What pytest is run on: fixtures that return and that yield, with parameters, in classes, requested by others; tests
# with parameters above and below the decorator, in classes, of unittest, in a docstring; each way a test can end.
TESTS = '''
import os
import unittest
import pytest
from calltape import monitor

@monitor
def doubled(number):
    """Doubles.

    >>> doubled(2)
    4
    """
    return number * 2

@pytest.fixture
@monitor
def resource(tmp_path, request):
    path = tmp_path / "resource"
    path.write_text(request.node.name)
    yield path
    path.unlink()

@pytest.fixture(params=[1, 2], ids=["one", "two"])
@monitor
def number(request):
    return request.param

@pytest.fixture(scope="module", autouse=True)
@monitor
def around_the_module():
    yield

@pytest.fixture
@monitor
def fails_at_the_end():
    yield 1
    raise RuntimeError("at the end")

@monitor
def test_resource(resource):
    assert resource.read_text() == "test_resource"

@monitor
def test_number(number):
    assert doubled(number) == number + number

@pytest.mark.parametrize("word", ["a", "bc"])
@monitor
@pytest.mark.parametrize("times", [0, 3])
def test_words(word, times, resource):
    assert len(word * times) == len(word) * times

@monitor
def test_fails(number):
    expected = {"the": number}
    assert {"the": doubled(number)} == expected, "not the same"

@monitor
def test_raises(resource):
    with pytest.raises(KeyError):
        {}[resource]

@pytest.mark.skip(reason="not now")
@monitor
def test_skipped(): pass

@monitor
def test_skips_itself():
    pytest.skip("not today")

@pytest.mark.xfail(strict=True, raises=ZeroDivisionError)
@monitor
def test_expected_to_fail():
    1 / 0

@monitor
def test_end_of_a_fixture(fails_at_the_end): pass

class TestGroup:
    @pytest.fixture(autouse=True)
    @monitor
    def prepared(self):
        self.value = 3
        yield
        del self.value

    @monitor
    def setup_method(self, method):
        self.name = method.__name__

    @monitor
    def test_method(self, resource):
        assert (self.name, self.value) == ("test_method", 3)

    @staticmethod
    @monitor
    def test_static(number):
        assert number

class TestOld(unittest.TestCase):
    @monitor
    def setUp(self): self.ready = True

    @monitor
    def test_ready(self):
        for times in range(2):
            with self.subTest(times=times):
                self.assertTrue(self.ready)

@monitor
def test_patched(number, monkeypatch):
    monkeypatch.setattr("os.getpid", doubled)
    assert os.getpid(number) == 2 * number

@pytest.mark.anyio
@monitor
async def test_coroutine(anyio_backend_name, later):
    assert later == f"later on {anyio_backend_name}"

@pytest.fixture
@monitor
async def later(anyio_backend_name):
    yield f"later on {anyio_backend_name}"
'''

RUNNER = """
import sys
import pytest
sys.exit(pytest.main(["-rA", "-v", "--color=no", "-p", "no:cacheprovider", "--doctest-modules", *sys.argv[1:]]))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "suite" / "test_generated.py"
    path.parent.mkdir()
    path.write_text(TESTS, encoding="utf-8")
    (path.parent / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return path


def settled(output: str) -> str:
    """What pytest printed, without what differs from run to run."""
    return re.sub(r"0x[0-9a-f]+|in \d+\.\d+s|pytest-of-\w+/pytest-\d+|-\d+/", "...", output)


def test_pytest_prints_the_same(run_program: RunProgram, file: Path) -> None:
    monitored = run_program(RUNNER, str(file), check=False)
    bare = run_program(RUNNER, str(file), check=False, env={"CALLTAPE_DISABLED": "1"})
    assert settled(monitored.stdout) == settled(bare.stdout)
    assert (monitored.returncode, monitored.stderr) == (bare.returncode, bare.stderr)
    assert "2 failed, 18 passed, 2 skipped, 1 xfailed, 1 error" in bare.stdout


@pytest.mark.parametrize("option", ["--collect-only", "--fixtures", "--setup-show"])
def test_pytest_shows_fixtures_and_tests_the_same(run_program: RunProgram, file: Path, option: str) -> None:
    monitored = run_program(RUNNER, option, str(file), check=False)
    bare = run_program(RUNNER, option, str(file), check=False, env={"CALLTAPE_DISABLED": "1"})
    assert settled(monitored.stdout) == settled(bare.stdout)


def test_tests_and_fixtures_are_on_the_tape(run_program: RunProgram, file: Path) -> None:
    chosen = "test_number or test_resource or test_method or skip or end"
    tape = run_program(RUNNER, str(file), "-k", chosen, check=False).tape
    # pytest calls each of them: none is below another.
    assert tree(tape) == (
        "around_the_module\n"
        "fails_at_the_end [error]\n"
        "number\nnumber\n"
        "prepared\n"
        "resource\nresource\n"
        "setup_method\n"
        "test_end_of_a_fixture\n"
        "test_method\n"
        "test_number\n  doubled\n"
        "test_number\n  doubled\n"
        "test_resource\n"
        "test_skips_itself [error]\n"
    )
    fixtures = {call["function"].rpartition(".")[2]: call for call in tape.calls() if call["kind"] == "generator"}
    assert {name: call["yields"] for name, call in fixtures.items()} == {
        "around_the_module": 1,
        "fails_at_the_end": 1,
        "prepared": 1,
        "resource": 1,
    }


def test_coroutine_tests_and_fixtures_are_on_the_tape(run_program: RunProgram, file: Path) -> None:
    done = run_program(RUNNER, str(file), "-k", "test_coroutine")
    assert "test_coroutine[asyncio]" in done.stdout
    assert "test_coroutine[trio]" in done.stdout
    assert tree(done.tape, "later", "test_coroutine") == "later\nlater\ntest_coroutine\ntest_coroutine\n"
    assert {call["kind"] for call in done.tape.calls("later")} == {"async_generator"}
