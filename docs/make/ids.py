"""Prints the calls that the pictures show, by name. A program of its own: it asks the tape by Python's own SQLite."""

import os
import sqlite3
from contextlib import closing

with closing(sqlite3.connect(f"file:{os.environ['CALLTAPE_DB']}?mode=ro", uri=True)) as tape:
    ((error,),) = tape.execute(
        "SELECT max(id) FROM calls WHERE function = 'shop.place' AND error_type LIKE '%DeclinedError'"
    )
print(f"ERROR={error}")
