"""Secrets in text are masked before the text is cut, so that no cut leaves a part of one."""

import re

import pytest

from calltape import SmartSerializer

SECRETS = {
    "token": "ghp_" + "a1B2c3D4e5F6" * 3,
    "card": "4111 1111 1111 1111",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "password": "correct-horse-battery",
}
TEXTS = {
    "token": "pushed with {} by ann",
    "card": "paid by {} today",
    "jwt": "checked {} at the door",
    "password": "https://ann:{}@example.org/x",
}


def pieces(secret: str) -> set[str]:
    """What must not be seen: any six characters of the secret in a row."""
    return {secret[at : at + 6] for at in range(len(secret) - 5)}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("wrap", ["text", "wide", "bytes", "bytearray", "key", "item", "subclass"])
def test_no_cut_leaves_a_part_of_a_secret(kind: str, wrap: str) -> None:
    class Own(str):
        __slots__ = ()

    secret = SECRETS[kind]
    for before in range(0, 150, 7):
        text = "so it was " * (before // 10) + "." * (before % 10) + " " + TEXTS[kind].format(secret) + " and on" * 300
        values: dict[str, object] = {
            "text": text,
            "wide": "\u00e9\u4e16" + text,
            "bytes": text.encode(),
            "bytearray": bytearray(text.encode()),
            "key": {text: 1},
            "item": ["first", [text]],
            "subclass": Own(text),
        }
        for max_repr in (*range(30, 260, 9), 1000):
            shown = SmartSerializer(max_repr).serialize(values[wrap])
            assert not any(piece in shown for piece in pieces(secret)), shown
            assert len(shown) <= max_repr
            assert re.search(r"(?<!\*)\*{1,2}(?!\*)", shown) is None, "half a mark"


def test_a_secret_in_a_text_that_fits_leaves_the_rest_as_it_is() -> None:
    show = SmartSerializer().serialize
    token = SECRETS["token"]
    assert show(f"a {token} b") == '"a *** b"'
    assert show(f"\u00e9 {token} \u4e16") == '"\u00e9 *** \u4e16"'
    assert show(f"a {token} b".encode()) == "\"b'a *** b'\""
    assert show({f"{token}": 1}) == '{"***":1}'


def test_a_long_text_says_its_real_length_and_a_mark_does_not_change_it() -> None:
    text = f"a {SECRETS['token']} " + "b" * 5000
    shown = SmartSerializer(100).serialize(text)
    assert shown.startswith('"a *** bbb')
    assert shown.endswith(f'... [{len(text)} chars]"')
    assert len(shown) <= 100


@pytest.mark.parametrize(
    "key",
    ["password", "PassWord", "db_password", "Authorization", "X-Api-Key", "mein_gr\u00f6\u00dftes_password", b"token"],
)
def test_a_value_under_a_name_of_a_secret_is_withheld(key: str | bytes) -> None:
    show = SmartSerializer().serialize
    assert "hunter" not in show({key: "hunter2"})
    assert "hunter" not in show([{"deep": {key: ["hunter2"]}}])
    assert "hunter" not in show((key, "hunter2"))
    assert "hunter" not in show([[key, "hunter2"]])
    assert "hunter" not in show({key: "hunter2"}.items())
    assert "hunter" not in show({key: "hunter2"}.values())
    assert "hunter" in show([key, "x", "hunter2"]), "three items are no pair"


def test_a_very_long_key_is_withheld_by_its_end_and_costs_no_more_than_a_short_one() -> None:
    for filler in ("x_", "\u00e9_"):
        shown = SmartSerializer(200).serialize({filler * 200_000 + "password": "hunter2"})
        assert shown.endswith('chars]":"***"}')
        assert len(shown.encode()) <= 200


def test_the_names_of_a_serializer_are_its_own() -> None:
    show = SmartSerializer(sensitive_fields=["badge", "*pin*", "-token"]).serialize
    assert show({"badge": 1, "mypins": 2, "token": 3, "password": 4, "user_badge": 5}) == (
        '{"badge":"***","mypins":"***","token":3,"password":"***","user_badge":"***"}'
    )
    assert SmartSerializer(sensitive_fields=["-*"]).serialize({"password": 1}) == '{"password":1}'
    assert SmartSerializer().serialize({"badge": 1, "author": 2, "max_tokens": 3}) == (
        '{"badge":1,"author":2,"max_tokens":3}'
    )
