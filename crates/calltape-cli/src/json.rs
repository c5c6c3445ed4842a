//! `--json`: one object a line. What the tape holds as JSON goes in as it is, so integers of any size and lone
//! surrogates survive; every line is valid JSON, free of raw control characters, whatever the tape holds.

use std::fmt::Write as _;

use calltape_engine::query::Call;
use serde_json::value::RawValue;

use crate::text::{plain, times};

/// An object being written.
#[derive(Debug)]
pub(crate) struct Object {
    text: String,
}

impl Object {
    pub(crate) fn new() -> Self {
        Self { text: String::from("{") }
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push_str(&quoted(name));
        self.text.push(':');
    }

    /// A text; `None` is null.
    pub(crate) fn text<'a>(mut self, name: &str, value: impl Into<Option<&'a str>>) -> Self {
        self.name(name);
        match value.into() {
            Some(value) => self.text.push_str(&quoted(value)),
            None => self.text.push_str("null"),
        }
        self
    }

    /// A whole number; `None` is null.
    pub(crate) fn number(mut self, name: &str, value: impl Into<Option<i128>>) -> Self {
        self.name(name);
        let _ = match value.into() {
            Some(value) => write!(self.text, "{value}"),
            None => write!(self.text, "null"),
        };
        self
    }

    /// A count, id or duration; `None` is null.
    pub(crate) fn unsigned(self, name: &str, value: impl Into<Option<u64>>) -> Self {
        self.number(name, value.into().map(i128::from))
    }

    /// A fraction; what JSON cannot write is null.
    pub(crate) fn fraction(mut self, name: &str, value: f64) -> Self {
        self.name(name);
        let _ = if value.is_finite() { write!(self.text, "{value}") } else { write!(self.text, "null") };
        self
    }

    /// True or false.
    pub(crate) fn flag(mut self, name: &str, value: bool) -> Self {
        self.name(name);
        let _ = write!(self.text, "{value}");
        self
    }

    /// True, false, or null where nobody knows.
    pub(crate) fn choice(mut self, name: &str, value: Option<bool>) -> Self {
        self.name(name);
        self.text.push_str(match value {
            Some(true) => "true",
            Some(false) => "false",
            None => "null",
        });
        self
    }

    /// Recorded JSON as it is; as a text where it is none after all; `None` is null.
    pub(crate) fn recorded(mut self, name: &str, value: Option<&str>) -> Self {
        self.name(name);
        match value {
            None => self.text.push_str("null"),
            Some(json) if serde_json::from_str::<&RawValue>(json).is_ok() => self.text.push_str(&armoured(json)),
            Some(other) => self.text.push_str(&quoted(other)),
        }
        self
    }

    /// A list of objects.
    pub(crate) fn list(mut self, name: &str, objects: impl Iterator<Item = Object>) -> Self {
        self.name(name);
        self.text.push('[');
        for (position, object) in objects.enumerate() {
            if position > 0 {
                self.text.push(',');
            }
            self.text.push_str(&object.finish());
        }
        self.text.push(']');
        self
    }

    /// The object as one line.
    pub(crate) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

fn quoted(text: &str) -> String {
    armoured(&serde_json::Value::from(text).to_string())
}

/// Valid JSON on one line: what a terminal would act on can only stand in its strings, where an escape says the same,
/// or be white space between its parts.
fn armoured(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\n' | '\r' | '\t' => out.push(' '),
            c if plain::acts(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// A call with the columns of the view `calls`.
pub(crate) fn call(call: &Call) -> Object {
    Object::new()
        .unsigned("id", call.id)
        .unsigned("parent_id", call.parent_id)
        .unsigned("root_id", call.root_id)
        .text("function", call.function.as_str())
        .text("group", call.group.as_deref())
        .text("kind", call.kind.as_str())
        .text("status", crate::commands::status_word(call.status))
        .number("started_ns", i128::from(call.started_ns))
        .text("started_at", times::iso(call.started_ns).as_str())
        .unsigned("duration_ns", call.duration_ns)
        .unsigned("active_ns", call.active_ns)
        .unsigned("yields", call.yields)
        .recorded("args", call.args.as_deref())
        .recorded("result", call.result.as_deref())
        .text("error_type", call.error_type.as_deref())
        .text("error_message", call.error_message.as_deref())
        .text("thread", call.thread.as_str())
        .text("task", call.task.as_deref())
        .number("pid", i128::from(call.pid))
        .text("host", call.host.as_str())
        .unsigned("run_id", call.run_id)
        .fraction("weight", call.weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_json_goes_in_as_it_is() {
        let line = Object::new()
            .recorded("big", Some("123456789012345678901234567890"))
            .recorded("lone", Some(r#""\ud800""#))
            .recorded("none", None)
            .recorded("broken", Some("{\"a\":"))
            .recorded("lines", Some("[1,\n2]"))
            .finish();
        assert_eq!(
            line,
            r#"{"big":123456789012345678901234567890,"lone":"\ud800","none":null,"broken":"{\"a\":","lines":[1, 2]}"#
        );
    }

    #[test]
    fn nothing_a_terminal_acts_on_is_written_raw() {
        let line = Object::new().text("t", "\x1b[2J\u{9b}1m\u{202e}\n").recorded("r", Some("\"\u{9b}\"")).finish();
        assert!(!line.contains(|c: char| plain::acts(c)), "{line:?}");
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
    }
}
