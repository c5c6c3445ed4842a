//! What follows a word that announces a secret: `Bearer abc`, `Basic dXNlcjpw`, `token 9f86d081884c7d65`.
//!
//! In prose a word for a secret is followed by anything, so what follows must look made by chance there.

use std::ops::Range;

use crate::Names;
use crate::bytes::{ALNUM, DASH, TOKEN, is_mixed, span, span_back, starts_with_word};
use crate::find::Text;

/// The schemes whose one word of credentials is found at a text's beginning.
const SCHEMES: &[&[u8]] = &[b"bearer ", b"basic ", b"negotiate ", b"apikey ", b"token "];

/// What follows a scheme in prose about schemes.
const NOT_CREDENTIALS: &[&[u8]] = &[
    b"access",
    b"auth",
    b"authentication",
    b"authorization",
    b"credentials",
    b"credential",
    b"expired",
    b"format",
    b"header",
    b"invalid",
    b"missing",
    b"name",
    b"plan",
    b"realm",
    b"required",
    b"scheme",
    b"security",
    b"token",
    b"tokens",
    b"type",
    b"usage",
    b"value",
];

/// Bytes of a word before a run that are looked at.
const LONGEST_WORD: usize = 32;

/// Adds the word behind a scheme that the text begins with, when it is the text's last: a header's value is only this.
pub(super) fn find_at_start(text: Text, found: &mut Vec<Range<usize>>) {
    let Some(scheme) = scheme_at(text.bytes) else { return };
    let start = scheme + text.bytes[scheme..].iter().take_while(|&&byte| byte == b' ').count();
    let length = span(&text.bytes[start..], TOKEN, usize::MAX);
    let word = &text.bytes[start..start + length];
    let is_last = text.bytes[start + length..].trim_ascii().is_empty();
    let is_word =
        NOT_CREDENTIALS.iter().any(|known| known.eq_ignore_ascii_case(word)) && !text.is_cut_at(start + length);
    if is_last && !word.is_empty() && !is_word {
        found.push(start..start + length);
    }
}

/// The length of the scheme that the text begins with.
fn scheme_at(text: &[u8]) -> Option<usize> {
    SCHEMES.iter().find(|scheme| starts_with_word(text, scheme)).map(|scheme| scheme.len())
}

/// Whether the text begins with a scheme.
#[inline]
pub(crate) fn may_start(text: &[u8]) -> bool {
    let Some(&[first, second]) = text.first_chunk() else { return false };
    matches!([first | 0x20, second | 0x20], [b'b', b'e' | b'a'] | [b'n', b'e'] | [b'a', b'p'] | [b't', b'o'])
        && scheme_at(text).is_some()
}

/// Adds a run, up to the first byte that no token has, when the word before it announces a secret.
pub(super) fn find_before_run(text: Text, run: Range<usize>, names: &Names, found: &mut Vec<Range<usize>>) {
    let before = &text.bytes[..run.start];
    let Some(before) = before.strip_suffix(b" ") else { return };
    let word = &before[before.len() - span_back(before, ALNUM | DASH, LONGEST_WORD)..];
    if word.is_empty() {
        return;
    }
    let length = span(&text.bytes[run.clone()], TOKEN, usize::MAX);
    let end = run.start + length;
    let value = &text.bytes[run.start..end];
    let is_secret = if word.eq_ignore_ascii_case(b"basic") {
        text.is_cut_at(end) || is_basic(value)
    } else {
        names.is_sensitive(word) && (is_mixed(value) || text.is_cut_at(end))
    };
    if is_secret && length > 0 {
        found.push(run.start..end);
    }
}

/// Whether the run looks made by chance and stands behind a word.
#[inline]
pub(crate) fn may_announce(text: &[u8], run: &Range<usize>) -> bool {
    let before = &text[..run.start];
    let has_word = before.strip_suffix(b" ").is_some_and(|before| span_back(before, ALNUM | DASH, 1) == 1);
    has_word
        && (is_mixed(&text[run.clone()])
            || before.last_chunk::<6>().is_some_and(|word| word.eq_ignore_ascii_case(b"basic ")))
}

/// Whether this is Base64 of a user and a password.
fn is_basic(value: &[u8]) -> bool {
    let value = value.trim_ascii_end();
    let digits = value.iter().map_while(|&byte| sextet(byte));
    let mut bits = 0_u32;
    let mut has_colon = false;
    for (at, digit) in digits.enumerate() {
        bits = bits << 6 | digit;
        if at % 4 != 0 {
            let byte = (bits >> (6 - 2 * (at % 4))) as u8;
            if byte < b' ' || byte == 0x7f {
                return false;
            }
            has_colon |= byte == b':';
        }
    }
    has_colon
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}
