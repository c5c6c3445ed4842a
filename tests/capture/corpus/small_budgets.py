"""The same with a budget of 60 bytes a value."""

from corpus.budgets import Wide

OPTIONS = {"max_repr": 60}

ORDER = {"id": 17, "customer": "ann", "items": [{"sku": "A-1", "quantity": 2}], "total": 19.9, "paid": False}

VALUES = """
None
1 << 200
10 ** 50
0.1
'x' * 57
'x' * 58
'x' * 59
'x' * 100
'\\n' * 100
'\\u4e16' * 100
'\\U0001f600' * 100
'\\ud800' * 100
b'x' * 100
b'\\x00' * 100
list(range(20))
list(range(1000))
[1, 2, 'x' * 100]
['x' * 100, 1, 2]
['x' * 30, 'y' * 30]
[[1] * 30, [2] * 30]
[[[[[[1]]]]]]
{'a': 'x' * 100, 'b': 2}
{'a' * 100: 1}
{'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9}
ORDER
(1, 2, 3)
set(range(100))
Wide(2)
Wide(30)
[Wide(1), Wide(1), Wide(1)]
type('N' * 100, (), {})()
object()
range(10**30)
ValueError('x' * 100)
{'password': 'hidden-pw', 'user': 'a' * 100}
'https://ann:hidden-pw@example.org/' + 'x' * 100
'x' * 40 + ' Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'
"""
