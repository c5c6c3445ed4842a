"""Click commands with monitored callbacks: options, help and exit codes are as without, and the tape has the calls."""

import json

import pytest
from conftest import RunProgram
from trees import tree

PROGRAM = """
import click
from calltape import monitor

@click.group()
@click.option("--loud/--quiet", default=False, help="Say it louder.")
@click.pass_context
@monitor
def cli(context, loud):
    \"\"\"Greets people.\"\"\"
    context.obj = {"loud": loud}

@cli.command()
@click.argument("name")
@click.option("--count", type=int, default=1, show_default=True, help="How often.")
@click.pass_obj
@monitor
def greet(settings, name, count):
    \"\"\"Greets NAME.\"\"\"
    for _ in range(count):
        click.echo(worded(name, loud=settings["loud"]))

# The parameters that an option notes on a function are noted on the monitored one.
@cli.command("farewell")
@monitor
@click.option("--to", "name", required=True)
def farewell(name):
    \"\"\"Says goodbye.\"\"\"
    click.echo(f"Goodbye {name}")

@monitor
def worded(name, *, loud):
    if name == "nobody":
        raise click.BadParameter("there is nobody", param_hint="NAME")
    if name == "crash":
        raise ValueError(name)
    return f"HELLO {name.upper()}" if loud else f"Hello {name}"

@cli.command()
@click.pass_context
@monitor
def leave(context):
    context.exit(3)

cli(prog_name="greeter")
"""

LINES = (
    ["greet", "Ada"],
    ["--loud", "greet", "Ada", "--count", "2"],
    ["farewell", "--to", "Ada"],
    ["farewell"],
    ["greet", "Ada", "--count", "many"],
    ["greet", "nobody"],
    ["leave"],
    ["--help"],
    ["greet", "--help"],
    ["farewell", "--help"],
)


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_a_command_prints_and_ends_as_without(run_program: RunProgram, line: list[str]) -> None:
    monitored = run_program(PROGRAM, *line, check=False)
    bare = run_program(PROGRAM, *line, check=False, env={"CALLTAPE_DISABLED": "1"})
    assert (monitored.returncode, monitored.stdout, monitored.stderr) == (bare.returncode, bare.stdout, bare.stderr)


def test_group_and_command_are_on_the_tape_with_their_options(run_program: RunProgram) -> None:
    done = run_program(PROGRAM, "--loud", "greet", "Ada", "--count", "2")
    assert done.stdout == "HELLO ADA\nHELLO ADA\n"
    # Click calls the group's function first, then the command's: neither calls the other.
    assert tree(done.tape) == "cli\ngreet\n  worded\n  worded\n"
    [greet] = done.tape.calls("greet")
    assert json.loads(greet["args"]) == {"settings": {"loud": True}, "name": "Ada", "count": 2}


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        (["greet", "nobody"], 2, "click.exceptions.BadParameter"),
        (["greet", "crash"], 1, "ValueError"),
        (["leave"], 3, "click.exceptions.Exit"),
    ],
)
def test_how_a_command_failed_is_on_the_tape(run_program: RunProgram, line: list[str], code: int, error: str) -> None:
    done = run_program(PROGRAM, *line, check=False)
    assert done.returncode == code
    [call] = done.tape.calls(line[0])
    assert (call["status"], call["error_type"]) == ("error", error)
