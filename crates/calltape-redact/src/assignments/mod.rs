//! Names and values in text: `password=x`, `"token": "x"`, `Cookie: x`, `--api-key x`, `?sig=x`, `("X-Api-Key", "x")`.
//!
//! Every `=`, `:` and `,` is looked at once, with the name before it; values are passed over as a whole. A name is a
//! bounded number of bytes, so the time is linear.

mod block;
mod markup;
mod name;
mod pairs;
mod statements;
mod value;

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::Names;
use crate::find::Text;
use crate::shapes::url::{self, Urls};
use pairs::Pairs;
use value::Lines;

/// What begins an option; set up once, for setting up costs more than most searches.
static DASHES: LazyLock<Finder> = LazyLock::new(|| Finder::new("--"));

/// Adds the values of sensitive names in a text, and the passwords in its URLs.
pub(crate) fn find(text: Text, names: &Names, found: &mut Vec<Range<usize>>) {
    let (mut urls, mut lines) = (Urls::default(), Lines::default());
    let mut pairs = Pairs::default();
    let mut passed = 0;
    for at in memchr::memchr3_iter(b'=', b':', b',', text.bytes) {
        if at < passed {
            continue;
        }
        passed = match text.bytes[at] {
            b',' => find_in_pair(text, at, names, &mut lines, found),
            b':' if url::is_scheme_before(text.bytes, at) => Some(urls.find(text, at, found)),
            _ => find_assigned(text, at, names, &mut lines, &mut pairs, found),
        }
        .unwrap_or_default()
        .max(passed);
    }
    find_options(text, names, &mut lines, found);
    statements::find(text, &mut lines, found);
    markup::find(text, names, found);
}

/// The value after the `=` or `:` at `at`. Gives where it ends.
fn find_assigned(
    text: Text,
    at: usize,
    names: &Names,
    lines: &mut Lines,
    pairs: &mut Pairs,
    found: &mut Vec<Range<usize>>,
) -> Option<usize> {
    let name = name::before(text.bytes, at)?;
    if !name.is_sensitive(text.bytes, names) {
        return keep(pairs.meet(text, at, &name, names, lines)?, found);
    }
    if let Some(value) = block::below(text.bytes, at, &name) {
        return keep(value, found);
    }
    let start = value::start(text.bytes, at)?;
    let value = value::read(text, start, &name, text.bytes[at], lines);
    keep(value, found)
}

/// The second of a pair of quoted words whose first ends before the comma at `at`.
fn find_in_pair(
    text: Text,
    at: usize,
    names: &Names,
    lines: &mut Lines,
    found: &mut Vec<Range<usize>>,
) -> Option<usize> {
    let name = name::first_of_pair(text.bytes, at)?;
    if !names.is_sensitive(&text.bytes[name]) {
        return None;
    }
    let value = value::quoted(text, value::skip_blanks(text.bytes, at + 1), lines)?;
    let is_pair = match value.close.trim_ascii_start().first() {
        Some(close) => matches!(close, b')' | b']'),
        None => text.goes_on,
    };
    if is_pair { keep(value.range, found) } else { None }
}

/// The words after options of a command line: `--password x`, also as `'--password', 'x'`.
fn find_options(text: Text, names: &Names, lines: &mut Lines, found: &mut Vec<Range<usize>>) {
    let mut passed = 0;
    for dashes in DASHES.find_iter(text.bytes) {
        if dashes < passed {
            continue;
        }
        let Some(option) = name::option_at(text.bytes, dashes) else { continue };
        passed = option.end;
        if names.is_sensitive(&text.bytes[option.clone()])
            && let Some(value) = value::of_option(text, option.end, lines)
        {
            passed = value.end;
            found.push(value);
        }
    }
}

/// Adds a value that is not empty. Gives where it ends.
fn keep(value: Range<usize>, found: &mut Vec<Range<usize>>) -> Option<usize> {
    let end = value.end;
    if !value.is_empty() {
        found.push(value);
    }
    Some(end)
}

/// Whether there may be an assignment, a URL or an element: a `=` or `:` with a name before it, or a tag.
#[inline]
pub(crate) fn may_hold(text: &[u8]) -> bool {
    memchr::memchr3_iter(b'=', b':', b'<', text).any(|at| match text[at] {
        b'<' => markup::may_begin(text, at),
        b':' if url::is_scheme_before(text, at) => url::may_hold(text, at),
        _ => name::before(text, at).is_some() && (value::start(text, at).is_some() || block::may_begin(text, at)),
    })
}

/// Whether there may be an option of a command line, a PEM block, a pair of quoted words, or a statement's password.
#[inline]
pub(crate) fn may_hold_marks(text: &[u8]) -> bool {
    let begins_pair = |at: usize| matches!(text.get(at + 1), Some(b'"' | b'\'' | b'\\' | b'b'));
    DASHES.find_iter(text).any(|at| begins_block(&text[at + 2..]) || name::option_at(text, at).is_some())
        || memchr::memchr3_iter(b'(', b'[', b'\'', text).any(|at| match text[at] {
            b'\'' => statements::is_announced(text, at),
            _ => begins_pair(at),
        })
}

/// Whether a block of PEM or its like begins after two dashes, the last of them or the last but one.
fn begins_block(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    rest.strip_prefix(b" ").unwrap_or(rest).starts_with(b"BEGIN ")
}
