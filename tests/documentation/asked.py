"""Asks the tape of the working directory the SQL on the standard input; fails where nothing is found. A program of its
own, since the tape is not to be opened with a second SQLite where calls are recorded.
"""

import sqlite3
import sys
from contextlib import closing

with closing(sqlite3.connect("file:.calltape/calls.db?mode=ro", uri=True)) as tape:
    for statement in filter(str.strip, sys.stdin.read().split(";")):
        rows = tape.execute(statement).fetchall()
        assert rows, f"nothing found: {statement}"
        print(rows)
