//! Tokens with a known prefix, web tokens, bot tokens, and what follows a word for a secret in prose.
//!
//! Only long runs are looked into, at the places where words begin. A token that fits is passed over as a whole, one
//! that does not costs at most its least length, so the time is linear.

use std::ops::Range;

use super::prefixes::{BY_FIRST_BYTE, Form, PREFIXES, Prefix};
use super::{jwt, scheme};
use crate::Names;
use crate::bytes::{ALNUM, DIGIT, URL_SAFE, is, is_mixed, span};
use crate::find::Text;
use crate::runs::{self, LongRuns};

/// Bytes of a last short run that is looked into where the text goes on.
const LAST_RUN: usize = runs::LEAST;

/// The least bytes at a text's end that are taken for the beginning of a prefix.
const LEAST_PARTIAL: usize = 3;

/// Bytes after a prefix by which it is judged whether they are letters and digits both.
const JUDGED: usize = 64;

/// The digits of a bot's number and the bytes of the key after its colon.
const BOT_DIGITS: Range<usize> = 8..11;
const BOT_KEY: usize = 35;

/// Adds the tokens in a text.
pub(super) fn find(text: Text, names: &Names, found: &mut Vec<Range<usize>>) {
    for run in LongRuns::of(text.bytes) {
        find_in_run(text, run.clone(), found);
        scheme::find_before_run(text, run, names, found);
    }
    if text.goes_on {
        let last = runs::last(text.bytes, LAST_RUN);
        if last.len() < runs::LEAST {
            find_in_run(text, last.clone(), found);
            scheme::find_before_run(text, last, names, found);
        }
    }
}

/// Whether a run may hold a token: a word in it begins as one.
pub(crate) fn may_hold(text: &[u8], run: Range<usize>) -> bool {
    let text = Text { bytes: text, goes_on: false };
    Words::of(text, run).any(|word| word.is_ok())
}

fn find_in_run(text: Text, run: Range<usize>, found: &mut Vec<Range<usize>>) {
    found.extend(Words::of(text, run).flatten());
}

/// The words of a run, each read as a token: the token, or where to look on.
struct Words<'a> {
    text: Text<'a>,
    at: usize,
    end: usize,
}

impl<'a> Words<'a> {
    fn of(text: Text<'a>, run: Range<usize>) -> Words<'a> {
        Words { text, at: run.start, end: run.end }
    }
}

impl Iterator for Words<'_> {
    type Item = Result<Range<usize>, usize>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.bytes.get(self.at..self.end)?;
        let word = self.at + rest.iter().position(|&byte| is(byte, ALNUM))?;
        let read = read(self.text, word);
        let from = match &read {
            Ok(token) => token.end,
            Err(next) => *next,
        };
        let rest = self.text.bytes.get(from..self.end).unwrap_or_default();
        let inside = is(self.text.bytes[from - 1], ALNUM);
        self.at = from + if inside { span(rest, ALNUM, usize::MAX) } else { 0 };
        Some(read)
    }
}

/// The token that begins at `at`, or else where the next may begin.
fn read(text: Text, at: usize) -> Result<Range<usize>, usize> {
    let rest = &text.bytes[at..];
    let first = rest[0];
    if first == jwt::HEADER[0] && rest.starts_with(jwt::HEADER) {
        return jwt::read(text, at);
    }
    if is(first, DIGIT)
        && rest.get(BOT_DIGITS.start - 1).is_some_and(u8::is_ascii_digit)
        && let Some(token) = bot_token(text, at)
    {
        return Ok(token);
    }
    let from = usize::from(BY_FIRST_BYTE[usize::from(first)]);
    let to = usize::from(BY_FIRST_BYTE[usize::from(first) + 1]);
    let head = rest.first_chunk().ok_or(at + 1)?;
    let alike = PREFIXES[from..to].iter().filter(|prefix| prefix.head == *head);
    alike.into_iter().find_map(|prefix| token_after(text, at, prefix)).ok_or(at + 1)
}

/// The token with this prefix that begins at `at`.
fn token_after(text: Text, at: usize, prefix: &Prefix) -> Option<Range<usize>> {
    let rest = &text.bytes[at..];
    if !rest.starts_with(prefix.text) {
        let is_beginning = text.goes_on && rest.len() >= LEAST_PARTIAL && prefix.text.starts_with(rest);
        return is_beginning.then_some(at..text.bytes.len());
    }
    let tail = at + prefix.text.len();
    let start = if prefix.form == Form::Place { tail } else { at };
    let least = usize::from(prefix.least);
    let seen = span(&text.bytes[tail..], prefix.classes, least);
    if text.is_cut_at(tail + seen) {
        return Some(start..tail + seen);
    }
    if seen < least {
        return None;
    }
    if prefix.form == Form::Exact {
        let end = tail + least;
        let stands_alone = text.bytes.get(end).is_none_or(|&byte| !is(byte, ALNUM));
        return stands_alone.then_some(start..end);
    }
    if prefix.form == Form::Mixed {
        let judged = span(&text.bytes[tail..], prefix.classes, JUDGED);
        if !is_mixed(&text.bytes[tail..tail + judged]) && !text.is_cut_at(tail + judged) {
            return None;
        }
    }
    Some(start..tail + span(&text.bytes[tail..], prefix.classes, usize::MAX))
}

/// The key of a chat's bot, which stands behind its number and a colon. The number stays.
fn bot_token(text: Text, at: usize) -> Option<Range<usize>> {
    let number = span(&text.bytes[at..], DIGIT, BOT_DIGITS.end);
    let key = at + number + 1;
    if !BOT_DIGITS.contains(&number) || text.bytes.get(key - 1) != Some(&b':') {
        return None;
    }
    let length = span(&text.bytes[key..], URL_SAFE, BOT_KEY);
    let is_key = length == BOT_KEY && text.bytes[key..].starts_with(b"AA");
    (is_key || length > 0 && text.is_cut_at(key + length)).then_some(key..key + length)
}
