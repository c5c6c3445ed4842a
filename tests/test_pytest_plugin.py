"""`pytest --calltape`: a tape a test, and the calls that led to a failure in its report. Each session is a real one."""

import sqlite3
import stat
import sys
from contextlib import closing

import pytest

pytest_plugins = ["pytester"]

SHOP = """
import calltape

class PaymentError(Exception): pass

@calltape.monitor(name="shop.charge")
def charge(order):
    if order["id"] == 3: raise PaymentError("no card")
    return {"paid": True}

@calltape.monitor(name="shop.check")
def check(order): return True

@calltape.monitor(name="shop.place")
def place(order):
    check(order)
    return charge(order)
"""

HEAD = "* calltape: calls of this test *"


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a shop, whose tests record nowhere else."""
    monkeypatch.setenv("CALLTAPE_DB", str(pytester.path / "own" / "calls.db"))
    pytester.makepyfile(shop=SHOP)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    return pytester


def run(shop: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return shop.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_a_failure_shows_the_tree_that_led_to_it_with_what_was_called(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_it="""
import shop
def test_before(): shop.place({"id": 1})
def test_fails(): shop.place({"id": 3})
"""
    )
    result = run(shop, "--calltape")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            HEAD,
            '*  shop.place(order={"id": 3})  shop.PaymentError: no card',
            '*  ├─ shop.check(order={"id": 3}) -> true',
            '*  └─ shop.charge(order={"id": 3})  shop.PaymentError: no card  <- raised here',
        ]
    )
    result.stdout.no_fnmatch_line('*"id": 1*')


def test_an_exception_that_came_from_a_call_is_traced_to_it(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_it="""
import shop
def test_fails():
    try: shop.place({"id": 3})
    except shop.PaymentError as error: raise AssertionError("not placed") from error
"""
    )
    result = run(shop, "--calltape")
    result.stdout.fnmatch_lines([HEAD, "*shop.charge(*  <- raised here"])


def test_a_failure_that_no_call_raised_shows_the_last_calls(shop: pytest.Pytester) -> None:
    shop.makepyfile(test_it="import shop\ndef test_fails(): assert shop.place({'id': 1}) == {'paid': False}\n")
    result = run(shop, "--calltape")
    result.stdout.fnmatch_lines(
        [
            HEAD,
            "no monitored call raised it; the last call:",
            '*  shop.place(order={"id": 1}) -> {"paid":true}',
            "*  ├─ shop.check(*",
            "*  └─ shop.charge(*",
        ]
    )


def test_a_failure_without_calls_says_so(shop: pytest.Pytester) -> None:
    shop.makepyfile(test_it="def test_fails(): assert False\n")
    run(shop, "--calltape").stdout.fnmatch_lines([HEAD, "no monitored function was called"])


def test_set_up_and_tear_down_are_on_the_tape_of_their_test(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_it="""
import pytest, shop
@pytest.fixture
def placed():
    yield shop.place({"id": 1})
    shop.place({"id": 3})
def test_one(placed, calltape_tape):
    assert [call.function for call in calltape_tape.calls()] == ["shop.charge", "shop.check", "shop.place"]
@pytest.fixture
def broken(): shop.place({"id": 3})
def test_two(broken): pass
"""
    )
    result = run(shop, "--calltape")
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_one*", HEAD, "*raised here"])
    result.stdout.fnmatch_lines(["*ERROR at setup of test_two*", HEAD, "*raised here"])


@pytest.mark.parametrize("option", [(), ("--calltape",)])
def test_the_fixture_is_the_tape_of_the_test_alone(shop: pytest.Pytester, option: tuple[str, ...]) -> None:
    shop.makepyfile(
        test_it="""
import shop
def test_one(calltape_tape):
    shop.place({"id": 1})
    charge, = calltape_tape.calls("charge")
    assert charge.args == {"order": {"id": 1}}
