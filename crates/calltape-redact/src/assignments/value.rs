//! Where a value ends: at its quote, its bracket, the end of its line, or what separates it from the next.

use std::ops::Range;

use super::name::{Name, is_quote};
use crate::bytes::{ALNUM, DASH, DOT, FOREIGN, is, span};
use crate::find::Text;

/// Letters before a quote that belong to the literal (`rb"..."`).
const MOST_LITERAL_PREFIX: usize = 2;

/// Bytes after a separator in which the next name's sign is looked for.
const LONGEST_NEXT_NAME: usize = 40;

/// Bytes of a type between a name and its `=` in source code.
const LONGEST_TYPE: usize = 64;

/// Words that are no secret as a value: nothing, a truth value, a type in source code.
const NO_SECRETS: &[&[u8]] = &[
    b"none",
    b"null",
    b"nil",
    b"true",
    b"false",
    b"undefined",
    b"str",
    b"string",
    b"bytes",
    b"int",
    b"float",
    b"bool",
    b"object",
    b"any",
];

/// Words that are followed by the secret itself.
const SCHEMES: &[&[u8]] = &[b"bearer", b"basic", b"digest", b"negotiate", b"token", b"apikey", b"oauth"];

/// The end of the line that was asked for last: many values of one line find it once.
#[derive(Default)]
pub(super) struct Lines {
    known: Range<usize>,
}

impl Lines {
    /// Where the line that holds `at` ends; a line's end may be written as an escape (`\\n`).
    pub(super) fn end(&mut self, text: &[u8], at: usize) -> usize {
        if !(self.known.start..=self.known.end).contains(&at) || self.known.is_empty() {
            let rest = &text[at..];
            let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let escaped = memchr::memchr_iter(b'\\', &rest[..end])
                .find(|&slash| matches!(rest.get(slash + 1), Some(b'n' | b'r')));
            self.known = at..at + escaped.unwrap_or(end);
        }
        self.known.end
    }
}

/// A value in quotes and what follows its closing quote.
pub(super) struct Quoted<'a> {
    pub(super) range: Range<usize>,
    pub(super) close: &'a [u8],
}

/// Where the value after the sign at `sign` begins; none where the sign is no assignment, or nothing follows.
#[inline]
pub(super) fn start(text: &[u8], sign: usize) -> Option<usize> {
    let after = match (text[sign], text.get(sign + 1)?) {
        (b':', b':') => return None,
        (b':', b'=') | (b'=', b'=' | b'>' | b'~') => sign + 2,
        _ if text[sign] == b':' && sign > 0 && text[sign - 1] == b':' => return None,
        _ => sign + 1,
    };
    let start = skip_blanks(text, after);
    text.get(start).is_some_and(|&byte| !matches!(byte, b'\n' | b'\r' | b',' | b';' | b')')).then_some(start)
}

pub(super) fn skip_blanks(text: &[u8], from: usize) -> usize {
    from + text[from..].iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count()
}

/// The value that begins at `start`, without its quotes.
pub(super) fn read(text: Text, start: usize, name: &Name, sign: u8, lines: &mut Lines) -> Range<usize> {
    let start = if sign == b':' { past_type(text.bytes, start) } else { start };
    if ends_the_literal(text.bytes, start, name) {
        return start..start;
    }
    if let Some(value) = quoted(text, start, lines) {
        return value.range;
    }
    if matches!(text.bytes.get(start), Some(b'(' | b'[' | b'{')) {
        return start..past_bracket(text.bytes, start);
    }
    let line = lines.end(text.bytes, start);
    if let Some(quote) = name.enclosing_quote(text.bytes) {
        return start..memchr::memchr(quote, &text.bytes[start..line]).map_or(line, |end| start + end);
    }
    let is_header = sign == b':' && name.is_header(text.bytes);
    let to_line_end =
        is_header || name.begins_line(text.bytes) && (sign == b':' || !text.bytes[start..line].contains(&b'='));
    let end = match to_line_end {
        true if is_header => line,
        true => start + length_before_assignment(&text.bytes[start..line]),
        false => word_end(text.bytes, start, line),
    };
    let value = text.bytes[start..end].trim_ascii_end();
    let is_no_secret = !text.is_cut_at(end) && NO_SECRETS.iter().any(|word| word.eq_ignore_ascii_case(value));
    if is_no_secret { start..start } else { start..start + value.len() }
}

/// Whether the quote at `start` closes the one before the name, as in the source code `"token: " + given`: neither a
/// word nor another quote follows it.
fn ends_the_literal(text: &[u8], start: usize, name: &Name) -> bool {
    if name.enclosing_quote(text).is_none_or(|quote| text.get(start) != Some(&quote)) {
        return false;
    }
    let after = text.get(skip_blanks(text, start + 1));
    after.is_none_or(|&byte| !is_quote(byte) && !is(byte, ALNUM | FOREIGN))
}

/// The value after an option that ends at `end`: the next word, or the next quoted one of a list.
pub(super) fn of_option(text: Text, end: usize, lines: &mut Lines) -> Option<Range<usize>> {
    let rest = &text.bytes[end..];
    let between = rest.iter().take_while(|&&byte| is_quote(byte) || matches!(byte, b' ' | b',' | b'\t')).count();
    let start = end + between;
    let gap = &rest[..between];
    if !gap.iter().any(|&byte| byte == b' ' || byte == b',') || text.bytes[start..].starts_with(b"--") {
        return None;
    }
    let line = lines.end(text.bytes, start);
    let end = match gap.last() {
        Some(&quote) if is_quote(quote) => {
            memchr::memchr(quote, &text.bytes[start..line]).map_or(line, |at| start + at)
        }
        _ => start + text.bytes[start..line].iter().take_while(|byte| !byte.is_ascii_whitespace()).count(),
    };
    (start < end).then_some(start..end)
}

