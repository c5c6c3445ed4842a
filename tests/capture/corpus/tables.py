"""polars, pyarrow and Pillow."""

import PIL.Image
import polars
import pyarrow

FRAME = polars.DataFrame({"id": [1, 2, 3], "name": ["a", "b", "c"]})
TABLE = pyarrow.table({"id": [1, 2, 3], "name": ["a", "b", "c"]})

VALUES = """
FRAME
polars.DataFrame()
FRAME['id']
polars.Series('price', [0.5, None])
FRAME.lazy()
polars.col('id') + 1
polars.Int64
TABLE
TABLE['id']
TABLE.schema
TABLE.to_batches()[0]
pyarrow.array([1, None])
pyarrow.array(['a'])
pyarrow.scalar(5)
pyarrow.int64()
pyarrow.py_buffer(b'bytes')
PIL.Image.new('RGB', (640, 480))
PIL.Image.new('L', (1, 1))
PIL.Image.new('RGBA', (16, 16)).resize((8, 8))
{'page': PIL.Image.new('1', (8, 8)), 'rows': TABLE}
"""
