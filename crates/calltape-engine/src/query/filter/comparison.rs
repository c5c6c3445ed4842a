//! Reads one test: what it is about, the operator, and what stands right of it.

use std::ops::Range;

use memchr::memmem::Finder;

use super::column::Holds;
use super::condition::{Check, Number, Relation, Step, Subject, Test, Value};
use super::expression::{self, EXPRESSIONS};
use super::literal::{self, Written};
use super::parser::Parser;
use super::{Column, FilterError};

/// Longer operators first, as one may begin with another.
const OPERATORS: [(&str, Operator); 10] = [
    ("!=", Operator::Relation(Relation::Unequal)),
    ("<>", Operator::Relation(Relation::Unequal)),
    ("<=", Operator::Relation(Relation::AtMost)),
    (">=", Operator::Relation(Relation::AtLeast)),
    ("==", Operator::Relation(Relation::Equal)),
    ("!~", Operator::Matches { negated: true }),
    ("=", Operator::Relation(Relation::Equal)),
    ("<", Operator::Relation(Relation::Less)),
    (">", Operator::Relation(Relation::Greater)),
    ("~", Operator::Matches { negated: false }),
];

#[derive(Debug, Clone, Copy)]
enum Operator {
    Relation(Relation),
    Matches { negated: bool },
    In { negated: bool },
}

/// What the thing left of an operator holds, and an example of its use.
#[derive(Clone, Copy)]
struct Left {
    /// `None`: whatever was captured.
    holds: Option<Holds>,
    example: &'static str,
}

impl Parser<'_> {
    /// One test.
    pub(super) fn test(&mut self) -> Result<Test, FilterError> {
        if self.takes_word("has") {
            let (subject, _) = self.subject()?;
            return Ok(finish(subject, Check::Has));
        }
        let (subject, place) = self.subject()?;
        let left = Left::of(&subject);
        let check = match self.operator(left, &place)? {
            Operator::Relation(relation) => self.relation(relation, left)?,
            Operator::Matches { negated } => self.matches(negated, left)?,
            Operator::In { negated } => Check::In { values: self.values(left)?, negated },
        };
        Ok(finish(subject, check))
    }

    fn operator(&mut self, left: Left, subject: &Range<usize>) -> Result<Operator, FilterError> {
        if self.takes_word("in") {
            return Ok(Operator::In { negated: false });
        }
        let before = self.at;
        if self.takes_word("not") {
            if self.takes_word("in") {
                return Ok(Operator::In { negated: true });
            }
            self.at = before;
        }
        if let Some((_, operator)) = OPERATORS.iter().find(|(text, _)| self.takes(text)) {
            return Ok(*operator);
        }
        let is_end = matches!(self.word_here(), "" | ")" | "and" | "or" | "AND" | "OR");
        let (place, message) = if is_end {
            let name = literal::quoted(&self.text[subject.clone()]);
            (subject.clone(), format!("{name} is compared with nothing; `has` asks whether it is there"))
        } else {
            let found = literal::quoted(self.word_here());
            (self.here(), format!("expected one of = != < <= > >= ~ !~ in, found {found}"))
        };
        self.fail(place, &message, left.example)
    }

    fn relation(&mut self, relation: Relation, left: Left) -> Result<Check, FilterError> {
        let (value, place) = self.value(left)?;
        let is_ordered =
            matches!(value, Value::Number(_) | Value::Text(_)) && !matches!(left.holds, Some(Holds::Word(_)));
        if !is_ordered && !matches!(relation, Relation::Equal | Relation::Unequal) {
            let word = literal::quoted(&self.text[place.clone()]);
            return self.fail(place, &format!("{word} has no order: use = or !="), left.example);
        }
        Ok(Check::Compare(relation, value))
    }

    /// `(a, b)`; a comma may stand after the last.
    fn values(&mut self, left: Left) -> Result<Vec<Value>, FilterError> {
        const IN: &str = "status in (error, interrupted)";
        self.skip_space();
        let start = self.at;
        if !self.takes("(") {
            return self.fail(self.here(), "`in` is followed by values in parentheses", IN);
        }
        let mut values = vec![self.value(left)?.0];
        loop {
            self.skip_space();
            let has_comma = self.takes(",");
            self.skip_space();
            if self.takes(")") {
                return Ok(values);
            }
            if !has_comma {
                return match self.word_here() {
                    "" => self.fail(start..start + 1, "this `(` is never closed", IN),
                    found => {
                        let message = format!("expected `,` or `)`, found {}", literal::quoted(found));
                        self.fail(self.here(), &message, IN)
                    }
                };
            }
            values.push(self.value(left)?.0);
        }
    }

    fn value(&mut self, left: Left) -> Result<(Value, Range<usize>), FilterError> {
        let (written, place) = self.literal(left.example)?;
        let read = match left.holds {
            Some(_) if written == Written::Bare("null".to_owned()) => {
                Err("a column is there or not: `has` asks for it".to_owned())
            }
            Some(holds) => literal::of_column(&written, holds, self.now, self.zone),
            None => literal::of_captured(&written),
        };
        match read {
            Ok(value) => Ok((value, place)),
            Err(message) => self.fail(place, &message, left.example),
        }
    }

    fn matches(&mut self, negated: bool, left: Left) -> Result<Check, FilterError> {
        if matches!(left.holds, Some(Holds::Duration | Holds::Time)) {
            let before = self.at - if negated { 2 } else { 1 };
            let message = "~ looks at text: compare durations and times with < <= > >=";
            return self.fail(before..self.at, message, left.example);
        }
        let (Written::Quoted(text) | Written::Bare(text), place) = self.literal(left.example)?;
        self.expressions += 1;
        if self.expressions > EXPRESSIONS {
            let message = format!("a condition has {EXPRESSIONS} regular expressions at most: join some by | to one");
            return self.fail(place, &message, "error_message ~ \"timed out|refused\"");
        }
        match expression::read(&text) {
            Ok(regex) => Ok(Check::Matches { regex, negated }),
            Err(refused) => {
                let message = format!("{} is no regular expression: {}", literal::quoted(&text), refused.reason);
                let wrong = refused.at.and_then(|at| self.part_of_literal(&place, &text, at)).unwrap_or(place);
                self.fail(wrong, &message, "error_message ~ \"timed? out\"")
            }
        }
    }

    /// Where `part` of a literal's `read` text stands; `None` where it stands there in another form.
    fn part_of_literal(&self, place: &Range<usize>, read: &str, part: Range<usize>) -> Option<Range<usize>> {
        let written = self.text.get(place.clone())?;
        let unquoted = written.get(1..written.len().checked_sub(1)?);
        let start = if written == read {
            place.start
        } else {
            unquoted.filter(|inner| *inner == read).map(|_| place.start + 1)?
        };
        Some(start + part.start..start + part.end)
    }
}