def test_two(calltape_tape): assert list(calltape_tape.calls()) == []
"""
    )
    run(shop, *option).assert_outcomes(passed=2)


def test_passing_tests_show_nothing_and_leave_nothing(shop: pytest.Pytester) -> None:
    shop.makepyfile(test_it="import shop\ndef test_passes(): shop.place({'id': 1})\n")
    result = run(shop, "--calltape", "-rA")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*calltape: calls*")
    assert not (shop.path / "own").exists()


def test_a_test_may_record_blocks_of_its_own(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_it="""
import shop
from calltape.testing import record
def test_fails():
    shop.place({"id": 1})
    with record() as tape: shop.place({"id": 2})
    assert [call.args["order"]["id"] for call in tape.calls("place")] == [2]
    shop.place({"id": 3})
"""
    )
    result = run(shop, "--calltape")
    result.stdout.fnmatch_lines([HEAD, '*shop.place(order={"id": 3})*PaymentError*'])
    result.stdout.no_fnmatch_line('*order={"id": 2}*')


def test_the_tapes_of_failures_are_kept_where_it_is_asked_for(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_it="""
import pytest, shop
def test_passes(): shop.place({"id": 1})
@pytest.mark.parametrize("id", [3])
def test_fails(id): shop.place({"id": id})
"""
    )
    result = run(shop, "--calltape-keep=kept")
    result.assert_outcomes(passed=1, failed=1)
    (kept,) = [path for path in (shop.path / "kept").iterdir() if path.suffix == ".db"]
    assert kept.name == "test_it.py_test_fails_3_.db"
    # Arguments stand in them.
    assert {stat.S_IMODE(path.stat().st_mode) for path in (shop.path / "kept").iterdir()} == {0o600}
    result.stdout.fnmatch_lines([f"the tape: *{kept.name}"])
    with closing(sqlite3.connect(kept)) as tape:
        assert [*tape.execute("SELECT function, status FROM calls ORDER BY id")] == [
            ("shop.place", "error"),
            ("shop.check", "ok"),
            ("shop.charge", "error"),
        ]


def test_no_kept_tape_takes_the_place_of_another_tests(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_it="""
import pytest, shop
@pytest.mark.parametrize("name", ["a/b", "a_b", "a b"])
def test_fails(name): shop.place({"id": 3, "name": name})
"""
    )
    result = run(shop, "--calltape-keep=kept")
    result.assert_outcomes(failed=3)
    kept = [path for path in (shop.path / "kept").iterdir() if path.suffix == ".db"]
    names = set()
    for path in kept:
        with closing(sqlite3.connect(path)) as tape:
            ((name,),) = tape.execute("SELECT args ->> '$.order.name' FROM calls WHERE function = 'shop.place'")
            names.add(name)
    assert names == {"a/b", "a_b", "a b"}


# Two SQLite libraries, or a plain read of the file, in the process that has it open drop each other's locks: another
# process then takes itself for the last one and deletes the WAL.
def test_keeping_a_tape_drops_no_lock_of_a_tape_that_is_open(shop: pytest.Pytester) -> None:
    shop.makeconftest(
        """
import os, pathlib, shutil
import pytest
plain = shutil.copyfile
def watched(source, target):
    locks = pathlib.Path("/proc/locks").read_text()
    inode = os.stat(source).st_ino
    assert f":{inode} " not in locks, "the tape is open while its file is read"
    print("COPIED", flush=True)
    return plain(source, target)
shutil.copyfile = watched
"""
    )
    shop.makepyfile(
        test_it="""
import shop
def test_fails(calltape_tape):
    assert not calltape_tape.calls().first()
    shop.place({"id": 3})
"""
    )
    result = run(shop, "--calltape-keep=kept", "-s")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*COPIED*"])


def test_sections_come_through_xdist(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_it="""
import pytest, shop
@pytest.mark.parametrize("id", range(6))
def test_it(id): shop.place({"id": id})
"""
    )
    result = run(shop, "--calltape", "-n2")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines([HEAD, "*shop.charge(*raised here"])


def test_without_the_option_nothing_of_calltape_is_loaded(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_it="""
import sys
def test_it(request):
    assert not [name for name in sys.modules if name.split(".")[0] == "calltape"]
    assert request.config.pluginmanager.get_plugin("calltape-recording") is None
"""
    )
    run(shop).assert_outcomes(passed=1)
    result = shop.run(sys.executable, "-m", "pytest", "--help")
    result.stdout.fnmatch_lines(
        ["calltape, a flight recorder for function calls:", "*--calltape *", "*--calltape-keep=FOLDER*"]
    )
