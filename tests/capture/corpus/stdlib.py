"""Objects of the standard library that are values: times, identifiers, paths, addresses, patterns."""

import argparse
import ast
import collections.abc
import configparser
import datetime
import email.message
import enum
import functools
import http
import http.cookies
import ipaddress
import pathlib
import re
import string
import types
import typing
import urllib.parse
import urllib.request
import uuid
import xml.etree.ElementTree
import zoneinfo

UTC = datetime.timezone.utc  # noqa: UP017 - both names are one object; this is the one many programs use
PARIS = zoneinfo.ZoneInfo("Europe/Paris")


class Mine(datetime.tzinfo):
    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta:
        raise SystemExit("the program's code ran")


class Color(enum.Enum):
    RED = 1
    DEEP = (1, 2)


class Permission(enum.Flag):
    READ = 1
    WRITE = 2


class Mode(enum.StrEnum):
    FAST = "fast"


class Stamp(datetime.datetime):
    def isoformat(self, *args: object, **named: object) -> str:
        raise SystemExit("the program's code ran")


def message() -> email.message.EmailMessage:
    made = email.message.EmailMessage()
    made["Subject"] = "Hello"
    made.set_content("text")
    return made


def element() -> xml.etree.ElementTree.Element:
    made = xml.etree.ElementTree.Element("a")
    made.text = "b"
    return made


VALUES = r"""
datetime.datetime(2026, 1, 2, 3, 4, 5, 6)
datetime.datetime(2026, 1, 2)
datetime.datetime(2026, 1, 2, tzinfo=UTC)
datetime.datetime(2026, 7, 2, 12, tzinfo=PARIS)
datetime.datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1)
datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=45)))
datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=-3), 'BRT'))
datetime.datetime(2026, 1, 2, tzinfo=Mine())
datetime.datetime.max
Stamp(2026, 1, 2)
datetime.date(2026, 1, 2)
datetime.time(3, 4, 5)
datetime.time(3, 4, tzinfo=UTC)
datetime.time(3, 4, tzinfo=PARIS)
datetime.timedelta(days=1, seconds=2)
datetime.timedelta(microseconds=-1)
datetime.timedelta.max
UTC
PARIS
datetime.timezone(datetime.timedelta(hours=1), 'one')
uuid.UUID(int=5)
uuid.UUID('12345678-1234-5678-1234-567812345678')
pathlib.Path('/srv/data')
pathlib.Path('relative/file.txt')
pathlib.PurePosixPath('a//b/../c')  # before 3.12
pathlib.PurePosixPath('a//b/../c')  # from 3.12
pathlib.PureWindowsPath('C:/Users/ann')  # before 3.12
pathlib.PureWindowsPath('C:/Users/ann')  # from 3.12
pathlib.Path()
re.compile('a+')
re.compile(r'(?P<year>\d{4})-\d\d', re.IGNORECASE)
re.compile(b'\x00+')
re.match('(a)(b)', 'abc')
Color.RED
Color.DEEP
Permission.READ
Permission.READ | Permission.WRITE
Permission(0)
Mode.FAST
Color
http.HTTPStatus.NOT_FOUND
http.HTTPMethod.GET
ipaddress.ip_address('10.0.0.1')
ipaddress.ip_network('10.0.0.0/8')
ipaddress.ip_address('::1')
urllib.parse.urlsplit('https://example.org:8080/a/b?x=1#top')
urllib.parse.urlparse('https://example.org/a;b?x=1')
urllib.request.Request('https://example.org/a?x=1', headers={'Accept': 'text/html'})
argparse.Namespace(verbose=True, path='a')
ast.parse('x = 1', mode='exec').body[0].targets[0]
configparser.ConfigParser()
message()
element()
functools.partial(int, base=2)
functools.partial(sorted, [3, 1], reverse=True)
string.Template('$a')
list[int]
dict[str, int] | None
typing.TypeVar('T')
collections.abc.Mapping
types.GenericAlias(list, (int,))
http.cookies.SimpleCookie('theme=dark')
types.new_class('Made')
"""
