"""Settings: argument over environment over pyproject.toml over default; a bad one says so and loses nothing."""

import pytest
from conftest import RunProgram

import calltape

PROGRAM = """
import pathlib, sys
from calltape import monitor, start, stats
pathlib.Path("pyproject.toml").write_text('[tool.calltape]\\njournal_limit = "8MiB"\\n')
@monitor
def work(): return 1
{start}
work()
print(stats().journal_capacity >> 20)
"""


def test_the_strongest_source_wins(run_program: RunProgram) -> None:
    assert run_program(PROGRAM.format(start="")).stdout == "8\n"
    env = {"CALLTAPE_JOURNAL_LIMIT": "16MiB"}
    assert run_program(PROGRAM.format(start=""), env=env).stdout == "16\n"
    assert run_program(PROGRAM.format(start="start(journal_limit=4 << 20)"), env=env).stdout == "4\n"


def test_a_bad_value_in_the_environment_is_logged_once_and_the_default_used(run_program: RunProgram) -> None:
    ended = run_program(PROGRAM.format(start=""), env={"CALLTAPE_ON_FULL": "explode"})
    assert ended.stderr.count("CALLTAPE_ON_FULL") == 1
    assert "explode" in ended.stderr
    assert "drop" in ended.stderr
    assert "block" in ended.stderr
    assert len(ended.tape.calls("work")) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"journal_limt": 5}, "journal_limit"),
        ({"on_full": "explode"}, "on_full.*explode"),
        ({"journal_limit": -1}, "journal_limit"),
        ({"exit_timeout": "soon"}, "exit_timeout"),
    ],
)
def test_a_bad_argument_of_start_is_an_error_that_names_it(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calltape.start(**arguments)


def test_a_second_tape_or_other_settings_are_refused_with_the_remedy(run_program: RunProgram) -> None:
    program = """
from calltape import start
start(); start()
for settings in ({"db": "other.db"}, {"on_full": "block"}):
    try: start(**settings)
    except RuntimeError as error: print(error)
"""
    first, second = run_program(program).stdout.splitlines()
    assert first.startswith("calltape already records with db=")
    assert second.startswith("calltape already records with on_full=drop; call calltape.stop() before")


def test_disabled_in_the_file_records_nothing(run_program: RunProgram) -> None:
    program = """
import pathlib
pathlib.Path("pyproject.toml").write_text('[tool.calltape]\\ndisabled = true\\n')
from calltape import monitor, stats
@monitor
def work(): return 1
assert work() == 1 and stats().recorded == 0
"""
    assert not run_program(program).tape.path.exists()


def test_names_of_sensitive_fields_are_given_as_a_list_too(run_program: RunProgram) -> None:
    program = """
from calltape import monitor, start
start(sensitive_fields={"badge", "*salary*"})
@monitor
def pay(badge, base_salary, name): ...
pay(1, 2, 3)
"""
    call = run_program(program).tape.calls("pay")[0]
    assert call["args"] == '{"badge":"***","base_salary":"***","name":3}'


@pytest.mark.parametrize("names", [["ba*dge"], [3], 3, {"badge": 1, "pin,x": 2}])
def test_a_bad_name_of_a_sensitive_field_is_an_error_of_start(names: object) -> None:
    with pytest.raises(ValueError, match="start: sensitive_fields "):
        calltape.start(sensitive_fields=names)  # type: ignore[arg-type]
