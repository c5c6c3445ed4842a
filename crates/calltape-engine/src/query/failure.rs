//! What a call raised: its type, message and place, and the chain of causes with their frames.
//!
//! The tape holds the chain as JSON text, outermost exception first:
//! `[{"type", "message", "relation": null | "cause" | "context", "frames": [{"file", "line", "function", "source"?}],
//! "notes"?: [..]}, ..]`. Captures cut long lists, so a string may stand where an object is expected, and then is shown
//! as it is; nothing else about the text is trusted.

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

/// What a call raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The exception's type with its module; builtins bare.
    pub error_type: String,
    /// Its message.
    pub message: String,
    /// The file that raised it; empty where unknown.
    pub file: String,
    /// The line in it; 0 where unknown.
    pub line: i64,
    /// The function that raised it.
    pub place: String,
    /// The chain of causes, as recorded.
    pub traceback: String,
}

/// One exception of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    /// Its type.
    pub error_type: String,
    /// Its message.
    pub message: String,
    /// How it led to the one before it in the chain; `None` for the first.
    pub relation: Option<Relation>,
    /// Where it came from, outermost first.
    pub frames: Vec<Frame>,
    /// Notes added to it.
    pub notes: Vec<String>,
}

/// How an exception led to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `raise .. from ..`
    Cause,
    /// Raised while the other was being handled.
    Context,
}

/// One frame of a traceback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A place in the program.
    At {
        /// Source file.
        file: String,
        /// Line in it; 0 where unknown.
        line: i64,
        /// The function running there.
        function: String,
        /// The source line, stripped.
        source: Option<String>,
    },
    /// What the capture says in place of frames it left out.
    Cut(String),
}

impl Failure {
    /// The failure of the call `id`.
    pub(super) fn fetch(connection: &Connection, id: i64) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT e.type, x.message, e.file, e.line, e.place, x.traceback
                 FROM failure x JOIN error e ON e.id = x.error_id WHERE x.call_id = ?1",
            )?
            .query_row([id], |row| {
                Ok(Self {
                    error_type: row.get(0)?,
                    message: row.get(1)?,
                    file: row.get(2)?,
                    line: row.get(3)?,
                    place: row.get(4)?,
                    traceback: row.get(5)?,
                })
            })
            .optional()
    }

    /// The chain of causes, outermost exception first; never empty: what cannot be read stands as one link with the
    /// failure's type, message and place.
    pub fn chain(&self) -> Vec<ChainLink> {
        let links = match serde_json::from_str(&replace_lone_surrogates(&self.traceback)) {
            Ok(Value::Array(links)) => links.iter().filter_map(read_link).collect(),
            _ => Vec::new(),
        };
        if !links.is_empty() {
            return links;
        }
        let frame = Frame::At { file: self.file.clone(), line: self.line, function: self.place.clone(), source: None };
        vec![ChainLink {
            error_type: self.error_type.clone(),
            message: self.message.clone(),
            relation: None,
            frames: if self.place.is_empty() { Vec::new() } else { vec![frame] },
            notes: Vec::new(),
        }]
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn read_link(link: &Value) -> Option<ChainLink> {
    let link = link.as_object()?;
    let relation = match link.get("relation").and_then(Value::as_str) {
        Some("cause") => Some(Relation::Cause),
        Some("context") => Some(Relation::Context),
        _ => None,
    };
    Some(ChainLink {
        error_type: text(link.get("type")),
        message: text(link.get("message")),
        relation,
        frames: list(link.get("frames")).iter().map(read_frame).collect(),
        notes: list(link.get("notes")).iter().map(|note| text(Some(note))).collect(),
    })
}

fn read_frame(frame: &Value) -> Frame {
    let Some(place) = frame.as_object() else { return Frame::Cut(text(Some(frame))) };
    Frame::At {
        file: text(place.get("file")),
        line: place.get("line").and_then(Value::as_i64).unwrap_or(0),
        function: text(place.get("function")),
        source: place.get("source").and_then(Value::as_str).map(|line| line.trim().to_owned()),
    }
}

/// Python's text may hold lone surrogates, which JSON can spell (`\ud800`) and Rust's strings cannot hold: each becomes
/// U+FFFD.
fn replace_lone_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match (surrogate(rest), rest.get(6..).and_then(surrogate)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(_), _) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            // A backslash and what it escapes; the text may end within.
            _ => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

/// The surrogate that `text` begins with the escape of.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests;
