"""`python -m calltape` and the `calltape` command, from the outside: the Rust crate has the tables' own tests."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import RunProgram

Cli = Callable[..., subprocess.CompletedProcess[str]]

RECORDED = """
import calltape
from calltape import monitor

@monitor()
def checked(amount):
    if amount < 0:
        raise ValueError(f"amount is {amount}")
    return amount

@monitor()
def order(amounts):
    return sum(checked(amount) for amount in amounts)

order([1, 2, 3])
for amounts in [4, -5], [-6], [-7]:
    try:
        order(amounts)
    except ValueError:
        pass
assert calltape.flush()
"""


@pytest.mark.parametrize("command", ["top", "tail", "errors", "stats"])
def test_each_command_reads_the_tape_and_prints_plain_text_into_a_pipe(
    command: str, run_program: RunProgram, calltape_cli: Cli
) -> None:
    tape = run_program(RECORDED).tape
    done = calltape_cli("--db", tape.path, command)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "checked" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("command", ["top", "tail", "errors", "stats"])
def test_with_json_each_command_prints_json_lines_or_one_document(
    command: str, run_program: RunProgram, calltape_cli: Cli
) -> None:
    tape = run_program(RECORDED).tape
    done = calltape_cli("--db", tape.path, "--json", command)
    assert done.returncode == 0, done.stderr
    try:
        json.loads(done.stdout)
    except json.JSONDecodeError:
        assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())


def test_show_prints_the_arguments_the_error_and_the_tree_of_a_call(run_program: RunProgram, calltape_cli: Cli) -> None:
    tape = run_program(RECORDED).tape
    failed = next(call for call in tape.calls("order") if call["status"] == "error")
    done = calltape_cli("--db", tape.path, "show", str(failed["id"]))
    assert done.returncode == 0, done.stderr
    assert "ValueError" in done.stdout
    assert "amount is -5" in done.stdout
    assert "[4,-5]" in done.stdout.replace(" ", "")
    assert "checked" in done.stdout
    assert "amounts" in done.stdout


def test_errors_that_are_the_same_are_one_line_with_their_count(run_program: RunProgram, calltape_cli: Cli) -> None:
    tape = run_program(RECORDED).tape
    done = calltape_cli("--db", tape.path, "--json", "errors")
    groups = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(group["function"], group["error_type"], group["count"]) for group in groups} == {
        ("__main__.checked", "ValueError", 3),
        ("__main__.order", "ValueError", 3),
    }
    assert {Path(group["file"]).name for group in groups} == {"program.py"}
    assert {group["place"] for group in groups} == {"checked"}


@pytest.mark.parametrize("content", [None, b"this is no tape\n" * 400])
def test_a_missing_or_foreign_file_gets_one_clear_line_and_exit_code_2(
    content: bytes | None, tmp_path: Path, calltape_cli: Cli
) -> None:
    path = tmp_path / "elsewhere.db"
    if content is not None:
        path.write_bytes(content)
    done = calltape_cli("--db", path, "top")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "elsewhere.db" in done.stderr
    assert path.exists() == (content is not None)


def test_the_installed_command_is_the_same_as_the_module(
    run_program: RunProgram, calltape_cli: Cli, environment: dict[str, str]
) -> None:
    tape = run_program(RECORDED).tape
    command = Path(sys.executable).with_name("calltape")
    installed = subprocess.run(
        [command, "--db", tape.path, "top"], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert installed.stdout == calltape_cli("--db", tape.path, "top").stdout
