"""Pictures of the terminal: runs the `calltape` command under a pseudo-terminal on the tape of examples/shop.py, and
writes what it prints, colours and all, as SVG into docs/pictures.

`make pictures` calls it; needs rich, which docs/requirements.txt has. The pictures belong to the site and are not
committed, so none can be older than the command that is built. Loads nothing from other hosts, and neither do they.
"""

from __future__ import annotations

import argparse
import io
import os
import pty
import random
import shlex
import shutil
import string
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

# Where the pictures' program says it stands. The real folder's path is as long, so that widths come out the same.
PLACE = "/srv/shop"

# Columns of the terminal; what is narrower reads well in a page's width.
COLUMNS = 104

# rich's own template names a font of another host; this one names what the reader's machine has.
TEMPLATE = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
    font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

THEME = TerminalTheme(
    (24, 28, 34),
    (214, 220, 228),
    [
        (24, 28, 34),
        (240, 98, 98),
        (110, 200, 120),
        (226, 184, 84),
        (100, 160, 240),
        (190, 130, 230),
        (90, 200, 200),
        (214, 220, 228),
    ],
    [
        (110, 118, 130),
        (255, 130, 130),
        (140, 225, 150),
        (245, 210, 120),
        (140, 190, 255),
        (215, 165, 250),
        (130, 225, 225),
        (255, 255, 255),
    ],
)

# What each picture is of. ERROR stands for the last order whose payment was declined.
PICTURES = {
    "top": ["top"],
    "errors": ["errors"],
    "show": ["show", "ERROR"],
    "slow": ["slow", "place", "--limit", "5"],
    "find": ["find", "pay", "--status", "error", "--where", "args.amount > 80", "--limit", "6"],
}


def run(command: list[str], environment: dict[str, str]) -> str:
    """What a command prints on a terminal of COLUMNS columns."""
    main, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(command, env=environment, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    printed = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # the last one that had the terminal open has closed it
            break
        if not piece:
            break
        printed += piece
    os.close(main)
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{printed.decode()}")
    return printed.decode().replace("\r\n", "\n")


def svg(command: list[str], printed: str) -> str:
    """The picture of a command and what it printed."""
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ {shlex.join(command)}", style="bold"))
    console.print(Text.from_ansi(printed.rstrip("\n")), soft_wrap=False)
    return console.export_svg(title="calltape", theme=THEME, code_format=TEMPLATE, unique_id=f"calltape-{command[1]}")


def new_place() -> Path:
    """An empty folder whose path is as long as PLACE."""
    while True:
        place = Path("/tmp", "".join(random.choices(string.ascii_lowercase, k=len(PLACE) - len("/tmp/"))))
        with suppress(FileExistsError):
            place.mkdir(mode=0o700)
            return place


def main() -> None:
    """Records the tape, runs the commands, writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="an interpreter that has calltape")
    parser.add_argument("--to", type=Path, required=True, help="the folder for the pictures")
    parser.add_argument("--tape", type=Path, required=True, help="the database of the tape that is recorded")
    given = parser.parse_args()
    python = str(Path(given.python).absolute())
    here = Path(__file__).parent
    place = new_place()
    program = place / "shop.py"
    shutil.copy(here.parent.parent / "examples" / "shop.py", program)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CALLTAPE_")}
    environment |= {"CALLTAPE_DB": str(given.tape.absolute()), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    subprocess.run([python, str(program)], env=environment, check=True)
    ids = subprocess.run([python, str(here / "ids.py")], env=environment, check=True, capture_output=True, text=True)
    named = dict(line.split("=") for line in ids.stdout.split())
    given.to.mkdir(parents=True, exist_ok=True)
    for name, arguments in PICTURES.items():
        arguments = [named.get(argument, argument) for argument in arguments]
        printed = run([python, "-m", "calltape", *arguments], environment).replace(str(place), PLACE)
        (given.to / f"{name}.svg").write_text(svg(["calltape", *arguments], printed), encoding="utf-8")
        print(given.to / f"{name}.svg")
    shutil.rmtree(place)


if __name__ == "__main__":
    sys.exit(main())
