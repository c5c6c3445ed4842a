//! Secrets in hostile text, and names in hostile settings.
//!
//! The risk: a panic on the caller's way, ranges outside the text, a prefilter that hides what is there, or a text cut
//! where half a secret stays. Run with `cargo +nightly fuzz run find -- -max_total_time=60`.

#![no_main]

use std::ops::Range;

use calltape_redact::{Extent, LOOKAHEAD, Names, find, masked, may_hold_secret};
use libfuzzer_sys::fuzz_target;

fn ranges(text: &[u8], extent: Extent, names: &Names) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    find(text, extent, names, &mut found);
    assert!(found.iter().all(|range| range.start < range.end && range.end <= text.len()));
    assert!(found.is_sorted_by(|range, next| range.end < next.start));
    found
}

/// What secrets and their surroundings are made of: a byte of the input from 0x80 on stands for one of these.
const PIECES: &[&str] = &[
    "password",
    "token",
    "Cookie",
    "author",
    "--",
    "-----BEGIN ",
    "-----END ",
    "PRIVATE KEY",
    "==",
    ":=",
    "::",
    "\r\n",
    "\\n",
    "\\\"",
    "\"\"\"",
    "b'",
    "('",
    "', '",
    "')",
    "</",
    "://",
    "http://",
    "a:b@",
    "Bearer ",
    "Basic ",
    "dXNlcjpwYXNz",
    "eyJ",
    "eyJhbGciOiJI",
    "ghp_",
    "sk-",
    "xoxb-",
    "AKIA",
    "hooks.slack.com/services/",
    "4111",
    "4111111111111111",
    "1111 ",
    "0123456789abcdef",
    "Zx9Zx9Zx9Zx9",
    "aaaaaaaaaaaaaaaaaaaa",
    "\u{e9}",
    "None",
    "str",
    " = ",
    ": ",
    "key",
    "api",
    "secret",
];

fn spelled_out(data: &[u8]) -> Vec<u8> {
    let piece = |byte: &u8| byte.checked_sub(0x80).and_then(|number| PIECES.get(usize::from(number)));
    data.iter()
        .flat_map(|byte| piece(byte).map_or(std::slice::from_ref(byte), |piece| piece.as_bytes()))
        .copied()
        .collect()
}

/// The first byte says where the text is cut, how it is spelled and, rarely, that it begins with a setting.
fuzz_target!(|data: &[u8]| {
    let Some((&first, data)) = data.split_first() else { return };
    let spelled = spelled_out(data);
    let text = if first & 1 == 0 { &spelled } else { data };
    let names = Names::defaults();
    let whole = ranges(text, Extent::Whole, names);
    assert!(whole.is_empty() || may_hold_secret(text));
    ranges(text, Extent::Beginning, names);

    let cut = usize::from(first);
    if cut + LOOKAHEAD < text.len() {
        let window = ranges(&text[..cut + LOOKAHEAD], Extent::Beginning, names);
        let hidden = |at: usize| window.iter().any(|range| range.contains(&at));
        assert!(whole.into_iter().flatten().filter(|&at| at < cut).all(hidden));
    }

    if let Ok(text) = std::str::from_utf8(text) {
        masked(text, Extent::Whole, names);
        masked(text, Extent::Beginning, names);
        let (setting, rest) = text.split_once('\n').unwrap_or(("", text));
        // To build a list takes a thousand times as long as to use it.
        if first >= 0xfc
            && let Ok(own) = Names::with(&setting.split(',').collect::<Vec<_>>())
        {
            own.is_sensitive(rest.as_bytes());
            masked(rest, Extent::Whole, &own);
        }
    }
});
