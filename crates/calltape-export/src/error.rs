//! Why an export ended early. Made by every format; the command line prints it as one line.

use std::fmt;
use std::io;

use calltape_engine::query::QueryError;

/// Why an export ended before its last call. What was written until then is no whole file.
#[derive(Debug)]
pub enum ExportError {
    /// When the tape does not answer.
    Query(QueryError),
    /// When the output cannot be written.
    Write(io::Error),
    /// When a value does not fit the format, as a row group beyond Parquet's limits.
    Encode(String),
    /// When the caller's progress function asked for the end.
    Stopped,
}

impl From<QueryError> for ExportError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(error) => error.fmt(f),
            Self::Write(error) => write!(f, "cannot write the export: {error}"),
            Self::Encode(reason) => write!(f, "a call cannot be written in this format: {reason}"),
            Self::Stopped => f.write_str("stopped before the end"),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Query(error) => Some(error),
            Self::Write(error) => Some(error),
            Self::Encode(_) | Self::Stopped => None,
        }
    }
}
