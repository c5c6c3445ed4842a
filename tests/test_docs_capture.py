"""The page on capture: its tables of values are what capture makes of them."""

import json

from conftest import REPOSITORY, RunProgram
from documented import values

PAGE = REPOSITORY / "docs" / "capture.md"

MODULES = "collections, datetime, decimal, fractions, json, pathlib, re, threading, uuid"


def test_a_table_of_values_says_what_is_captured(run_program: RunProgram) -> None:
    table = values(PAGE)
    assert len(table) > 20
    shown = ", ".join(f"show({expression})" for expression, _ in table)
    program = f"import {MODULES}, sys, calltape\nshow = calltape.SmartSerializer().serialize\n"
    done = run_program(program + f"json.dump([{shown}], sys.stdout)")
    differing = [(row, got) for row, got in zip(table, json.loads(done.stdout), strict=True) if row[1] != got]
    assert differing == []
