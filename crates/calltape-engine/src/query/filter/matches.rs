//! Whether a call meets a condition. Asked once a row, so nothing is allocated but where text has escapes.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::condition::{Check, Expression, Number, Relation, Root, Subject, Test, Value};
use super::{Column, json};

/// What stands in one place of a call.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::query) enum Field<'a> {
    /// Nothing.
    Missing,
    Null,
    Bool(bool),
    Number {
        number: Number,
        json: &'a str,
    },
    Text {
        text: Cow<'a, str>,
        json: &'a str,
    },
    /// A list or an object.
    Structure(&'a str),
    /// A number of a column, which has no JSON text.
    Figure(Number),
}

impl<'a> Field<'a> {
    /// A column's text.
    pub(in crate::query) fn text(text: &'a str) -> Self {
        Self::Text { text: Cow::Borrowed(text), json: text }
    }

    /// A column's number.
    pub(in crate::query) fn integer(number: impl Into<i128>) -> Self {
        Self::Figure(Number::Integer(number.into()))
    }
}

/// A call as a condition sees it.
pub(in crate::query) trait Columns {
    /// What may go wrong when a column is looked up.
    type Error;

    /// What stands in a column.
    fn column(&self, column: Column) -> Result<Field<'_>, Self::Error>;

    /// The captured JSON; `None` where there is none.
    fn captured(&self, root: Root) -> Result<Option<&str>, Self::Error>;
}

impl Expression {
    /// Whether `call` meets the condition.
    pub(in crate::query) fn is_met<C: Columns>(&self, call: &C) -> Result<bool, C::Error> {
        match self {
            Self::All(parts) => {
                for part in parts {
                    if !part.is_met(call)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.is_met(call)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(part) => part.is_met(call).map(|is_met| !is_met),
            Self::Test(test) => test.is_met(call),
        }
    }
}

impl Test {
    fn is_met<C: Columns>(&self, call: &C) -> Result<bool, C::Error> {
        match &self.subject {
            Subject::Column(column) => Ok(self.check.holds(&call.column(*column)?)),
            Subject::Captured { root, path } => {
                let Some(text) = call.captured(*root)? else { return Ok(false) };
                if self.needle.as_ref().is_some_and(|needle| needle.find(text.as_bytes()).is_none()) {
                    return Ok(false);
                }
                Ok(self.check.holds(&json::at(text, path)))
            }
        }
    }
}

impl Check {
    fn holds(&self, field: &Field<'_>) -> bool {
        if *field == Field::Missing {
            return false;
        }
        match self {
            Self::Has => true,
            Self::Compare(Relation::Unequal, value) => !equals(field, value),
            Self::Compare(Relation::Equal, value) => equals(field, value),
            Self::Compare(relation, value) => order(field, value).is_some_and(|order| relation.allows(order)),
            Self::In { values, negated } => values.iter().any(|value| equals(field, value)) != *negated,
            Self::Matches { regex, negated } => regex.is_match(&as_text(field)) != *negated,
        }
    }
}

impl Relation {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

fn equals(field: &Field<'_>, value: &Value) -> bool {
    match (field, value) {
        (Field::Null, Value::Null) => true,
        (Field::Bool(a), Value::Bool(b)) => a == b,
        _ => order(field, value) == Some(Ordering::Equal),
    }
}

fn order(field: &Field<'_>, value: &Value) -> Option<Ordering> {
    match (field, value) {
        (Field::Number { number, .. } | Field::Figure(number), Value::Number(other)) => number.compare(*other),
        (Field::Text { text, .. }, Value::Text(other)) => Some(text.as_ref().cmp(other.as_str())),
        _ => None,
    }
}

/// What a regular expression looks at.
fn as_text<'a>(field: &'a Field<'a>) -> Cow<'a, str> {
    match field {
        Field::Text { text, .. } => Cow::Borrowed(text),
        Field::Number { json, .. } | Field::Structure(json) => Cow::Borrowed(json),
        Field::Null => Cow::Borrowed("null"),
        Field::Bool(true) => Cow::Borrowed("true"),
        Field::Bool(false) => Cow::Borrowed("false"),
        Field::Figure(Number::Integer(number)) => Cow::Owned(number.to_string()),
        Field::Figure(Number::Float(number)) => Cow::Owned(number.to_string()),
        Field::Missing => Cow::Borrowed(""),
    }
}
