//! Why a tape could not be opened or a question not answered. Made by [`super::Tape`]; the CLI prints them as one line,
//! so every message says what happened and what to do.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StatementError;
use crate::drain::tape_directory;
use crate::store::remedy_of_damage;

/// Why a tape could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// When there is no file at the path.
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// When the file is no tape: no SQLite database, or one without a tape's mark.
    NotATape {
        /// The path asked for.
        path: PathBuf,
        /// What the file is instead.
        found: &'static str,
    },
    /// When a newer calltape wrote the tape.
    NewerVersion {
        /// The path asked for.
        path: PathBuf,
        /// The tape's version.
        found: i64,
        /// The newest version this calltape reads.
        known: i64,
    },
    /// When the file is a tape that SQLite finds damaged.
    Damaged {
        /// The path asked for.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
    /// When another program has the whole tape locked.
    Locked {
        /// The path asked for.
        path: PathBuf,
    },
    /// When the operating system or SQLite refuses to read the file.
    Unreadable {
        /// The path asked for.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
}

impl OpenError {
    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Missing { path } if tape_directory(path).is_dir() => {
                "run `calltape recover`, or the program that records there"
            }
            Self::Missing { .. } => {
                "run a program that uses calltape there first, or name the tape with --db PATH or CALLTAPE_DB"
            }
            Self::NotATape { .. } => "name the tape with --db PATH or CALLTAPE_DB",
            Self::NewerVersion { .. } => "upgrade calltape",
            Self::Damaged { path, .. } => remedy_of_damage(path),
            Self::Locked { .. } => "try again in a moment, or end the other program's transaction on it",
            Self::Unreadable { .. } => "check who may read the file and write to its folder",
        }
    }

    /// What happened, without the remedy.
    pub fn found(&self) -> String {
        match self {
            Self::Missing { path } if tape_directory(path).is_dir() => {
                format!("no tape at {} yet, but calls wait in the journal beside it", path.display())
            }
            Self::Missing { path } => format!("no tape at {}", path.display()),
            Self::NotATape { path, found } => format!("{} is not a tape but {found}", path.display()),
            Self::NewerVersion { path, found, known } => format!(
                "{} was written by a newer calltape (tape version {found}; this one reads up to {known})",
                path.display()
            ),
            Self::Damaged { path, reason } => format!("{} is damaged ({reason})", path.display()),
            Self::Locked { path } => format!("{} stayed locked by another process", path.display()),
            Self::Unreadable { path, reason } => format!("cannot read {} ({reason})", path.display()),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.found(), self.remedy())
    }
}

impl std::error::Error for OpenError {}

/// Why a question to a tape has no answer.
#[derive(Debug)]
pub enum QueryError {
    /// When the read took longer than the tape's time limit and was stopped.
    TooSlow {
        /// The limit.
        limit: Duration,
    },
    /// When whoever asked wants no answer any more.
    Interrupted,
    /// When another process kept the tape locked for the whole busy timeout.
    Busy,
    /// When SQLite found the file damaged.
    Damaged {
        /// What it said.
        source: rusqlite::Error,
        /// What a person can do about it.
        remedy: &'static str,
    },
    /// When a person's own statement cannot be run: see [`Tape::sql`](super::Tape::sql).
    Statement(StatementError),
    /// When a page was asked for after a cursor of another order.
    OtherOrder,
    /// When SQLite failed in another way.
    Sqlite(rusqlite::Error),
}

impl QueryError {
    /// Whether the same question may succeed if asked again shortly.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy)
    }

    /// What a person can do about it, in the doctor's words.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::Damaged { remedy, .. } => remedy,
            Self::TooSlow { .. } | Self::Interrupted | Self::Busy => "look again when it is less busy",
            Self::Statement(_) => "correct the statement",
            Self::OtherOrder => "ask for the first page of that order",
            Self::Sqlite(_) => "check the disk the tape is on, then look again",
        }
    }

    /// Sorts SQLite's answer into what a caller can act on.
    pub(super) fn from_sqlite(error: rusqlite::Error, limit: Duration, path: &Path) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OperationInterrupted) => Self::TooSlow { limit },
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::Busy,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Damaged { source: error, remedy: remedy_of_damage(path) }
            }
            _ => Self::Sqlite(error),
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow { limit } => write!(
                f,
                "the read took longer than {} s and was stopped: ask for less, such as a shorter time or fewer functions",
                limit.as_secs_f64()
            ),
            Self::Interrupted => f.write_str("the read was interrupted"),
            Self::Busy => f.write_str("the tape stayed locked by another process: try again in a moment"),
            Self::Damaged { source, remedy } => write!(f, "the tape is damaged ({source}): {remedy}"),
            Self::Statement(error) => error.fmt(f),
            Self::OtherOrder => f.write_str(
                "the place to go on from belongs to another order of calls: leave it out to begin at the first page",
            ),
            Self::Sqlite(error) => write!(f, "SQLite could not answer: {error}"),
        }
    }
}

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Damaged { source: error, .. } | Self::Sqlite(error) => Some(error),
            Self::TooSlow { .. } | Self::Interrupted | Self::Busy | Self::Statement(_) | Self::OtherOrder => None,
        }
    }
}
