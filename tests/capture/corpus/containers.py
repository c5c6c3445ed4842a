"""Lists, dicts and the other containers of the language and of `collections`."""

import array
import collections
import types
import typing

Point = collections.namedtuple("Point", "x y")


class Vector(typing.NamedTuple):
    x: float
    y: float = 0.0
    label: str = ""


class Movie(typing.TypedDict, total=False):
    title: str
    year: int


class Stack(list):
    def __iter__(self):
        raise SystemExit("the program's code ran")

    __len__ = __getitem__ = __repr__ = __iter__


class Registry(dict):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.owner = "ann"

    def __iter__(self):
        raise SystemExit("the program's code ran")

    __len__ = __getitem__ = __repr__ = items = keys = values = __iter__


def made(start: object, *changes: object) -> object:
    """The first argument, after the others were computed (as calls of its methods)."""
    return start


SHARED = [1, 2]
ORDER = {"id": 17, "customer": "ann", "items": [{"sku": "A-1", "quantity": 2}], "total": 19.9, "paid": False}

VALUES = """
[]
[1, 2, 3]
[1, [2, 'x'], (3,)]
[None, True, 1.5, 'a', b'b']
[[[[[[1]]]]]]
[[[[[[['deep']]]]]]]
[SHARED, SHARED, SHARED]
list(range(64))
()
(1,)
(1, (2, (3,)))
Stack([1, 2])
{}
{'a': 1}
ORDER
{'a': {'b': {'c': {'d': {'e': {'f': 1}}}}}}
{'a': {'b': {'c': {'d': {'e': {'f': {'g': 1}}}}}}}
{1: 'int', 2.5: 'float', None: 'none', True: 'bool'}
{(1, 2): 'tuple', b'k': 'bytes', frozenset({1}): 'frozenset'}
{1: 'a', '1': 'b'}
{float('nan'): 1, float('nan'): 2}
{'': 'empty', 'with space': 1, 'quo"te': 2, '\\n': 3}
{'k' * 300: 1}
Registry({'a': 1})
dict.fromkeys('abc')
Movie(title='Stalker', year=1979)
{1, 2, 3}
set()
frozenset()
frozenset({'x'})
{frozenset({1, 2})}
{(1, 2)}
range(10)
range(2, 10, 3)
range(10**30)
slice(1, 10, 2)
slice(None)
Point(1, 2)
Vector(1.5)
[Point(0, 0), Point(3, 4)]
Point([1, 2], {'k': Point(5, 6)})
collections.deque([1, 2, 3])
collections.deque([1, 2, 3, 4], maxlen=2)
collections.deque()
collections.OrderedDict(a=1, b=2)
made(od := collections.OrderedDict(a=1, b=2, c=3), od.move_to_end('a'), od.pop('b'))
collections.Counter('abca')
collections.defaultdict(list, {'a': [1]})
collections.defaultdict(lambda: 0)
collections.ChainMap({'a': 1}, {'a': 0, 'b': 2})
collections.UserDict(a=1)
collections.UserList([1, 2])
collections.UserString('text')
types.MappingProxyType({'a': 1})
types.MappingProxyType(collections.OrderedDict(a=1))
types.SimpleNamespace(a=1, b=[2])
types.SimpleNamespace()
{'a': 1, 'b': 2}.keys()
{'a': 1, 'b': 2}.values()
{'a': 1, 'b': 2}.items()
collections.OrderedDict(a=1).keys()
array.array('i', [1, -2, 3])
array.array('d', [0.5, float('inf')])
array.array('u', 'text')  # before 3.13
array.array('w', 'text')  # from 3.13
array.array('b')
array.array('L', range(1000))
iter([1, 2])
reversed([1, 2])
iter({'a': 1})
zip([1], [2])
map(str, [1])
filter(None, [1])
enumerate('ab')
collections.deque([[1], {'a': (2,)}])
{'rows': [(1, 'a'), (2, 'b')], 'page': {'next': None, 'size': 2}}
"""
