//! What goes wrong while a tape is read, as Python's exceptions. Called by the other files of this folder only.

use std::path::Path;

use calltape_engine::query::{OpenError, QueryError};
use pyo3::call::PyCallArgs;
use pyo3::prelude::*;

/// The exception for a tape that cannot be opened.
pub(super) fn not_opened(py: Python<'_>, path: &Path, error: &OpenError) -> PyErr {
    let remedy = match error {
        OpenError::Missing { .. } if error.found().contains("journal") => {
            "run `calltape recover` on it, or the program that records there"
        }
        OpenError::Missing { .. } => {
            "run a program that records there first, or give open() the path of a tape; calltape.flush() has what this \
             process recorded stored"
        }
        OpenError::NotATape { .. } => "give open() the path of a tape",
        OpenError::NewerVersion { .. } => "upgrade calltape",
        OpenError::Damaged { .. } | OpenError::Locked { .. } => error.remedy(),
        OpenError::Unreadable { .. } => "check who may read the file and write to its folder",
    };
    tape_error(py, &error.found(), remedy, path)
}

/// The exception for a question without an answer.
pub(super) fn unanswered(py: Python<'_>, path: &Path, error: &QueryError) -> PyErr {
    let remedy = match error {
        QueryError::Statement(refused) => return made(py, "StatementError", (refused.to_string(),)),
        QueryError::TooSlow { .. } => {
            "narrow the question, with since= or function=, or open the tape with a larger time_limit"
        }
        QueryError::Busy | QueryError::Interrupted => "try again in a moment",
        QueryError::Damaged { remedy, .. } => remedy,
        QueryError::OtherOrder => "ask for the first page of that order",
        QueryError::Sqlite(_) => "check the disk the tape is on, then look again",
    };
    let found = match error {
        QueryError::TooSlow { limit } => format!("the read took longer than {} s and was stopped", limit.as_secs_f64()),
        QueryError::Damaged { source, .. } => format!("the tape is damaged ({source})"),
        QueryError::Busy => "the tape stayed locked by another process".to_owned(),
        other => other.to_string(),
    };
    tape_error(py, &format!("{}: {found}", path.display()), remedy, path)
}

/// `calltape.TapeError`, which is made of what happened, what to do, and the path.
pub(super) fn tape_error(py: Python<'_>, found: &str, remedy: &str, path: &Path) -> PyErr {
    made(py, "TapeError", (found, remedy, path.as_os_str()))
}

/// An exception of `calltape._faults`.
pub(super) fn made<'py>(py: Python<'py>, kind: &str, arguments: impl PyCallArgs<'py>) -> PyErr {
    let made =
        py.import("calltape._faults").and_then(|faults| faults.getattr(kind)).and_then(|kind| kind.call1(arguments));
    made.map_or_else(|fault| fault, PyErr::from_value)
}
