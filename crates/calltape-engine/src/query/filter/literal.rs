//! What stands right of an operator: read as what its column holds, or, for captured values, as what it looks like.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::column::Holds;
use super::condition::{Number, Value};
use super::json::number_of;
use crate::query::run_text::parse_run;
use crate::query::time_text::{parse_duration, parse_time};

/// A literal as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    /// Between quotes, read.
    Quoted(String),
    /// Without.
    Bare(String),
}

/// What a literal stands for where `holds` is what stands left of it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn of_column(written: &Written, holds: Holds, now: Timestamp, zone: &TimeZone) -> Result<Value, String> {
    let (Written::Quoted(text) | Written::Bare(text)) = written;
    let integer = |ns: Option<i128>| ns.map(|ns| Value::Number(Number::Integer(ns)));
    match holds {
        Holds::Text => match written {
            Written::Bare(word) => bare_text(word),
            Written::Quoted(text) => Ok(Value::Text(text.clone())),
        },
        Holds::Word(words) if words.contains(&text.as_str()) => Ok(Value::Text(text.clone())),
        Holds::Word(words) => Err(format!("{} is none of {}", quoted(text), words.join(", "))),
        Holds::Number => match number_of(text) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(format!("{} is no number", quoted(text))),
        },
        Holds::Run => integer(parse_run(text).map(i128::from)).ok_or_else(|| {
            format!("{} is no run: 16 digits, as `calltape stats` and `calltape show` have them", quoted(text))
        }),
        Holds::Duration => integer(parse_duration(text).map(i128::from)).ok_or_else(|| match number_of(text) {
            Some(_) => format!("{text} of what? A duration has a unit: ns, us, ms, s, m, h or d"),
            None => format!("{} is no duration", quoted(text)),
        }),
        Holds::Time => integer(parse_time(text, now, zone).map(i128::from))
            .ok_or_else(|| format!("{} is neither a time nor a span of time before now, such as 10m", quoted(text))),
    }
}

/// What a literal stands for that is compared with a captured value.
///
/// # Errors
/// What is wrong with it.
pub(super) fn of_captured(written: &Written) -> Result<Value, String> {
    let word = match written {
        Written::Quoted(text) => return Ok(Value::Text(text.clone())),
        Written::Bare(word) => word,
    };
    match word.as_str() {
        "null" => Ok(Value::Null),
        "true" => Ok(Value::Bool(true)),
        "false" => Ok(Value::Bool(false)),
        "None" | "True" | "False" => {
            Err(format!("{word} is written {} here", word.to_lowercase().replace("none", "null")))
        }
        word => number_of(word).map(Value::Number).map_or_else(|| bare_text(word), Ok),
    }
}

/// A word without quotes that is text: one that could be read in no other way.
fn bare_text(word: &str) -> Result<Value, String> {
    if word.contains(['*', '?', '[', '^', '$', '\\', '|']) {
        return Err(format!(
            "{} is compared as it stands: put it into quotes, or use ~ for a regular expression",
            quoted(word)
        ));
    }
    if !word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return Err(format!("{} is neither a number nor a word: put text into quotes", quoted(word)));
    }
    Ok(Value::Text(word.to_owned()))
}

/// What someone wrote, as a message names it: cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    let shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.chars().count() < text.chars().count() { format!("`{shown}...`") } else { format!("`{shown}`") }
}
