//! What a call raised: its type, message and place, and the chain of causes with their frames.
//!
//! The tape holds the chain as JSON text, outermost exception first:
//! `[{"type", "message", "relation": null | "cause" | "context" | "member", "of"?: position, "notes"?: [..],
//! "frames": [{"file", "line", "function", "outside"?: true, "locals"?: {..}, "source"?}]}, ..]`. Captures cut long lists,
//! so a string may stand where an object is expected, and then is shown as it is; nothing else about the text is trusted.

use calltape_record::value;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use super::calls::sql_id;
use super::{QueryError, Tape};

/// What a call raised.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// How it belongs to [`Self::of`]; `None` for the first.
    pub relation: Option<Relation>,
    /// The position in the chain of the one it belongs to, which stands before it; `None` for the first.
    pub of: Option<usize>,
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
    /// Held by the other, which is a group.
    Member,
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
        /// It is not the program's own: of the standard library, of what is installed, of the interpreter.
        is_outside: bool,
        /// Its variables by name, as recorded.
        locals: Vec<(String, String)>,
    },
    /// What the capture says in place of frames it left out.
    Cut(String),
}

impl Tape {
    /// The tracebacks of the calls `ids`, as recorded, in that order; `None` for one that did not raise.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn tracebacks(&self, ids: &[u64]) -> Result<Vec<Option<String>>, QueryError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(TRACEBACK)?;
            ids.iter().map(|&id| statement.query_row([sql_id(id)], |row| row.get(0)).optional()).collect()
        })
    }
}

pub(super) const TRACEBACK: &str = "SELECT traceback FROM failure WHERE call_id = ?1";

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

    /// The chain of exceptions, outermost first; never empty: what cannot be read stands as one link with the failure's
    /// type, message and place.
    pub fn chain(&self) -> Vec<ChainLink> {
        let links = self.links();
        if !links.is_empty() {
            return links;
        }
        let frame = Frame::At {
            file: self.file.clone(),
            line: self.line,
            function: self.place.clone(),
            source: None,
            is_outside: false,
            locals: Vec::new(),
        };
        vec![ChainLink {
            error_type: self.error_type.clone(),
            message: self.message.clone(),
            relation: None,
            of: None,
            frames: if self.place.is_empty() { Vec::new() } else { vec![frame] },
            notes: Vec::new(),
        }]
    }

    /// What the capture says in place of exceptions that it left out: `... 3 more`.
    pub fn left_out(&self) -> Option<String> {
        let last = value::items(&self.traceback)?.pop().filter(|item| item.starts_with('"'))?;
        serde_json::from_str(&replace_lone_surrogates(last)).ok()
    }

    /// The exceptions that can be read, with the positions that the text gives them made those of the list.
    fn links(&self) -> Vec<ChainLink> {
        let text = replace_lone_surrogates(&self.traceback);
        let (mut links, mut places) = (Vec::<ChainLink>::new(), Vec::new());
        for item in value::items(&text).unwrap_or_default() {
            let link = read_link(item, &places, links.len());
            places.push(link.as_ref().map(|_| links.len()));
            links.extend(link);
        }
        links
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

/// `places` are the positions in the list of the links before, of which there are `position`.
fn read_link(item: &str, places: &[Option<usize>], position: usize) -> Option<ChainLink> {
    let link: Value = serde_json::from_str(item).ok()?;
    let link = link.as_object()?;
    let relation = match link.get("relation").and_then(Value::as_str) {
        Some("cause") => Some(Relation::Cause),
        Some("context") => Some(Relation::Context),
        Some("member") => Some(Relation::Member),
        _ => None,
    };
    // Chains without positions are plain ones: each belongs to the one before it.
    let before = position.checked_sub(1);
    let of = match link.get("of").and_then(Value::as_u64) {
        Some(of) => usize::try_from(of).ok().and_then(|of| places.get(of).copied().flatten()).or(before),
        None => before,
    };
    let frames = value::members(item)?.into_iter().find(|(name, _)| *name == "frames");
    let frames = frames.and_then(|(_, frames)| value::items(frames)).unwrap_or_default();
    Some(ChainLink {
        error_type: text(link.get("type")),
        message: text(link.get("message")),
        relation,
        of,
        frames: frames.into_iter().map(read_frame).collect(),
        notes: list(link.get("notes")).iter().map(|note| text(Some(note))).collect(),
    })
}

/// The variables of a frame keep the text they were recorded as.
fn read_frame(frame: &str) -> Frame {
    let read: Value = serde_json::from_str(frame).unwrap_or(Value::Null);
    let Some(place) = read.as_object() else { return Frame::Cut(text(Some(&read))) };
    let members = value::members(frame).unwrap_or_default();
    let locals = members.into_iter().find(|(name, _)| *name == "locals").and_then(|(_, locals)| value::members(locals));
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Frame::At {
        file: text(place.get("file")),
        line: place.get("line").and_then(Value::as_i64).unwrap_or(0),
        function: text(place.get("function")),
        source: place.get("source").and_then(Value::as_str).map(|line| line.trim().to_owned()),
        is_outside: place.get("outside").and_then(Value::as_bool).unwrap_or(false),
        locals: locals.unwrap_or_default().into_iter().map(owned).collect(),
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
