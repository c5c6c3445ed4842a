//! Reads a condition: `or` of `and` of `not`, parentheses, tests. Every refusal points into the text.
//!
//! Reads character by character, as what ends a word depends on the side of the operator it stands on. Never recurses
//! deeper than [`DEPTH`], so no text overflows the stack.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::condition::{Expression, Root, Step, Subject};
use super::literal::{Written, quoted};
use super::{Column, FilterError};

/// How deep parentheses and `not` may nest.
const DEPTH: usize = 64;

/// Steps a path may have: fewer than the depth the JSON reader allows.
const STEPS: usize = 64;

/// Bytes a condition may have: more than anyone writes, few enough that reading one takes no time.
const BYTES: usize = 64 * 1024;

const EXAMPLE: &str = "args.user_id = 42 and status = error";

/// What ends a word right of an operator.
const ENDS_LITERAL: &[char] = &[' ', '\t', '\n', '\r', ',', '(', ')', '"', '\'', '=', '<', '>', '!', '~'];

/// A text while it is read.
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    depth: usize,
    /// Regular expressions met.
    pub(super) expressions: usize,
    pub(super) now: Timestamp,
    pub(super) zone: &'t TimeZone,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str, now: Timestamp, zone: &'t TimeZone) -> Self {
        Self { text, at: 0, depth: 0, expressions: 0, now, zone }
    }

    /// The whole text as a condition.
    pub(super) fn condition(mut self) -> Result<Expression, FilterError> {
        if self.text.len() > BYTES {
            return Err(FilterError {
                text: String::new(),
                range: 0..0,
                message: format!("the condition is longer than {} KiB", BYTES / 1024),
                example: EXAMPLE,
            });
        }
        let expression = self.any()?;
        self.skip_space();
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(expression);
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let here = self.at..self.at + end;
        match &rest[..end] {
            ")" => self.fail(here, "no `(` belongs to this `)`", "(status = error or duration > 1s) and pid = 4711"),
            found if found.starts_with(['&', '|']) => {
                self.fail(here, "tests are joined by `and` and `or`", "status = error and args.dry_run = false")
            }
            found => {
                let message = format!("expected `and`, `or` or the end, found {}", quoted(found));
                self.fail(here, &message, EXAMPLE)
            }
        }
    }

    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all()?];
        while self.takes_word("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.part()?];
        while self.takes_word("and") {
            parts.push(self.part()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn part(&mut self) -> Result<Expression, FilterError> {
        self.skip_space();
        let start = self.at;
        if self.takes_word("not") {
            self.deeper(start)?;
            let part = self.part()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(part)));
        }
        if !self.takes("(") {
            return self.test().map(|test| Expression::Test(Box::new(test)));
        }
        self.deeper(start)?;
        let inner = self.any()?;
        self.depth -= 1;
        self.skip_space();
        if self.takes(")") {
            return Ok(inner);
        }
        let example = "(status = error or duration > 1s) and pid = 4711";
        if self.rest().is_empty() {
            return self.fail(start..start + 1, "this `(` is never closed", example);
        }
        let message = format!("expected `and`, `or` or `)`, found {}", quoted(self.word_here()));
        self.fail(self.here(), &message, example)
    }

    fn deeper(&mut self, start: usize) -> Result<(), FilterError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return self.fail(start..start + 1, &format!("nested deeper than {DEPTH} levels"), EXAMPLE);
        }
        Ok(())
    }

    /// What a test is about: a column, or a value by its path. Also where it stands.
    pub(super) fn subject(&mut self) -> Result<(Subject, Range<usize>), FilterError> {
        self.skip_space();
        let start = self.at;
        let name = self.takes_name();
        if name.is_empty() {
            return self.no_subject();
        }
        let root = match name {
            "args" => Root::Args,
            "result" => Root::Result,
            name => {
                let Some((column, ..)) = Column::named(name) else { return self.unknown_column(name, start) };
                return Ok((Subject::Column(column), start..self.at));
            }
        };
        let mut path = Vec::new();
        while let Some(step) = self.step()? {
            path.push(step);
            if path.len() > STEPS {
                return self.fail(start..self.at, &format!("a path has at most {STEPS} steps"), "args.order.id = 42");
            }
        }
        Ok((Subject::Captured { root, path }, start..self.at))
    }

    fn no_subject<T>(&self) -> Result<T, FilterError> {
        let message = match self.rest().chars().next() {
            None if self.text.trim().is_empty() => "the condition is empty".to_owned(),
            None => "something is missing at the end: a column, args.NAME or result".to_owned(),
            Some(_) => format!("expected a column, args.NAME or result, found {}", quoted(self.word_here())),
        };
        self.fail(self.here(), &message, EXAMPLE)
    }

    fn unknown_column<T>(&self, name: &str, start: usize) -> Result<T, FilterError> {
        let near = crate::settings::nearest(name, Column::names().chain(["args", "result"]));
        let hint = if near.1 <= 2 && near.1 < name.len() {
            format!("did you mean {}?", near.0)
        } else {
            format!("the argument {name} is args.{name}")
        };
        self.fail(start..self.at, &format!("there is no column {}: {hint}", quoted(name)), EXAMPLE)
    }

    /// The next step of a path: `.name`, `."any text"` or `[0]`.
    fn step(&mut self) -> Result<Option<Step>, FilterError> {
        let start = self.at;
        if self.takes("[") {
            let digits = self.takes_while(|c| c.is_ascii_digit());
            let place = digits.parse().ok();
            if let Some(place) = place
                && self.takes("]")
            {
                return Ok(Some(Step::Place(place)));
            }
            let message = "a place in a list is a number from 0 on, in brackets";
            return self.fail(start..self.next_boundary(), message, "args.items[0].sku = \"k-17\"");
        }
        if !self.takes(".") {
            return Ok(None);
        }
        if let Some(text) = self.takes_quoted()? {
            return Ok(Some(Step::Key(text)));
        }
        let name = self.takes_name();
        if name.is_empty() {
            let message = "a name belongs after the dot, in quotes where it is no plain word";
            return self.fail(start..self.next_boundary(), message, "args.\"content-type\" = \"text/html\"");
        }
        Ok(Some(Step::Key(name.to_owned())))
    }

    /// The literal that comes next, and where it stands.
    pub(super) fn literal(&mut self, example: &'static str) -> Result<(Written, Range<usize>), FilterError> {
        self.skip_space();
        let start = self.at;
        if let Some(text) = self.takes_quoted()? {
            return Ok((Written::Quoted(text), start..self.at));
        }
        let word = self.takes_while(|c| !ENDS_LITERAL.contains(&c) && !c.is_whitespace());
        let is_keyword = ["and", "or", "not", "in"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword));
        if !word.is_empty() && !is_keyword {
            return Ok((Written::Bare(word.to_owned()), start..self.at));
        }
        self.at = start;
        let message = match self.word_here() {
            "" => "a value is missing at the end".to_owned(),
            found => format!("expected a value, found {}", quoted(found)),
        };
        self.fail(self.here(), &message, example)
    }

    /// A text in quotes. Inside, a backslash stands for itself but before the quote and before another backslash.
    fn takes_quoted(&mut self) -> Result<Option<String>, FilterError> {
        let start = self.at;
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'')) else { return Ok(None) };
        let mut text = String::new();
        let mut characters = self.rest()[1..].char_indices().peekable();
        while let Some((offset, character)) = characters.next() {
            match character {
                c if c == quote => {
                    self.at = start + 1 + offset + 1;
                    return Ok(Some(text));
                }
                '\\' => match characters.next_if(|&(_, next)| next == quote || next == '\\') {
                    Some((_, next)) => text.push(next),
                    None => text.push('\\'),
                },
                other => text.push(other),
            }
        }
        self.fail(start..self.text.len(), "this quote is never closed", "args.name = \"O'Brien\"")
    }

    fn takes_name(&mut self) -> &'t str {
        self.takes_while(|c| c.is_alphanumeric() || c == '_')
    }

    fn takes_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Whether `text` stands here, which is then passed.
    pub(super) fn takes(&mut self, text: &str) -> bool {
        let is_here = self.rest().starts_with(text);
        self.at += if is_here { text.len() } else { 0 };
        is_here
    }

    /// Whether the keyword comes next, in small letters or capitals.
    pub(super) fn takes_word(&mut self, keyword: &str) -> bool {
        self.skip_space();
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let is_here = rest[..end].eq_ignore_ascii_case(keyword);
        self.at += if is_here { end } else { 0 };
        is_here
    }

    pub(super) fn skip_space(&mut self) {
        self.takes_while(char::is_whitespace);
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The word, or the one character, that stands here.
    pub(super) fn word_here(&self) -> &'t str {
        &self.text[self.here()]
    }

    /// Where the word stands, or the one character; the end of the text where nothing does.
    pub(super) fn here(&self) -> Range<usize> {
        let rest = self.rest();
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        self.at..self.at + word.max(first)
    }

    /// The end of the character that stands here.
    fn next_boundary(&self) -> usize {
        self.at + self.rest().chars().next().map_or(0, char::len_utf8)
    }

    pub(super) fn fail<T>(&self, range: Range<usize>, message: &str, example: &'static str) -> Result<T, FilterError> {
        Err(FilterError { text: self.text.to_owned(), range, message: message.to_owned(), example })
    }
}
