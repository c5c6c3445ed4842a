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
        ({"sensitive_fields": "badge,ba*dge"}, r"sensitive_fields=.*ba\*dge.* is no name"),
        ({"sensitive_fields": ["badge", "ba*dge"]}, r"start: sensitive_fields has 'ba\*dge'"),
        ({"sensitive_fields": 5}, "start: sensitive_fields must be a collection"),
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


def test_names_to_withhold_come_from_the_settings_and_from_the_function(run_program: RunProgram) -> None:
    program = """
import calltape
calltape.start(sensitive_fields=("badge", "-token"))
@calltape.monitor(sensitive_fields=["crew"])
def keep(badge, token, crew, values): return {"badge": 1, "crew": 2, "token": 3}
@calltape.monitor
def usual(badge, token, crew): return None
keep(1, 2, 3, {"badge": 4, "token": 5}); usual(1, 2, 3)
with calltape.span("block", badge=1, token=2) as block: block.set("badge", 3)
"""
    keep, usual, block = run_program(program).tape.calls()
    assert keep["args"] == '{"badge":"***","token":2,"crew":"***","values":{"badge":"***","token":5}}'
    assert keep["result"] == '{"badge":"***","crew":"***","token":3}'
    assert usual["args"] == '{"badge":"***","token":2,"crew":3}'
    assert block["args"] == '{"badge":"***","token":2,"(set)":{"badge":"***"}}'


def test_a_bad_name_to_withhold_in_the_environment_is_logged_and_the_others_hold(run_program: RunProgram) -> None:
    program = """
from calltape import monitor
@monitor
def keep(badge, password): return None
keep(1, 2)
"""
    ended = run_program(program, env={"CALLTAPE_SENSITIVE_FIELDS": "badge,ba*dge"})
    assert "ba*dge" in ended.stderr
    assert ended.tape.calls()[0]["args"] == '{"badge":"***","password":"***"}'


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


@pytest.mark.parametrize("names", [["ba*dge"], [3], 3, {"badge": 1, "pin,x": 2}])
def test_a_bad_name_of_a_sensitive_field_is_an_error_of_start(names: object) -> None:
    with pytest.raises(ValueError, match="start: sensitive_fields "):
        calltape.start(sensitive_fields=names)  # type: ignore[arg-type]
