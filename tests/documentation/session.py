"""A reader at a terminal: one shell for a page, in which its commands run in order. Used by the tests of the pages.

The shell and whatever it starts are one process group, which is ended by its id when the session is over. Nothing of
the environment's settings of calltape goes in.
"""

import os
import random
import re
import selectors
import shutil
import signal
import socket
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from conftest import REPOSITORY

# Seconds for one command, and for a server to listen; far above what they take on a busy machine.
PATIENCE = 90

# The home that the pages show. The real one is as long, so that what is arranged by width comes out the same.
HOME = "/home/ann"

# Reads commands that end in a zero byte, so that one may have several lines; says each one's exit code after it.
_SHELL = r"""
exec 2>&1 </dev/null
while IFS= read -r -d '' command <&3; do eval "$command"; printf '\n\036%d\036\n' "$?"; done
"""


class Session:
    """A shell that waits for commands."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], commands: int) -> None:
        self.folder = folder
        self._process = process
        self._commands = commands
        self._port: tuple[str, str] | None = None

    def run(self, command: str) -> tuple[int, str]:
        """Runs a command to its end, or to where a server listens that it starts with `&`: exit code and output."""
        command = self._with_a_free_port(command)
        os.write(self._commands, command.encode() + b"\0")
        code, printed = self._read(command)
        if command.endswith("&") and (address := re.search(r"127\.0\.0\.1:(\d+)|--port (\d+)", command)):
            self._wait_for(int(address[1] or address[2]), command)
        return code, self._as_the_page_has_it(printed)

    def _read(self, command: str) -> tuple[int, str]:
        assert self._process.stdout is not None
        printed = b""
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not (ended := re.search(rb"\n\036(\d+)\036\n$", printed)):
                assert selector.select(deadline - time.monotonic()), (
                    f"{command}: no end after {PATIENCE} s: {printed!r}"
                )
                piece = os.read(self._process.stdout.fileno(), 65536)
                assert piece, f"{command}: the shell is gone: {printed!r}"
                printed += piece
        return int(ended[1]), printed[: ended.start()].decode()

    def _with_a_free_port(self, command: str) -> str:
        """The page's port is 8000, which something else may have."""
        if self._port is None and "8000" in command:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self._port = ("8000", str(probe.getsockname()[1]))
        return command if self._port is None else command.replace(*self._port)

    def _as_the_page_has_it(self, printed: str) -> str:
        """The page's folder is one of somebody's home, and so is the environment."""
        printed = printed.replace(str(self.folder.parent), HOME).replace(sys.prefix, f"{HOME}/shop/.venv")
        return printed if self._port is None else printed.replace(self._port[1], self._port[0])

    def _wait_for(self, port: int, command: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert time.monotonic() < deadline, f"{command}: nothing listens on port {port}"
            time.sleep(0.05)


def new_home() -> Path:
    """An empty folder whose path is as long as HOME."""
    while True:
        home = Path("/tmp", "".join(random.choices(string.ascii_lowercase, k=len(HOME) - len("/tmp/"))))
        with suppress(FileExistsError):
            home.mkdir(mode=0o700)
            return home


def wheels() -> Path:
    """The folder of the wheel that is installed here, as `make build` or `make build-quick` left it."""
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    built = sorted((REPOSITORY / ".make" / "wheels").glob(f"*/*-{tag}-*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    assert built, "no wheel: make build-quick makes one"
    return built[-1].parent


@contextmanager
def opened() -> Iterator[Session]:
    """A shell in the folder `shop` of a new home, the wheel beside it; when the block ends, so does all it started."""
    home = new_home()
    folder = home / "shop"
    folder.mkdir()
    (home / "calltape").mkdir()
    (home / "calltape" / "dist").symlink_to(wheels())
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("CALLTAPE_", "PYTHON", "VIRTUAL_ENV"))
    }
    own = {
        "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', '')}",
        "HOME": str(home),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    read, write = os.pipe()
    process = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-c", f"exec 3<&{read}; {_SHELL}"],
        cwd=folder,
        env=kept | own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        pass_fds=[read],
        start_new_session=True,
    )
    os.close(read)
    try:
        yield Session(folder, process, write)
    finally:
        os.close(write)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        shutil.rmtree(home)
