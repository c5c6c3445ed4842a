"""Secrets that are known by their shape, in text of every kind."""

import base64
import json
import pathlib
import random
import re

from calltape import SmartSerializer, monitor
from canaries import keep, place, place_only_named


@place
def a_password_in_a_url(secret: str) -> None:
    keep(f"postgresql://ann:{secret}@db.example.org:5432/shop", f"redis://:{secret}@cache/0")


@place
def a_token_in_a_url(secret: str) -> None:
    keep(f"https://{secret}@example.org/", f"https://example.org/x?page=2&access_token={secret}&sort=up")


@place
def headers_as_text(secret: str) -> None:
    keep(f"GET / HTTP/1.1\r\nAuthorization: Bearer {secret}\r\nCookie: a={secret}; b={secret}\r\nHost: x\r\n\r\n")


@place
def a_bearer(secret: str) -> None:
    keep(f"Bearer {secret}", f"sent Bearer {secret} to the host")


@place
def basic_credentials(secret: str) -> None:
    # What the canary spells in Base64 is found as it stands.
    coded = base64.b64encode(f"ann:{secret}".encode()).decode()
    keep(f"Basic {coded}", f"Basic {base64.b64encode(b'ann:').decode()}{secret}")


@place
def a_web_token(secret: str) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    keep(f"{header}.eyJ{secret}.{secret}", {"x": f"got {header}.eyJ{secret}.{secret}!"})


@place
def a_private_key(secret: str) -> None:
    kind = "PRIVATE KEY"
    keep(f"-----BEGIN {kind}-----\n{secret}\n{secret}\n-----END {kind}-----", f"-----BEGIN RSA {kind}-----\n{secret}")


@place
def a_key_of_aws(secret: str) -> None:
    keep("AKIA" + secret[:16].upper(), f"aws_secret_access_key = {secret[16:56]}")


@place
def a_token_of_github(secret: str) -> None:
    keep("ghp_" + secret[:36], f"https://x-access-token:ghp_{secret[:36]}@github.com/o/r.git", "github_pat_" + secret)


@place
def a_token_of_slack(secret: str) -> None:
    keep(f"xoxb-{secret[:50]}", f"https://hooks.slack.com/services/T00/B00/{secret}")


@place
def a_key_of_stripe(secret: str) -> None:
    keep("sk_" + "live_" + secret[:24], "the key rk_" + "test_" + secret[:24] + " leaked")


@place
def keys_of_others(secret: str) -> None:
    keep(
        "glpat-" + secret[:20],
        "AIza" + secret[:35],
        "npm_" + secret[:36],
        "pypi-AgEI" + secret,
        "sk-" + secret[:48],
        "sk-ant-api03-" + secret,
        "hf_" + secret[:34],
        "SG." + secret[:22] + "." + secret[22:64],
        "ya29." + secret,
    )


def card(start: str, seed: str) -> str:
    """A number that is right by Luhn."""
    chance = random.Random(seed)
    digits = start + "".join(str(chance.randrange(10)) for _ in range(15 - len(start)))
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(digits)]
    return digits + str(-sum(d // 10 + d % 10 for d in doubled) % 10)


CARDS = {start: card(start, start) for start in ("4", "52", "6011")}


@place
def card_numbers(secret: str) -> None:
    visa, master, discover = CARDS.values()
    spaced = " ".join(discover[at : at + 4] for at in range(0, 16, 4))
    keep(
        visa, f"paid with {visa[:4]}-{visa[4:8]}-{visa[8:12]}-{visa[12:]}", spaced, {"number": int(master)}, [int(visa)]
    )


@place
def assignments_in_text(secret: str) -> None:
    keep(
        f"password={secret}",
        f"login --password {secret} --user ann",
        f"token: {secret}",
        f"connect(password='{secret}')",
    )


@place
def a_document_as_text(secret: str) -> None:
    document = json.dumps({"user": "ann", "password": secret, "more": [{"apiKey": secret}]})
    keep(document, json.dumps(document), repr({"token": secret}))


@place
def lines_below_a_name(secret: str) -> None:
    keep(f"password: |\n  {secret}\nport: 5", f"api_keys:\n  - {secret}\n  - {secret}\nport: 5")


@place
def elements_of_markup(secret: str) -> None:
    keep(f"<db:Password type='x'>{secret}</db:Password>", f'<add key="ApiKey" value="{secret}"/>')


@place
def values_beside_their_names(secret: str) -> None:
    document = json.dumps({"name": "DB_PASSWORD", "value": secret})
    keep(document, json.dumps(document), f'form-data; name="password"\r\n\r\n{secret}\r\n--x--')


@place
def a_connection_string(secret: str) -> None:
    keep(f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={secret}==;EndpointSuffix=core.windows.net")


@place
def bytes_of_all_kinds(secret: str) -> None:
    text = f"token={secret}".encode()
    keep(text, bytearray(text), {"body": text}, memoryview(text))


@place
def wide_text(secret: str) -> None:
    keep(f"пароль и password={secret}", f"\U0001f600 https://ann:{secret}@example.org/", f"\ud800 token={secret}")


@place
def keys_of_dicts(secret: str) -> None:
    keep({f"https://ann:{secret}@example.org/": 1, f"token={secret}": 2, f"Bearer {secret}".encode(): 3})


@place
def items_of_sets(secret: str) -> None:
    keep({f"token={secret}"}, frozenset([f"https://ann:{secret}@example.org/"]))


@place
def paths(secret: str) -> None:
    keep(pathlib.PurePosixPath(f"/srv/token={secret}"), pathlib.Path("/srv/ghp_" + secret[:36] + "/x"))


@place
def patterns(secret: str) -> None:
    keep(re.compile(f"password={secret}"))


@place
def text_where_the_cut_falls_within(secret: str) -> None:
    for before in range(900, 1010, 3):
        keep("x" * before + f" https://ann:{secret}@example.org/" + "y" * 500)
        keep("x" * before + f" password={secret} " + "y" * 500)
        keep("x" * before + " ghp_" + secret[:36] + " " + "y" * 500)


@place
def bytes_where_the_cut_falls_within(secret: str) -> None:
    for before in range(900, 1010, 7):
        keep(b"x" * before + f" token={secret} ".encode() + b"y" * 500)


@place
def small_budgets(secret: str) -> None:
    for limit in range(20, 200, 3):
        monitor(max_repr=limit)(lambda value: None)(f"GET https://ann:{secret}@example.org/x and token={secret}")
        monitor(max_repr=limit)(lambda value: None)(
            {"a": [f"token={secret}"], "password": secret, "b": ("token", secret)}
        )
        monitor(capture={"max_call_bytes": limit})(lambda a, b, password: None)("x" * 50, f"Bearer {secret}", secret)


@place_only_named
def what_is_too_deep(secret: str) -> None:
    value: object = {"password": secret, "text": f"token={secret}"}
    for _ in range(20):
        value = [value]
    keep(value)


@place_only_named
def what_the_serializer_says(secret: str) -> None:
    print(SmartSerializer().serialize({"password": secret, "text": f"token={secret}"}))
