"""The ``calltape`` command, also ``python -m calltape``. All of it is native; this hands over the arguments."""

from __future__ import annotations

import sys

from calltape import _native


def main() -> int:
    """Run the command line and return its exit code: 0 found, 1 nothing found, 2 usage or no tape."""
    return _native.cli_main(["calltape", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
