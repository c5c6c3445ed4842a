"""Secrets by name and by shape, and what looks like one and is none. `hidden` marks what no text may hold."""

import collections
import dataclasses
import types

KEY = "-----BEGIN PRIVATE KEY-----\nhiddenMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
Login = collections.namedtuple("Login", "user password")


@dataclasses.dataclass
class Connection:
    host: str
    db_password: str
    max_tokens: int = 5


class Slotted:
    __slots__ = ("apiKey", "name")

    def __init__(self) -> None:
        self.apiKey = "hidden-key"
        self.name = "n"


class Secret:
    """A type by that very name."""

    def __init__(self) -> None:
        self.value = "hidden-value"


VALUES = r"""
{'password': 'hidden-pw', 'user': 'ann'}
{'Password': 'hidden-pw', 'PASSWD': 'hidden-pw', 'user-password': 'hidden-pw', 'dbPassword': 'hidden-pw'}
{'api_key': 'hidden', 'API-Key': 'hidden', 'x-api-key': 'hidden', 'apikey': 'hidden'}
{'token': 'hidden', 'access_token': 'hidden', 'refresh-token': 'hidden', 'csrf_token': 'hidden'}
{'secret': 'hidden', 'client_secret': 'hidden', 'private_key': 'hidden'}
{'authorization': 'hidden', 'cookie': 'hidden', 'Set-Cookie': 'hidden', 'session_id': 'hidden'}
{'credit_card': 'hidden', 'cvv': 'hidden', 'pin': 'hidden', 'ssn': 'hidden'}
{'password': None}
{'password': ''}
{'password': {'nested': 'hidden'}}
{'user': {'login': {'password': 'hidden-pw'}}}
[{'token': 'hidden'}]
{b'password': 'hidden-pw'}
{('password', 1): 'x'}
{'password': ['hidden', 'hidden']}
('password', 'hidden-pw')
['Authorization', 'Bearer hidden-token']
[('token', 'hidden-token'), ('page', '2')]
[(b'authorization', b'Bearer hidden-token')]
('password', 'not a pair', 3)
Connection('db', 'hidden-pw')
Login('ann', 'hidden-pw')
Slotted()
Secret()
types.SimpleNamespace(password='hidden-pw', name='x')
collections.OrderedDict(token='hidden')
collections.UserDict(token='hidden')
collections.ChainMap({'token': 'hidden'})
collections.defaultdict(str, token='hidden')
types.MappingProxyType({'token': 'hidden'})
{'token': 'hidden'}.items()
{'a': 1, 'token': 'hidden'}.values()
{'author': 'a', 'authority': 'b', 'tokenize': 'c', 'tokenizer': 'd', 'max_tokens': 5, 'passage': 'e'}
{'keyboard': 'a', 'cardinal': 'b', 'secretary': 'c', 'compass': 'd', 'pinned': 'e', 'cookies_accepted': True}
{'key': 'plain', 'monkey': 'a', 'keys': [1], 'primary_key': 7, 'sort_key': 'name'}
'postgresql://ann:hidden-pw@db.example.org:5432/shop'
'see https://user:hidden-pw@example.org/a and http://example.org/b'
'redis://:hidden-pw@cache:6379/0'
'https://example.org/?page=2&token=hidden-token&sort=up'
'https://example.org/user:name@part'
'Authorization: Bearer hiddenhiddenhidden'
'Authorization: Basic aGlkZGVuOmhpZGRlbg=='
'Cookie: session=hiddenhidden; theme=dark'
JWT
'token is ' + JWT + ' end'
KEY
'key:\n' + KEY + '\nafter'
'AKIA' + 'IOSFODNN7HIDDEN1'
'ghp_' + 'hidden0123456789hidden0123456789hidd'
'xoxb-' + '123456789012-hiddenhidden'
'sk_live_' + 'hidden0123456789hidden01'
'4111 1111 1111 1111'
'card 4111-1111-1111-1111 accepted'
'4111111111111112'
'1234567890123456'
4111111111111111
'password=hidden-pw'
'login --password hidden-pw --user ann'
'{"password": "hidden-pw", "user": "ann"}'
"{'api_key': 'hidden', 'a': 1}"
b'password=hidden-pw'
b'Authorization: Bearer hiddenhiddenhidden'
bytearray(b'token=hidden-token')
'the password is secret'
'tokens: 5, author: ann'
'passage = 3'
'x' * 900 + ' postgresql://ann:hidden-pw@db/' + 'y' * 200
'x' * 960 + ' password=hidden-pw-that-is-long-enough-to-be-cut'
'x' * 970 + ' ' + JWT
'x' * 10 + ' ' + JWT
{'url': 'https://ann:hidden-pw@example.org/'}
{'https://ann:hidden-pw@example.org/': 1}
ValueError('https://ann:hidden-pw@example.org/')
"""