impl Left {
    fn of(subject: &Subject) -> Self {
        let captured = Self { holds: None, example: "args.user_id = 42" };
        match subject {
            Subject::Column(column) => {
                column.described().map_or(captured, |(holds, example)| Self { holds: Some(holds), example })
            }
            Subject::Captured { .. } => captured,
        }
    }
}

impl Column {
    fn described(self) -> Option<(Holds, &'static str)> {
        Self::names().filter_map(Self::named).find(|entry| entry.0 == self).map(|(_, holds, example)| (holds, example))
    }
}

fn finish(subject: Subject, check: Check) -> Test {
    let needle = match &subject {
        Subject::Captured { path, .. } => needle(path, &check),
        Subject::Column(_) => None,
    };
    let needle = needle.map(|needle| Finder::new(needle.as_bytes()).into_owned());
    Test { subject, check, needle }
}

/// What JSON text must hold to meet a test: the value it must equal, else the last name of the path. The drain escapes
/// control characters, quotes and backslashes and writes everything else as it is, and writes integers as digits and
/// floats without an exponent below 1e16.
fn needle(path: &[Step], check: &Check) -> Option<String> {
    const EXACT: i128 = 1_000_000_000_000_000;
    let name = || {
        let key = path.iter().rev().find_map(|step| if let Step::Key(key) = step { Some(key) } else { None });
        key.and_then(|key| as_stored(key))
    };
    match check {
        Check::Compare(Relation::Equal, value) => match value {
            Value::Text(text) => as_stored(text).or_else(name),
            Value::Number(Number::Integer(number)) if number.abs() < EXACT => Some(number.to_string()),
            Value::Bool(_) | Value::Null | Value::Number(_) => name(),
        },
        _ => name(),
    }
}

/// A text as it stands in JSON, where that is sure.
fn as_stored(text: &str) -> Option<String> {
    let is_plain = |c: char| !c.is_ascii_control() && !matches!(c, '"' | '\\' | char::REPLACEMENT_CHARACTER);
    text.chars().all(is_plain).then(|| format!("\"{text}\""))
}
