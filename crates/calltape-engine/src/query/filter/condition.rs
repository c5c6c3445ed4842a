//! A condition that was read: a tree of tests. Made by the parser, asked by the scan of calls.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use memchr::memmem::Finder;
use regex::Regex;

use super::parser::Parser;
use super::{Column, FilterError};

/// A condition on calls, such as `args.user_id = 42 and not status = ok`. The language is described in the module.
#[derive(Clone)]
pub struct Condition {
    text: String,
    expression: Expression,
}

impl Condition {
    /// Reads `text`. Spans such as `started > 10m` count back from now, times are of the system's zone.
    ///
    /// # Errors
    /// When it is no condition: where and why.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_at(text, Timestamp::now(), &TimeZone::system())
    }

    /// Reads `text` as of `now`, with times of `zone`.
    ///
    /// # Errors
    /// When it is no condition: where and why.
    pub fn parse_at(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Self, FilterError> {
        let expression = Parser::new(text, now, zone).condition()?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// The text it was read from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(in crate::query) fn expression(&self) -> &Expression {
        &self.expression
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Tests and what joins them.
#[derive(Debug, Clone)]
pub(in crate::query) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Test(Box<Test>),
}

impl Expression {
    /// Calls `each` with every test in it.
    pub(in crate::query) fn each_test<'a>(&'a self, each: &mut dyn FnMut(&'a Test)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each_test(each)),
            Self::Not(part) => part.each_test(each),
            Self::Test(test) => each(test),
        }
    }
}

/// One question about one thing.
#[derive(Debug, Clone)]
pub(in crate::query) struct Test {
    pub(in crate::query) subject: Subject,
    pub(in crate::query) check: Check,
    /// JSON text without this cannot meet the test; `None` where nothing so simple can be said.
    pub(super) needle: Option<Finder<'static>>,
}

/// What a test is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::query) enum Subject {
    Column(Column),
    /// A value in captured JSON; the whole of it for an empty path.
    Captured {
        root: Root,
        path: Vec<Step>,
    },
}

/// Which JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Root {
    Args,
    Result,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::query) enum Step {
    Key(String),
    Place(usize),
}

/// What is asked.
#[derive(Debug, Clone)]
pub(in crate::query) enum Check {
    Has,
    Compare(Relation, Value),
    In { values: Vec<Value>, negated: bool },
    Matches { regex: Regex, negated: bool },
}

/// How two values lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What something is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::query) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
}

/// A number: exact while it is an integer of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::query) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// The order of two numbers by their exact values; `None` where one is no number.
    pub(super) fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Integer(a), Self::Float(b)) => integer_to_float(a, b),
            (Self::Float(a), Self::Integer(b)) => integer_to_float(b, a).map(std::cmp::Ordering::reverse),
        }
    }
}

/// Integers have 64 bits and a sign, so a float beyond them is decided by its size, and any other by its whole part and
/// then by what is left.
fn integer_to_float(integer: i128, float: f64) -> Option<std::cmp::Ordering> {
    use std::cmp::Ordering;
    const BEYOND: f64 = 4e19;
    if float.is_nan() {
        return None;
    }
    if float.abs() > BEYOND {
        return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let whole = float.floor();
    let left = if float > whole { Ordering::Less } else { Ordering::Equal };
    Some(integer.cmp(&(whole as i128)).then(left))
}
