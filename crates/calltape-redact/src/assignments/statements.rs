//! Passwords in statements of SQL: `IDENTIFIED BY 'tiger'`, `IDENTIFIED WITH plugin BY 'tiger'`, `PASSWORD 'tiger'`.

use std::ops::Range;

use super::value::{self, Lines};
use crate::bytes::{ALNUM, DASH, span_back};
use crate::find::Text;

/// Blanks between a word and its quote.
const MOST_BLANKS: usize = 8;

/// Bytes of the word before a quote that are looked at.
const LONGEST_WORD: usize = 16;

/// How the clause begins whose password follows `BY` or `AS`, and the bytes before them in which it is looked for.
const CLAUSE: &[u8] = b"identified";
const LONGEST_CLAUSE: usize = 96;

/// Adds the passwords in quotes.
pub(super) fn find(text: Text, lines: &mut Lines, found: &mut Vec<Range<usize>>) {
    let mut passed = 0;
    for quote in memchr::memchr_iter(b'\'', text.bytes) {
        if quote < passed || !is_announced(text.bytes, quote) {
            continue;
        }
        if let Some(value) = literal(text, opening(text.bytes, quote), lines) {
            passed = value.end + 1;
            found.push(value);
        }
    }
}

/// Whether the words before the quote at `quote` say that a password follows.
#[inline]
pub(super) fn is_announced(text: &[u8], quote: usize) -> bool {
    let before = &text[..opening(text, quote)];
    matches!(before.last(), Some(b' ' | b'\t' | b'\n')) && ends_in_announcement(before)
}

fn ends_in_announcement(text: &[u8]) -> bool {
    let blanks = text.iter().rev().take(MOST_BLANKS).take_while(|byte| byte.is_ascii_whitespace()).count();
    let text = &text[..text.len() - blanks];
    let (before, word) = text.split_at(text.len() - span_back(text, ALNUM | DASH, LONGEST_WORD));
    if word.eq_ignore_ascii_case(b"password") {
        return true;
    }
    let near = &before[before.len().saturating_sub(LONGEST_CLAUSE)..];
    (word.eq_ignore_ascii_case(b"by") || word.eq_ignore_ascii_case(b"as"))
        && near.windows(CLAUSE.len()).any(|words| words.eq_ignore_ascii_case(CLAUSE))
}

/// Where the backslashes before a quote begin.
fn opening(text: &[u8], quote: usize) -> usize {
    quote - text[..quote].iter().rev().take(3).take_while(|&&byte| byte == b'\\').count()
}

/// The literal that begins at `start`; a quote in it is written twice.
fn literal(text: Text, start: usize, lines: &mut Lines) -> Option<Range<usize>> {
    let first = value::quoted(text, start, lines)?;
    let (mut range, mut close) = (first.range, first.close);
    while close.first() == Some(&b'\'') {
        let next = value::quoted(text, text.bytes.len() - close.len(), lines)?;
        range.end = next.range.end;
        close = next.close;
    }
    Some(range)
}
