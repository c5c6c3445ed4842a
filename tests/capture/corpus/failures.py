"""Exceptions that are passed around as values, and tracebacks."""

import json
import subprocess
import types
import urllib.error


class ShopError(Exception):
    def __str__(self) -> str:
        raise SystemExit("the program's code ran")

    __repr__ = __str__


class Refused(ShopError):
    def __init__(self, order: int, reason: str) -> None:
        super().__init__(order, reason)
        self.order = order
        self.reason = reason


def raised() -> BaseException:
    try:
        try:
            {}["missing"]
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError as error:
        return error
    raise AssertionError


def traceback() -> types.TracebackType | None:
    return raised().__traceback__


def noted() -> Exception:
    error = ValueError("with a note")
    error.add_note("remember the milk")
    return error


def decode_error() -> BaseException:
    try:
        json.loads("{")
    except json.JSONDecodeError as error:
        return error
    raise AssertionError


VALUES = """
ValueError()
ValueError('bad')
ValueError('bad', 7)
ValueError({'a': 1})
KeyError('k')
KeyError(('a', 1))
StopIteration(5)
SystemExit(2)
KeyboardInterrupt()
AssertionError()
OSError(2, 'No such file', '/srv/x')
FileNotFoundError(2, 'No such file', 'a', None, 'b')
OSError('plain')
UnicodeDecodeError('utf-8', b'ab\\xff', 2, 3, 'invalid start byte')
UnicodeEncodeError('ascii', '\\u00e9', 0, 1, 'ordinal not in range(128)')
SyntaxError('bad', ('file.py', 3, 5, 'x = = 1'))
ImportError('no module', name='torch')
NameError("name 'x' is not defined", name='x')
AttributeError("'A' object has no attribute 'b'")
ExceptionGroup('several', [ValueError('a'), TypeError('b')])
BaseExceptionGroup('all', [KeyboardInterrupt()])
raised()
noted()
decode_error()
ShopError('text')
Refused(7, 'no stock')
ValueError('x' * 5000)
ValueError('token=hidden-token')
subprocess.CalledProcessError(2, ['ls', '-l'])
urllib.error.HTTPError('https://example.org', 404, 'Not Found', {}, None)
Warning('w')
ValueError
traceback()
[ValueError('in a list'), KeyError(1)]
"""
