"""The `calltape` command in a terminal: colours, lines that fit, progress while it lasts, Ctrl-C. Through a
pseudo-terminal; what the tables say is tested in the Rust crate.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import PROGRAM_TIMEOUT, RunProgram

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

# Long names, long values, an error with a cause, a call in a task: what a narrow terminal has no room for.
RECORDED = """
import asyncio
from calltape import monitor

@monitor(group="the shop's orders")
def place_an_order_with_all_of_its_lines(order, *, customer=None):
    try:
        return {"receipt": f"R-{order['id']:06}", "lines": order["lines"]}
    except KeyError as error:
        raise ValueError(f"no order has these fields: {sorted(order)}, which a customer {customer!r} sent") from error

@monitor()
async def ask_the_warehouse(name):
    await asyncio.sleep(0.001)
    return [name] * 20

for number in range(40):
    lines = [{"sku": "A-1", "n": 2}] * 6
    place_an_order_with_all_of_its_lines({"id": number, "lines": lines}, customer="ann@example.org")
try:
    place_an_order_with_all_of_its_lines({"number": 1, "articles": ["A-1"] * 10}, customer="ann@example.org")
except ValueError:
    pass

async def main():
    await asyncio.create_task(ask_the_warehouse("north" * 30), name="request /warehouses/north/stock?sku=A-1&sku=B-22")

asyncio.run(main())
"""

# Calls that nobody drains: the process ends without an exit, as after SIGKILL.
LEFT_BEHIND = """
import os
from calltape import monitor

@monitor()
def place(order):
    return order

for number in range(60_000):
    place(number)
os._exit(0)
"""


@dataclass
class Session:
    """A command that runs in a terminal, and what it has written there."""

    process: subprocess.Popen[bytes]
    master: int
    written: bytearray = field(default_factory=bytearray)

    def read(self, until: Callable[[str], bool] = lambda _: False) -> str:
        """Reads until what was written satisfies `until`, or the command has ended."""
        deadline = time.monotonic() + PROGRAM_TIMEOUT
        while not until(self.text()):
            assert time.monotonic() < deadline, self.text()
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                try:
                    self.written += os.read(self.master, 65536)
                except OSError:  # Linux: the last program has closed its side
                    break
            elif self.process.poll() is not None:
                break
        return self.text()

    def text(self) -> str:
        return self.written.decode("utf-8", "replace")

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def end(self) -> int:
        """The exit code, once it has ended."""
        self.read()
        return self.process.wait(PROGRAM_TIMEOUT)


Open = Callable[..., Session]


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Open:
    """Runs `python -m calltape` with arguments in a terminal of so many columns."""

    def opened(*arguments: str, columns: int = 80, env: dict[str, str] | None = None) -> Session:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        clean = {key: value for key, value in environment.items() if key not in ("NO_COLOR", "COLUMNS")}
        process = subprocess.Popen(
            [sys.executable, "-m", "calltape", *arguments],
            env=clean | {"TERM": "xterm-256color"} | (env or {}),
            cwd=tmp_path,
            preexec_fn=lambda: os.login_tty(slave),
        )
        os.close(slave)
        return Session(process, master)

    return opened


def lines(session: Session) -> list[str]:
    """What stands on the screen, without colours."""
    return [ESCAPES.sub("", line).rstrip() for line in session.text().replace("\r\n", "\n").split("\n")]


READING = [
    ("top",),
    ("tail",),
    ("find", "--status", "error"),
    ("slow",),
    ("show", "place_an_order_with_all_of_its_lines"),
    ("show", "ask_the_warehouse"),
    ("tree", "place_an_order_with_all_of_its_lines"),
    ("errors",),
    ("stats",),
    ("config",),
]


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_longer_than_the_terminal_is_wide(columns: int, run_program: RunProgram, terminal: Open) -> None:
    tape = run_program(RECORDED).tape
    for command in READING:
        session = terminal(*command, columns=columns)
        assert session.end() == 0, session.text()
        # Where the tape is stands on a line of its own, whole.
        too_long = [line for line in lines(session) if len(line) > columns and line != str(tape.path)]
        assert too_long == [], command
        assert len(lines(session)) > 1, command


def test_a_terminal_gets_colours_unless_no_color_is_set(run_program: RunProgram, terminal: Open) -> None:
    run_program(RECORDED)
    coloured, plain = terminal("errors"), terminal("errors", env={"NO_COLOR": "1"})
    assert (coloured.end(), plain.end()) == (0, 0)
    assert "\x1b[" in coloured.text()
    assert "\x1b" not in plain.text()
    assert lines(coloured) == lines(plain)


def test_recover_shows_how_far_it_is_and_clears_it_away(run_program: RunProgram, terminal: Open) -> None:
    run_program(LEFT_BEHIND, env={"CALLTAPE_DRAIN": "elsewhere"})
    session = terminal("recover", columns=100)
    assert session.end() == 0, session.text()
    assert re.search(r"[\d,]+ calls? stored +█*.* \d+ %", ESCAPES.sub("", session.text())), session.text()
    # What is drawn is erased before the report, which stands alone.
    _, drawn, report = session.text().rstrip().rpartition("\x1b[2K")
    assert drawn
    assert re.fullmatch(r"\s*run [0-9a-f]{16} .* 60,000 calls stored, 60,000 of them now; .*", report), report


def test_prune_shows_how_far_it_is_and_clears_it_away(run_program: RunProgram, terminal: Open) -> None:
    run_program(RECORDED)
    session = terminal("prune", "--older-than", "1ms", "--errors-older-than", "1ms", columns=100)
    assert session.end() == 0, session.text()
    assert re.search(r"\d+ calls? removed, the tape takes .* \d+ %", ESCAPES.sub("", session.text())), session.text()
    assert "removed 42 calls" in session.text().rpartition("\x1b[2K")[2]


def test_what_is_quick_shows_no_progress(run_program: RunProgram, terminal: Open) -> None:
    run_program(RECORDED)
    session = terminal("find", "--status", "error")
    assert session.end() == 0
    assert " ! Va" in session.text()
    assert "\x1b[2K" not in session.text()
    assert "\r" not in session.text().replace("\r\n", "")


def test_ctrl_c_ends_tail_quietly(run_program: RunProgram, terminal: Open) -> None:
    run_program(RECORDED)
    session = terminal("tail", "-f")
    session.read(until=lambda text: "ask_the_warehouse" in text)
    session.press(b"\x03")
    assert session.end() == 0
    assert lines(session)[-1] in ("", "^C"), session.text()
    assert "Traceback" not in session.text()
