//! The name before a `=`, `:` or `,`, and the name of an option.

use std::ops::Range;

use crate::Names;
use crate::bytes::{ALNUM, DASH, DOT, FOREIGN, is, span, span_back, starts_with_word};

/// Bytes of a name in text that are looked at.
pub(super) const LONGEST: usize = 64;

/// Spaces, quotes and brackets that may stand between a name and its sign.
const MOST_BETWEEN: usize = 8;

/// Words of a name in prose (`secret access key: x`).
const MOST_WORDS: usize = 3;

/// The classes of bytes in a name that is not in quotes.
const NAME: u8 = ALNUM | DASH | DOT | FOREIGN;

/// Names whose values go on to the end of the line, whatever stands in it.
const HEADERS: &[&[u8]] = &[b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"];

/// Names that are sensitive in the query of a URL only, where they hold keys and signatures.
const IN_QUERIES: &[&[u8]] = &[b"key", b"sig", b"signature"];

/// A name that a value is assigned to.
pub(super) struct Name {
    pub(super) range: Range<usize>,
    /// In quotes of its own.
    is_quoted: bool,
}

/// The name before the sign at `sign`; none where there is only punctuation, a number, or no sign of an assignment.
#[inline]
pub(super) fn before(text: &[u8], sign: usize) -> Option<Name> {
    let mut end = sign;
    if matches!(text[..end].last()?, b'!' | b':' | b'=' | b'+' | b'?' | b'|') {
        end -= 1;
    }
    let closing = text[..end].iter().rev().take(MOST_BETWEEN).take_while(|&&byte| stands_between(byte)).count();
    let quote = text[end - closing..end].iter().find(|&&byte| is_quote(byte));
    end -= closing;
    let range = match quote {
        Some(&quote) => quoted(text, end, quote)?,
        None => end - span_back(&text[..end], NAME, LONGEST)..end,
    };
    let is_name = text[range.clone()].iter().any(|&byte| !is(byte, DASH | DOT) && !byte.is_ascii_digit());
    is_name.then_some(Name { range, is_quoted: quote.is_some() })
}

/// The first of a pair of quoted words, as in `("name", "value")`, that ends before the comma at `comma`.
#[inline]
pub(super) fn first_of_pair(text: &[u8], comma: usize) -> Option<Range<usize>> {
    let (&quote, before) = text[..comma].split_last()?;
    if !is_quote(quote) {
        return None;
    }
    let end = before.len() - before.iter().rev().take_while(|&&byte| byte == b'\\').take(2).count();
    let name = quoted(text, end, quote)?;
    let opening = text[..name.start].iter().rev().find(|&&byte| !is_quote(byte) && !matches!(byte, b'\\' | b'b'));
    matches!(opening, Some(b'(' | b'[')).then_some(name)
}

/// What stands between `end` and the same quote before it.
fn quoted(text: &[u8], end: usize, quote: u8) -> Option<Range<usize>> {
    let from = end.saturating_sub(LONGEST);
    let opening = text[from..end].iter().rposition(|&byte| byte == quote)?;
    Some(from + opening + 1..end)
}

/// The name of the option whose dashes begin at `dashes`.
#[inline]
pub(super) fn option_at(text: &[u8], dashes: usize) -> Option<Range<usize>> {
    let begins = text[..dashes].last().is_none_or(|&byte| byte.is_ascii_whitespace() || is_quote(byte) || byte == b'[');
    let start = dashes + 2;
    let length = span(&text[start..], ALNUM | DASH, LONGEST);
    let is_name = length > 0 && text[start].is_ascii_alphabetic();
    (begins && is_name).then_some(start..start + length)
}

impl Name {
    /// Whether values of this name are withheld: by the word, by the words before it, or by its place in a URL.
    pub(super) fn is_sensitive(&self, text: &[u8], names: &Names) -> bool {
        let name = &text[self.range.clone()];
        if names.is_sensitive(name) || self.follows_escape(text) && names.is_sensitive(&name[1..]) {
            return true;
        }
        let in_query = matches!(text[..self.range.start].last(), Some(b'?' | b'&'));
        if in_query && IN_QUERIES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return true;
        }
        !self.is_quoted && self.words_before(text).is_some_and(|words| names.is_sensitive(&text[words]))
    }

    /// The name with up to two words before it, when single spaces stand between.
    fn words_before(&self, text: &[u8]) -> Option<Range<usize>> {
        let mut start = self.range.start;
        for _ in 1..MOST_WORDS {
            let Some(before) = text[..start].strip_suffix(b" ") else { break };
            let word = span_back(before, NAME, LONGEST);
            if word == 0 {
                break;
            }
            start = before.len() - word;
        }
        (start < self.range.start).then_some(start..self.range.end)
    }

    /// The name itself, without quotes.
    pub(super) fn word<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.range.clone()]
    }

    /// Where it begins, with its quote.
    pub(super) fn start(&self, text: &[u8]) -> usize {
        self.range.start + usize::from(self.follows_escape(text)) - usize::from(self.is_quoted)
    }

    /// Whether its first letter may be that of an escape before it (`\\npassword`).
    fn follows_escape(&self, text: &[u8]) -> bool {
        let first = text.get(self.range.start);
        !self.is_quoted && matches!(first, Some(b'n' | b'r' | b't')) && text[..self.range.start].ends_with(b"\\")
    }

    pub(super) fn is_header(&self, text: &[u8]) -> bool {
        let name = &text[self.range.clone()];
        HEADERS.iter().any(|header| name.len() == header.len() && starts_with_word(name, header))
    }

    /// Whether nothing stands before it on its line.
    pub(super) fn begins_line(&self, text: &[u8]) -> bool {
        let before = text[..self.range.start].iter().rev().take(LONGEST).find(|&&byte| byte != b' ' && byte != b'\t');
        !self.is_quoted && before.is_none_or(|&byte| byte == b'\n' || byte == b'\r')
    }

    /// The quote that was opened directly before it and is not closed after it (`"Cookie: a=b"`).
    pub(super) fn enclosing_quote(&self, text: &[u8]) -> Option<u8> {
        let before = *text[..self.range.start].last()?;
        (!self.is_quoted && is_quote(before)).then_some(before)
    }
}

pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Whether a byte may stand between a name and its sign: blanks, quotes and what closes an index.
fn stands_between(byte: u8) -> bool {
    is_quote(byte) || matches!(byte, b' ' | b'\t' | b']' | b'\\')
}
