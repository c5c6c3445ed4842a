"""numpy, pandas and scipy: what they are and how large, never their contents."""

import numpy
import pandas
import scipy.sparse


class Grid(numpy.ndarray):
    @property
    def shape(self) -> object:
        raise SystemExit("the program's code ran")

    def __repr__(self) -> str:
        raise SystemExit("the program's code ran")


FRAME = pandas.DataFrame({"id": range(1000), "name": ["x"] * 1000})

VALUES = """
numpy.zeros((100, 100))
numpy.arange(5)
numpy.zeros((2, 3, 4), dtype='float32')
numpy.array([1, 2], dtype='>i4')
numpy.zeros(0)
numpy.array(7)
numpy.array(['a', 'bcd'])
numpy.array([object()])
numpy.zeros(3, dtype=[('x', 'i4'), ('y', 'f8')])
numpy.zeros(3, dtype='datetime64[s]')
numpy.zeros(3, dtype=bool)
numpy.zeros((2, 2), dtype=complex)
numpy.zeros((2, 2)).view(Grid)
numpy.ma.masked_array([1, 2], [0, 1])
numpy.asmatrix('1 2')
numpy.zeros((10**6, 10), dtype='int8')
numpy.broadcast_to(numpy.float64(0), (10**9, 10**6))
numpy.int64(-5)
numpy.uint8(255)
numpy.float64(0.5)
numpy.float32(0.1)
numpy.float16(2.5)
numpy.float64('nan')
numpy.bool_(True)
numpy.str_('text')
numpy.bytes_(b'raw')
numpy.complex128(1+2j)
numpy.datetime64('2026-01-02')
numpy.datetime64('2026-01-02T03:04:05.678')
numpy.datetime64('NaT')
numpy.timedelta64(5, 's')
numpy.dtype('float32')
numpy.void(b'ab')
numpy.random.default_rng(7)
numpy.add
{'weights': numpy.ones(3), 'score': numpy.float64(1)}
[numpy.int64(1), numpy.int64(2)]
FRAME
pandas.DataFrame()
FRAME[['id']]
FRAME['id']
FRAME['name']
pandas.Series([0.5, 1.5], name='price')
pandas.Series(['a', 'b'], dtype='category')
pandas.Series([1, None], dtype='Int64')
pandas.Series([], dtype=float)
FRAME.index
pandas.Index(['a', 'b'])
pandas.MultiIndex.from_tuples([('a', 1), ('b', 2)])
pandas.date_range('2026-01-02', periods=3)
pandas.Categorical(['a', 'b', 'a'])
pandas.array([1, 2])
pandas.Timestamp('2026-01-02T03:04:05')
pandas.Timestamp('2026-01-02', tz='Europe/Paris')
pandas.Timedelta(days=1, seconds=2)
pandas.NaT
pandas.NA
pandas.Period('2026-01', 'M')
pandas.Interval(0, 5)
FRAME.groupby('name')
scipy.sparse.csr_matrix((100, 100))
scipy.sparse.csr_matrix([[1, 0], [0, 2]])
scipy.sparse.coo_array([[1.5, 0], [0, 0]])
scipy.sparse.lil_matrix((3, 4))
scipy.sparse.dok_matrix((3, 4))
"""