/// The value in quotes that begins at `start`, with a literal's letters and escaped quotes. One whose quote is not
/// closed reaches to the end of its line, or of the text where the text goes on.
pub(super) fn quoted<'a>(text: Text<'a>, start: usize, lines: &mut Lines) -> Option<Quoted<'a>> {
    let rest = text.bytes.get(start..)?;
    let letters = rest.iter().take(MOST_LITERAL_PREFIX).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let escapes = rest[letters..].iter().take_while(|&&byte| byte == b'\\').take(3).count();
    let quote = *rest.get(letters + escapes).filter(|&&byte| is_quote(byte))?;
    let triple = [quote; 3];
    let width = if rest[letters + escapes..].starts_with(&triple) { 3 } else { 1 };
    let from = start + letters + escapes + width;
    let end = closing_quote(text.bytes, from, &triple[..width], escapes);
    let end = end.unwrap_or_else(|| match text.goes_on || width == 3 {
        true => text.bytes.len(),
        false => lines.end(text.bytes, from),
    });
    let close = text.bytes.get(end + escapes + width..).unwrap_or_default();
    Some(Quoted { range: from..end, close })
}

/// Where the quote that is escaped by as many backslashes as the first, or fewer, begins with its backslashes.
fn closing_quote(text: &[u8], from: usize, quote: &[u8], escapes: usize) -> Option<usize> {
    memchr::memchr_iter(quote[0], &text[from..]).map(|at| from + at).find_map(|at| {
        let backslashes = text[from..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
        let closes = if escapes == 0 { backslashes % 2 == 0 } else { backslashes <= escapes };
        (closes && text[at..].starts_with(quote)).then_some(if escapes == 0 { at } else { at - backslashes })
    })
}

/// Past the bracket that closes the one at `start`; brackets within quotes do not count. The text's end if none does.
fn past_bracket(text: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut is_escaped = false;
    for (at, &byte) in text.iter().enumerate().skip(start) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            _ if quote == Some(byte) => quote = None,
            b'"' | b'\'' if quote.is_none() => quote = Some(byte),
            b'(' | b'[' | b'{' if quote.is_none() => depth += 1,
            b')' | b']' | b'}' if quote.is_none() => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

/// In source code a type may stand before the value: `password: str | None = "x"`. Past its `=`, or `start`.
fn past_type(text: &[u8], start: usize) -> usize {
    let is_type = |byte: u8| is(byte, ALNUM | DASH | DOT) || matches!(byte, b' ' | b'[' | b']' | b'|' | b',');
    let length = text[start..].iter().take(LONGEST_TYPE).take_while(|&&byte| is_type(byte)).count();
    let is_assigned = text[start..start + length].ends_with(b" ")
        && text.get(start + length) == Some(&b'=')
        && text.get(start + length + 1) != Some(&b'=');
    if is_assigned { skip_blanks(text, start + length + 1) } else { start }
}

/// The end of a value that is one word, or a scheme and one word.
fn word_end(text: &[u8], start: usize, line: usize) -> usize {
    let mut end = start + word_length(&text[start..line]);
    let is_scheme = SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(&text[start..end]));
    if is_scheme && text.get(end) == Some(&b' ') {
        end += 1 + word_length(&text[end + 1..line]);
    }
    end
}

/// The length of the word the text begins with. Punctuation belongs to it, unless it ends the word in any notation.
fn word_length(text: &[u8]) -> usize {
    let ends = |(at, &byte): (usize, &u8)| match byte {
        b' ' | b'\t' => true,
        b'<' => text.get(at + 1) == Some(&b'/'),
        b',' | b';' | b'&' => is_closed_by(&text[at + 1..]) || begins_assignment(&text[at + 1..]),
        b')' | b']' | b'}' | b'"' | b'\'' | b'`' | b'>' => is_closed_by(&text[at + 1..]),
        _ => false,
    };
    text.iter().enumerate().position(|(at, byte)| ends((at, byte))).unwrap_or(text.len())
}

/// The length of a value that is the rest of a line, or goes on to a comma or semicolon before another name and its sign.
fn length_before_assignment(line: &[u8]) -> usize {
    memchr::memchr2_iter(b',', b';', line)
        .find(|&at| begins_assignment(&line[skip_blanks(line, at + 1)..]))
        .unwrap_or(line.len())
}

/// Whether what follows closes something: the end, a blank, or more punctuation of that kind.
fn is_closed_by(rest: &[u8]) -> bool {
    rest.first().is_none_or(|&byte| byte.is_ascii_whitespace() || is_quote(byte) || b",;.:)]}>&".contains(&byte))
}

/// Whether another name and its sign follow.
fn begins_assignment(rest: &[u8]) -> bool {
    let quotes = rest.iter().take_while(|&&byte| is_quote(byte)).take(1).count();
    let name = span(&rest[quotes..], ALNUM | DASH | DOT, LONGEST_NEXT_NAME);
    let sign = rest[quotes + name..].iter().take(3).find(|&&byte| !is_quote(byte));
    name > 0 && matches!(sign, Some(b'=' | b':' | b'['))
}
