//! Passwords in URLs: `scheme://user:password@host`. The scheme, the user and the host stay.

use std::ops::Range;

use crate::bytes::{ALNUM, is_mixed};
use crate::find::Text;

/// What stands between a scheme and the rest.
const SIGN: &[u8] = b"://";

/// Bytes of a user without a password that is taken for a token (`https://token@host`). No more than what is read ahead
/// of a cut, so that its `@` is seen.
const USER_TOKEN: std::ops::Range<usize> = 20..100;

/// The URLs of one text, met in order.
#[derive(Default)]
pub(crate) struct Urls {
    /// Up to here no `@` comes before the next blank: it is not looked for twice.
    without_at: usize,
}

impl Urls {
    /// Adds the password of the URL whose `://` begins at `colon`. Gives where its credentials or its host end.
    pub(crate) fn find(&mut self, text: Text, colon: usize, found: &mut Vec<Range<usize>>) -> usize {
        let start = colon + SIGN.len();
        let end = authority_end(text.bytes, start);
        let authority = &text.bytes[start..end];
        if let Some(at) = memchr::memrchr(b'@', authority) {
            let mut add = |user: &[u8]| {
                found.extend(password(user).map(|range| start + range.start..start + range.end));
                start + user.len()
            };
            let user_end = add(&authority[..at]);
            // Where the text is cut, this may not be the last `@`.
            return if text.is_cut_at(end) { add(authority) } else { user_end };
        }
        let Some(colon) = memchr::memchr(b':', authority) else {
            if text.is_cut_at(end) && is_mixed(authority) && !authority.contains(&b'.') {
                found.push(start..end);
            }
            return end;
        };
        let password = start + colon + 1;
        if text.is_cut_at(end) {
            found.push(password..end);
            return end;
        }
        if is_port(&text.bytes[password..end]) || password < self.without_at {
            return end;
        }
        self.find_beyond_slash(text, password, found).unwrap_or(end)
    }

    /// No port, so a password with a slash or the like in it, if an `@` comes at all.
    fn find_beyond_slash(&mut self, text: Text, password: usize, found: &mut Vec<Range<usize>>) -> Option<usize> {
        let rest = &text.bytes[password..];
        let length = rest.iter().position(|&byte| ends_url(byte)).unwrap_or(rest.len());
        let at = memchr::memrchr(b'@', &rest[..length]);
        if at.is_none() && !text.is_cut_at(password + length) {
            self.without_at = password + length;
            return None;
        }
        let end = password + at.unwrap_or(length);
        found.push(password..end);
        Some(end)
    }
}

fn authority_end(text: &[u8], start: usize) -> usize {
    let ends = |&byte: &u8| ends_url(byte) || matches!(byte, b'/' | b'?' | b'#');
    start + text[start..].iter().position(ends).unwrap_or(text.len() - start)
}

/// The part of `user:password` that is secret.
fn password(user: &[u8]) -> Option<Range<usize>> {
    match memchr::memchr(b':', user) {
        Some(colon) if colon + 1 < user.len() => Some(colon + 1..user.len()),
        None if USER_TOKEN.contains(&user.len()) && is_mixed(user) => Some(0..user.len()),
        _ => None,
    }
}

/// Digits, or what a host in brackets leaves behind its colons.
fn is_port(port: &[u8]) -> bool {
    port.iter().all(u8::is_ascii_digit) || port.contains(&b']')
}

/// Whether a URL in a text ends before this byte.
fn ends_url(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\')
}

/// Whether a scheme stands before the colon.
pub(crate) fn is_scheme_before(text: &[u8], colon: usize) -> bool {
    text[colon..].starts_with(SIGN) && colon > 0 && crate::bytes::is(text[colon - 1], ALNUM)
}

/// Whether the URL whose `://` begins at `colon` may have credentials: an `@` or another `:` before it ends.
#[inline]
pub(crate) fn may_hold(text: &[u8], colon: usize) -> bool {
    let rest = &text[colon + SIGN.len()..];
    rest.iter().find(|&&byte| ends_url(byte) || matches!(byte, b'@' | b':')).is_some_and(|&byte| !ends_url(byte))
}
