//! Texts that only look as if they held a secret, and must stay what they are.

use calltape_redact::may_hold_secret;

use crate::mask;

const SURVIVORS: &[&str] = &[
    "",
    "alice",
    "author: Jane Austen",
    "tokenizer=wordpiece max_tokens=512",
    "{\"total_tokens\": 42, \"author\": \"x\", \"passage\": \"y\", \"keyboard\": \"qwerty\", \"cardinality\": 3}",
    "primary_key=id, foreign_key=user_id, sort_key=created",
    "monkey: banana, hockey: puck, turkey: gobble",
    "2024-05-06T07:08:09.123456Z",
    "2024-05-06 07:08:09",
    "550e8400-e29b-41d4-a716-446655440000",
    "41111111-1111-4111-8111-111111111111",
    "1714979289123",
    "1714979289123456",
    "1714979289123456789",
    "4111111111111112",
    "0.4111111111111111",
    "4111111111111111.25",
    "order4111111111111111",
    "4111 1111 1111 1112",
    "1234 5678 9012 3456",
    "+49 30 1234 5678 90",
    "10.0.0.1:5432",
    "http://localhost:8080/path?page=2",
    "https://example.com/users/@me",
    "https://medium.com:443/@user/story",
    "https://user@example.com/x",
    "ssh://git@github.com:22/org/repo.git",
    "git@github.com:org/repo.git",
    "mailto:bob@example.com",
    "http://[::1]:8080/x",
    "file:///etc/hosts",
    "C:\\Users\\bob",
    "std::vec::Vec",
    "note(\"token: \" + given)\nraise Failed(\"later\")",
    "print('password:', end='')",
    "auth::Token",
    "a == b, c != d, e := 5",
    "/usr/lib/python3.12/site-packages/requests/api.py",
    "calltape.wrapper.arguments.ParameterLayout",
    "sk-learn-contrib-packages-and-more",
    "sk-SK",
    "npm_config_registry",
    "hf_transfer",
    "key-value-store",
    "pypi-attestations",
    "eyJust a word",
    "eyJ.x",
    "SKU 12345",
    "AKIAIOSFODNN",
    "XAKIAIOSFODNN7EXAMPLE1",
    "ASIAPACIFICREGIONALSALES",
    "Bearer of bad news",
    "the bearer of this letter",
    "Bearer token",
    "Basic understanding of the internals",
    "Basic plan",
    "a Basic understandingOfTheInternals",
    "token bucket algorithm",
    "the token expired",
    "--verbose --output file",
    "well-known -- and loved",
    "-----",
    "| a | b |\n|-----|-----|",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA",
    "password=None, token=null",
    "def f(password: str, token: bytes) -> bool:",
    "password is required",
    "no secret here",
    "password:",
    "password=",
    "{\"password\": \"\"}",
    "missing fields: 'password', 'email'",
    "x = {'key': 'value'}",
    "sorted(rows, key=len)",
    "key=len",
    "статья: автор",
    "Zeile: \u{1f600}",
    "password:\nuser: ann",
    "tokens:\n\nuser: ann",
    "  password:\n  user: ann",
    "if token:\n    print(1)",
    "author: |\n  Jane\npages:\n  - 5",
    "the rest of the secret:\n  is silence",
    "| a: |\n| b: |",
];

#[test]
fn look_alikes_in_text_survive() {
    let changed: Vec<_> = SURVIVORS.iter().map(|text| (*text, mask(text))).filter(|(text, got)| text != got).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn the_prefilter_stops_what_assigns_nothing() {
    let plain = SURVIVORS.iter().filter(|text| !text.contains([':', '=']) && !text.contains("--"));
    let passed: Vec<_> = plain.filter(|text| may_hold_secret(text.as_bytes())).collect();
    let schemes = ["Bearer ", "Basic ", "a Basic ", "token "];
    let others: Vec<_> = passed.iter().filter(|text| !schemes.iter().any(|scheme| text.starts_with(scheme))).collect();
    assert!(others.is_empty(), "{others:?}");
}
