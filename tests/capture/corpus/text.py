"""Text and bytes."""


class Name(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise SystemExit("the program's code ran")

    __repr__ = __len__ = __iter__ = __hash__ = __str__


class Packet(bytes):
    def __repr__(self) -> str:
        raise SystemExit("the program's code ran")


VALUES = r"""
''
'tea'
'two words'
"it's"
'quote" back\\ slash/'
'line\nreturn\rtab\tnul\0bell\x07del\x7f'
'h\u00e9llo'
'\u4e16\u754c'
'\U0001f600 \U0001f468\u200d\U0001f469'
'e\u0301'
'\u202eright to left'
'\u2028\u2029'
'\ud800'
'\udcffname'
'a\ud83d'
'\ud83d\ude00'
'\ufeffmarked'
'null'
'[list with 3 items]'
'{"json": true}'
'SELECT * FROM orders WHERE id = 7'
'a' * 998
'a' * 999
'a' * 1048576
'\u00e9' * 600
'\U0001f600' * 300
'\n' * 900
'"' * 600
'\0' * 300
('word ' * 300)
Name('ann')
b''
b'tea'
b'ab\x00\xff'
b'it\'s "both"'
b'\n\r\t\\'
'caf\u00e9'.encode()
b'a' * 70000
bytes(range(256))
b'\x00' * 5000
Packet(b'raw')
bytearray(b'grow')
bytearray(b'\x00' * 100_000)
memoryview(b'x' * 100)
memoryview(bytearray(12)).cast('I')
memoryview(b'abcdef')[::2]
"""
