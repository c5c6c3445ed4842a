//! A line of source without its secrets: those that have the shape of one, looked for with the lines around, and every
//! string and long number of a statement that names something secret, wherever in the statement the name stands.

use std::ops::Range;

use calltape_redact::{Extent, MARK, Names, find, may_hold_secret};

use super::file::Source;
use super::layout::Open;

/// Characters shown of a line.
const MOST_SHOWN: usize = 200;
/// Bytes looked at of a line: ten times what is shown of it, for what masking takes away.
const MOST_LINE: usize = 2_000;
/// Bytes looked at on each side of a line: a key of 8,192 bits is shorter.
const AROUND: usize = 8 << 10;
/// Bytes after a line in which the rest of a secret's shape is looked for.
const AFTER: usize = 1 << 10;
/// Bytes of a string that may be a name.
const MOST_NAME: usize = 64;
/// Digits of a number that may be a secret.
const LEAST_DIGITS: usize = 4;

/// A line by its position, stripped, as it is to be shown; `None` where there is none, or nothing on it.
pub(super) fn line(source: &Source, position: u32, names: &Names) -> Option<String> {
    let (text, layout, position) = (&source.text, &source.layout, position as usize);
    if position >= layout.count() {
        return None;
    }
    let start = layout.start(position, text);
    let stripped = text[start..layout.start(position + 1, text)].trim_ascii();
    if stripped.is_empty() {
        return None;
    }
    let begin = start + text[start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let shown = begin..begin + stripped.len().min(MOST_LINE);
    let mut secrets = shapes(source, position, &shown, names);
    secrets.extend(literals(source, position, &shown, names));
    secrets.sort_unstable_by_key(|range| (range.start, range.end));
    let masked = without(text, &shown, &secrets);
    let is_cut = stripped.len() > MOST_LINE || masked.chars().count() > MOST_SHOWN;
    Some(if is_cut { masked.chars().take(MOST_SHOWN).chain("...".chars()).collect() } else { masked })
}

/// The first line whose beginning is at most [`AROUND`] before `at`, not before the line `least`.
fn line_before(source: &Source, at: usize, least: usize) -> usize {
    let first = source.layout.line_of(at.saturating_sub(AROUND));
    let whole = if source.layout.start(first, &source.text) + AROUND < at { first + 1 } else { first };
    whole.clamp(least, source.layout.line_of(at).max(least))
}

/// What has the shape of a secret in the text around the line.
fn shapes(source: &Source, position: usize, shown: &Range<usize>, names: &Names) -> Vec<Range<usize>> {
    let text = &source.text;
    let from = source.layout.start(line_before(source, shown.start, 0).min(position), text);
    let to = (shown.end + AFTER).min(text.len());
    let extent = if to == text.len() { Extent::Whole } else { Extent::Beginning };
    let mut found = Vec::new();
    if may_hold_secret(&text[from..to]) {
        find(&text[from..to], extent, names, &mut found);
    }
    found.into_iter().map(|range| range.start + from..range.end + from).collect()
}

/// The strings and numbers of the line's statement, if it names something secret.
fn literals(source: &Source, position: usize, shown: &Range<usize>, names: &Names) -> Vec<Range<usize>> {
    let (text, layout) = (&source.text, &source.layout);
    let statement = layout.statement(position);
    let first = line_before(source, shown.start, statement).min(position);
    let to = (shown.end + AROUND).min(text.len());
    let last = (position + 1..layout.count()).take_while(|&line| layout.statement(line) == statement).last();
    let to = layout.start(last.unwrap_or(position) + 1, text).min(to);
    let mut statement = Statement { text, names, is_sensitive: false, literals: Vec::new() };
    let mut from = layout.start(first, text);
    if let Some(opening) = layout.string_at(first) {
        // What stands before the string is on the line that it begins on.
        let before = layout.start(layout.line_of(opening), text).max(opening.saturating_sub(AROUND));
        statement.scan(before, opening);
        statement.literals.clear();
        let (open, content) = Open::at(text, opening);
        let (end, after) = open.end(text, content);
        if end > from {
            statement.literals.push(from..end);
            from = after;
        }
    }
    statement.scan(from, to);
    if statement.is_sensitive { statement.literals } else { Vec::new() }
}

/// A statement that is looked through.
struct Statement<'a> {
    text: &'a [u8],
    names: &'a Names,
    is_sensitive: bool,
    literals: Vec<Range<usize>>,
}

impl Statement<'_> {
    /// Looks at what stands between two places, neither of which is in a string.
    fn scan(&mut self, mut at: usize, to: usize) {
        while at < to {
            let byte = self.text[at];
            at = match byte {
                b'\'' | b'"' => self.string(at),
                b'#' => self.text[at..].iter().position(|&byte| byte == b'\n').map_or(to, |end| at + end),
                _ if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 => self.word(at),
                _ => at + 1,
            };
        }
    }

    /// A string: a secret, unless it is the name that something is kept under.
    fn string(&mut self, at: usize) -> usize {
        let (open, content) = Open::at(self.text, at);
        let (end, after) = open.end(self.text, content);
        let (end, after) = (end.min(self.text.len()), after.min(self.text.len()));
        let literal = &self.text[content.min(end)..end];
        let is_word = literal.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
        self.is_sensitive |= is_word && literal.len() <= MOST_NAME && self.names.is_sensitive(literal);
        if !is_word || !self.is_key(at, after) {
            self.literals.push(content.min(end)..end);
        }
        after
    }

    /// Whether the string from `at` to `after` is a key: `{"name": ..}` or `headers["name"]`.
    fn is_key(&self, at: usize, after: usize) -> bool {
        let next = self.text[after..].iter().find(|byte| !byte.is_ascii_whitespace());
        let mut before = self.text[..at].iter().rev();
        match next {
            Some(b':') => true,
            Some(b']') => {
                before.next() == Some(&b'[')
                    && before.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_)]".contains(byte))
            }
            _ => false,
        }
    }

    /// A name, a number, or what stands before a string's quotes.
    fn word(&mut self, at: usize) -> usize {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_' || **byte >= 0x80;
        let end = at + self.text[at..].iter().take_while(is_part).count();
        let word = &self.text[at..end];
        if word[0].is_ascii_digit() {
            if word.iter().filter(|byte| byte.is_ascii_digit()).count() >= LEAST_DIGITS {
                self.literals.push(at..end);
            }
        } else {
            self.is_sensitive |= word != b"pass" && self.names.is_sensitive(word);
        }
        end
    }
}

/// The text of `shown` with a mark in place of each of `secrets`, which are sorted.
fn without(text: &[u8], shown: &Range<usize>, secrets: &[Range<usize>]) -> String {
    let mut masked = String::new();
    let mut at = shown.start;
    for secret in secrets {
        let (start, end) = (secret.start.max(shown.start), secret.end.min(shown.end));
        if start >= end || end <= at {
            continue;
        }
        // What continues a secret is covered by its mark.
        if start > at || at == shown.start {
            masked.push_str(&String::from_utf8_lossy(&text[at..start.max(at)]));
            masked.push_str(MARK);
        }
        at = end;
    }
    masked.push_str(&String::from_utf8_lossy(&text[at.min(shown.end)..shown.end]));
    masked
}
