"""`python -m torture.valgrind`: a short run of the extension under valgrind. Exit code 1 when it touched wrong memory.

Called by `make asan`. The interpreter's allocator is switched to malloc, so that valgrind sees each object; errors
count where a frame of the extension is on their stack, so the interpreter's own need no list of suppressions. What is
still held at the end is not looked at: types and interned names live as long as the interpreter.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from .stage import environment

PROGRAM = """
import asyncio, sys, threading
import calltape
from calltape import monitor

@monitor()
def add(a, b=2, *rest, note=None, **more): return [a, b, {"rest": rest, "note": note}]
@monitor()
def fails(n): raise ValueError(f"no {n}")
@monitor()
def items(n): yield from range(n)
@monitor()
async def waits(n):
    await asyncio.sleep(0)
    return n
@monitor(capture={"locals": True})
def deep(n):
    text = "x" * n
    return deep(n - 1) if n else fails(text)

class Thing:
    __slots__ = ("value",)
    @monitor()
    def method(self, other): return other

def work():
    for n in range(60):
        add(n, note="x" * n, more={1, 2.5, None, b"bytes"})
        assert list(items(3)) == [0, 1, 2]
        assert Thing().method([n, (n, {"k": n})]) == [n, (n, {"k": n})]
        for failing in (fails, deep):
            try: failing(n % 7)
            except ValueError: pass
    asyncio.run(waits(1))

calltape.start(sys.argv[1])
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert calltape.flush(120)
assert calltape.stats().dropped == 0
assert calltape.stop(120)
"""


def frames(error: ElementTree.Element) -> list[str]:
    """Each frame of an error's stacks: the function, and the file it is in."""
    return [
        f"{frame.findtext('fn') or '?'} ({Path(frame.findtext('obj') or '?').name})" for frame in error.iter("frame")
    ]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="calltape-valgrind-") as folder:
        report = Path(folder) / "errors.xml"
        options = ["--xml=yes", f"--xml-file={report}", "--num-callers=30"]
        command = ["valgrind", *options, sys.executable, "-c", PROGRAM, str(Path(folder) / "calls.db")]
        env = environment() | {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0", "HOME": os.environ.get("HOME", folder)}
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, check=False)
        found = ElementTree.parse(report).getroot().iter("error")
        errors = [error for error in found if not (error.findtext("kind") or "").startswith("Leak_")]
    ours = [error for error in errors if any("_native" in frame for frame in frames(error))]
    for error in ours:
        print(error.findtext("kind"), *frames(error)[:12], sep="\n    ")
    print(
        f"the program ended with {done.returncode}; {len(errors)} errors, {len(ours)} with the extension on the stack"
    )
    return int(bool(ours) or done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
