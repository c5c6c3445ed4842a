//! Settings: one table of what can be set, and the values in force.
//!
//! The Python side loads them once, before the recorder starts; nothing reads a setting's source later. One [`TABLE`]
//! feeds the parser, the environment names, the file, the reference page and the test that compares it with
//! [`Settings`]. A bad value in the environment or a file never stops the program: it becomes a line in
//! [`Settings::problems`] and the default is used. A bad argument is the caller's to fix and so an error.

mod load;
mod table;
mod text;

pub use load::{BadArgument, Surroundings};
pub use table::{Kind, Setting, TABLE};
pub(crate) use text::nearest;
pub use text::{bytes, time};

use std::path::PathBuf;
use std::time::Duration;

/// What a call does when the journal is at its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFull {
    /// It is counted, and not stored.
    Drop,
    /// It waits for room, at most [`Settings::block_timeout`]; then it is counted.
    Block,
}

/// Who moves calls to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainBy {
    /// This process, where no other has the writer lease.
    Here,
    /// Another process: this one only appends.
    Elsewhere,
}

/// The values in force, each from the strongest source that names it: argument, environment, file, default.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The database, absolute.
    pub db: PathBuf,
    /// Bytes the journal of this process may take.
    pub journal_limit: u64,
    /// What a call does when the journal is full.
    pub on_full: OnFull,
    /// How long a call waits for room under [`OnFull::Block`].
    pub block_timeout: Duration,
    /// How long the end of the program waits for the drain.
    pub exit_timeout: Duration,
    /// How often the drain looks for records.
    pub flush_interval: Duration,
    /// Failed batches in a row after which the breaker opens.
    pub breaker_threshold: u32,
    /// The longest time between two probes of an open breaker.
    pub breaker_timeout: Duration,
    /// How long a lock of the database may last before it counts as a failed batch.
    pub breaker_busy: Duration,
    /// Whether this process drains.
    pub drain: DrainBy,
    /// How long calls are kept; zero for ever.
    pub retention_age: Duration,
    /// How long failed calls are kept; zero for ever.
    pub retention_errors: Duration,
    /// How long the rollup is kept; zero for ever.
    pub retention_minutes: Duration,
    /// Bytes the database may take; zero without limit.
    pub retention_size: u64,
    /// Whether nothing is recorded at all.
    pub disabled: bool,
    /// Bytes a captured value may take.
    pub max_repr: usize,
    /// Bytes the captured arguments of one call may take together.
    pub max_call_bytes: usize,
    /// Items kept of one container.
    pub max_items: usize,
    /// Levels of containers and objects that are entered.
    pub max_depth: usize,
    /// Attributes kept of one object.
    pub max_attributes: usize,
    /// How long one capture may take.
    pub max_capture_time: Duration,
    /// Changes to the usual list of names whose values are withheld, in the order given.
    pub sensitive_fields: Vec<String>,
    pub(crate) sources: Vec<Source>,
    pub(crate) problems: Vec<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The setting.
    pub setting: &'static str,
    /// Its value, as [`TABLE`] would have it written.
    pub value: String,
    /// `argument`, `CALLTAPE_<NAME>`, the path of the file, or `default`.
    pub from: String,
}

impl Settings {
    /// Every setting with its value and where that comes from, in the order of [`TABLE`].
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// One line for each value that could not be used: setting, value, source and remedy.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}
