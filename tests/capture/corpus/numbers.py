"""Numbers, and the constants that are no number."""

import decimal
import enum
import fractions


class Count(int):
    """An int with a repr and attributes of its own: neither is asked."""

    def __repr__(self) -> str:
        raise SystemExit("the program's code ran")

    __str__ = __index__ = __repr__


class Share(float):
    def __repr__(self) -> str:
        raise SystemExit("the program's code ran")


class Level(enum.IntEnum):
    HIGH = 3


VALUES = """
None
True
False
...
NotImplemented
0
-1
255
-129
2**31
2**53 + 1
2**63 - 1
-(2**63)
2**64
-(10**40)
1 << 100_000
-(1 << 4_000_000)
Count(7)
Level.HIGH
0.0
-0.0
0.1
1e22
1.5e-300
123456789.125
5e-324
1.7976931348623157e308
float('nan')
float('inf')
float('-inf')
Share(0.25)
1+2j
-0j
complex(float('nan'), float('inf'))
decimal.Decimal('1.10')
decimal.Decimal('-0E+3')
decimal.Decimal('NaN')
decimal.Decimal('-Infinity')
decimal.Decimal(1).scaleb(5000)
decimal.Decimal((0, (7,) * 3000, -1500))
fractions.Fraction(1, 3)
fractions.Fraction(-6, 4)
fractions.Fraction(10**40, 7)
"""
