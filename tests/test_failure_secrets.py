"""Secrets are masked in all that an error says, also where it is cut: messages, notes, names, variables."""

import sqlite3
from contextlib import closing

from conftest import RunProgram

SECRET = "hunter2sesame"

PROGRAM = """
import os, sys
from calltape import monitor
S = sys.stdin.read() if not sys.argv[1:] else "".join(reversed(sys.argv[1]))
url = f"postgres://shop:{S}@db/shop"
token = "gh" + "p_" + S + "0123456789abcdefghijklmnopqrstuv"
key = "-----BEGIN RSA PRIVATE KEY-----\\n" + (S + "A" * 51 + "\\n") * 20 + "-----END RSA PRIVATE KEY-----"

def noted():
    error = ValueError("noted"); error.add_note(f"connected to {url}"); error.add_note("n" * 480 + " " + url)
    return error
def group(): return ExceptionGroup(f"group of {url}", [ValueError(url), KeyError(url)])
def caused():
    error = RuntimeError("outer"); error.__cause__ = ValueError(f"password={S}"); return error
def system(): return FileNotFoundError(2, "No such file", f"/srv/?api_key={S}", None, f"/srv/?token={S}")
def named(): return type(url, (Exception,), {})("named")
def coded():
    space = {}
    exec(compile("def fail(): raise ValueError", "/srv/" + url, "exec"), space)
    try: space["fail"]()
    except ValueError as error: return error
cases = {
    "plain": lambda: ValueError(f"cannot reach {url}"),
    "cut": lambda: ValueError("x" * 985 + " " + url),
    "cut token": lambda: ValueError("x" * 990 + " " + token),
    "cut key": lambda: ValueError("x" * 900 + " " + key),
    "key": lambda: KeyError(url),
    "several": lambda: ValueError("no", url, token),
    "pair": lambda: ValueError("password", S),
    "label": lambda: ValueError("api_key=", S, 3),
    "bytes": lambda: ValueError(url.encode(), 3),
    "header": lambda: ValueError(f"Authorization: Bearer {S}"),
    "system": system, "noted": noted, "group": group, "caused": caused, "coded": coded,
    "syntax": lambda: SyntaxError(f"password={S}", ("x.py", 1, 1, f"password = '{S}'")),
    "decode": lambda: UnicodeDecodeError("utf-8", url.encode(), 1, 2, f"password={S}"),
}
@monitor(capture={"args": {"error": False}, "locals": True})
def fail(error, case):
    password = S; connection = url; settings = {"api_key": S, "url": url}; pair = ("token", S)
    raise error
for case, make in cases.items():
    try: fail(make(), case)
    except BaseException: pass
@monitor(name="fail", capture={"args": {"error": False}})
def fail(error, case): raise error
try: fail(named(), "named")
except Exception: pass
"""


def test_no_part_of_a_secret_reaches_the_tape(run_program: RunProgram) -> None:
    tape = run_program(PROGRAM, "".join(reversed(SECRET))).tape
    with closing(sqlite3.connect(tape.path)) as database:
        database.execute("VACUUM")
    calls = tape.calls("fail")
    assert len(calls) == 18
    for call in calls:
        text = str(dict(call))
        for part in (SECRET, SECRET[:8], SECRET[-8:]):
            assert part not in text, (call["args"], text)
    for file in tape.path.parent.rglob("*"):
        assert not file.is_file() or SECRET[:8].encode() not in file.read_bytes(), file


def test_the_rest_of_what_an_error_says_is_kept(run_program: RunProgram) -> None:
    calls = run_program(PROGRAM, "".join(reversed(SECRET))).tape.calls("fail")
    messages = {call["args"]: call["error_message"] for call in calls}
    said = {text.split('"')[3]: message for text, message in messages.items()}
    assert said["plain"].startswith("cannot reach postgres://")
    assert said["plain"].endswith("@db/shop")
    assert said["pair"] == "('password', '***')"
    assert said["label"] == "('api_key=', '***', 3)"
    assert said["system"].startswith("[Errno 2] No such file: '/srv/?api_key=")
    assert said["cut"].startswith("xxx")
