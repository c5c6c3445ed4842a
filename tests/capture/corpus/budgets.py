"""What is larger than its budget: cut where it stands, with its real size."""

import collections
import types


class Wide:
    def __init__(self, count: int, value: object = 0) -> None:
        for number in range(count):
            setattr(self, f"a{number:03}", value)


VALUES = """
list(range(65))
list(range(10_000_000))
tuple(range(1000))
dict.fromkeys(range(65))
set(range(65))
frozenset(range(1000))
collections.deque(range(65))
collections.OrderedDict.fromkeys(range(65))
collections.Counter(range(65))
dict.fromkeys(range(65)).keys()
dict.fromkeys(range(65)).items()
types.MappingProxyType(dict.fromkeys(range(65)))
[list(range(65))]
[[0] * 100]
[(0,) * 100]
{'k': [0] * 10_000_000}
{'k': dict.fromkeys(range(100), 0)}
[set(range(100))]
[{'k': [0] * 65}]
[[[[[[[1, 2, 3]]]]]]]
[[[[[[{'a': 1}]]]]]]
[[[[[[types.SimpleNamespace(a=1)]]]]]]
['word' * 5] * 60
['x' * 2000, 1, 2]
[1, 'x' * 2000, 2]
['x' * 300, 'y' * 300, 'z' * 300, 'w' * 300]
{'text': 'x' * 5000, 'after': 1}
{'a' * 2000: 1}
{'first': 'x' * 600, 'second': 'y' * 600, 'third': 3}
[b'x' * 2000, 5]
[['x' * 400] * 3] * 3
[[0] * 60] * 60
[{'name': 'ann', 'id': 7}] * 64
Wide(21)
Wide(1000)
Wide(20, 'x' * 200)
[Wide(3)] * 64
'"' * 2000
'\\u00e9' * 2000
b'\\xff' * 2000
[1 << 70] * 64
[0.1] * 64
[None] * 64
[[]] * 64
[[[]]] * 64
[''] * 64
"""
