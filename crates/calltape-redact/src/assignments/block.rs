//! Values that stand on the lines below their name, indented deeper: YAML's block scalars, lists and maps, and headers
//! that are folded.

use std::ops::Range;

use super::name::Name;
use super::value::skip_blanks;

/// Tags and anchors before the sign of a block scalar (`!!binary |`).
const MOST_TAGS: usize = 2;

/// Digits, `+` and `-` after the sign of a block scalar.
const MOST_INDICATORS: usize = 2;

/// The value on the lines below the name whose sign is at `sign`: after `|` or `>` at the line's end, or after nothing
/// where the name begins its line. None where no line below belongs to it.
pub(super) fn below(text: &[u8], sign: usize, name: &Name) -> Option<Range<usize>> {
    if text[sign] != b':' {
        return None;
    }
    let (first_line, is_scalar) = first_line(text, sign)?;
    let (column, begins_line) = column(text, name);
    if !is_scalar && !begins_line {
        return None;
    }
    lines_below(text, first_line, column, !is_scalar)
}

/// Whether a line that is indented or an item follows the `:` at `sign`, which ends its line.
#[inline]
pub(super) fn may_begin(text: &[u8], sign: usize) -> bool {
    text[sign] == b':'
        && line_break(text, skip_blanks(text, sign + 1)).is_some_and(|line| {
            let first = text[line..].iter().find(|&&byte| byte != b'\n' && byte != b'\r');
            matches!(first, Some(b' ' | b'\t' | b'-'))
        })
}

/// Past the line's end at `at`, which may be written as an escape (`\\n`).
pub(super) fn line_break(text: &[u8], at: usize) -> Option<usize> {
    let breaks: [&[u8]; 6] = [b"\r\n", b"\n", b"\r", b"\\r\\n", b"\\n", b"\\r"];
    let rest = text.get(at..)?;
    breaks.iter().find(|end| rest.starts_with(end)).map(|end| at + end.len())
}

/// Where the line below the sign begins, and whether a block scalar begins there.
fn first_line(text: &[u8], sign: usize) -> Option<(usize, bool)> {
    let mut at = skip_blanks(text, sign + 1);
    if let Some(line) = line_break(text, at) {
        return Some((line, false));
    }
    for _ in 0..MOST_TAGS {
        if !matches!(text.get(at), Some(b'!' | b'&')) {
            break;
        }
        at += text[at..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        at = skip_blanks(text, at);
    }
    if !matches!(text.get(at), Some(b'|' | b'>')) {
        return None;
    }
    let is_indicator = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-');
    at += 1;
    at += text[at..].iter().take(MOST_INDICATORS).take_while(|&&byte| is_indicator(byte)).count();
    let end = skip_blanks(text, at);
    let end = if end > at && text.get(end) == Some(&b'#') { line_end(text, end) } else { end };
    Some((line_break(text, end)?, true))
}

/// The column that a name begins in, and whether only blanks and the dashes of items stand before it. The column of
/// one within a line is where the line begins.
fn column(text: &[u8], name: &Name) -> (usize, bool) {
    let before = &text[..name.start(text)];
    let line = before.iter().enumerate().rposition(|(at, &byte)| {
        matches!(byte, b'\n' | b'\r') || matches!(byte, b'n' | b'r') && at > 0 && before[at - 1] == b'\\'
    });
    let before = &before[line.map_or(0, |at| at + 1)..];
    let begins =
        |at: usize| matches!(before[at], b' ' | b'\t') || before[at] == b'-' && before.get(at + 1) == Some(&b' ');
    match (0..before.len()).find(|&at| !begins(at)) {
        None => (before.len(), true),
        Some(_) => (skip_blanks(before, 0), false),
    }
}

/// The lines from `from` on that are blank or indented deeper than `column`, or as deep where they are items and these
/// count; without blanks at either end.
fn lines_below(text: &[u8], from: usize, column: usize, items_count: bool) -> Option<Range<usize>> {
    let mut value: Option<Range<usize>> = None;
    let mut line = from;
    loop {
        let start = skip_blanks(text, line);
        let end = line_end(text, start);
        if start < end {
            let is_item = items_count && start - line == column && text[start..].starts_with(b"- ");
            if start - line <= column && !is_item {
                break;
            }
            let last = start + text[start..end].trim_ascii_end().len();
            value = Some(value.map_or(start, |value| value.start)..last);
        }
        let Some(next) = line_break(text, end) else { break };
        line = next;
    }
    value
}

/// Where the line that holds `at` ends.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    let rest = &text[at..];
    let is_end = |&at: &usize| rest[at] != b'\\' || matches!(rest.get(at + 1), Some(b'n' | b'r'));
    at + memchr::memchr3_iter(b'\n', b'\r', b'\\', rest).find(is_end).unwrap_or(rest.len())
}
