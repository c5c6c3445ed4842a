//! What can go wrong with a journal, and what the caller must decide about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::layout::FORMAT_VERSION;

/// No room: the journal is at its limit or the disk is full. Earlier frames are untouched; try again once a drain
/// has recycled a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the journal is full; a drain must free a segment, or journal_limit must be raised")
    }
}

impl std::error::Error for Full {}

/// Why a journal cannot be made, written or opened.
#[derive(Debug)]
pub enum JournalError {
    /// The options contradict each other or the format.
    Options(&'static str),
    /// The file system has no room for a file, or forbids one of this size.
    NoSpace {
        /// The file.
        path: PathBuf,
        /// Bytes asked for.
        bytes: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused an operation on a file or directory.
    Io {
        /// What was tried, as in "create".
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no memory for a journal that is kept there.
    NoMemory(io::Error),
    /// The directory is not named like a run.
    NotARun(PathBuf),
    /// The run was written by a later version.
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// The version it says.
        found: u32,
    },
    /// A definition is longer than any function needs.
    DefinitionTooLong(usize),
}

impl JournalError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
        move |source| JournalError::Io { action, path: path.to_path_buf(), source }
    }

    pub(crate) fn allocation(path: &Path, bytes: usize) -> impl FnOnce(io::Error) -> JournalError {
        move |source| match source.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG) => {
                JournalError::NoSpace { path: path.to_path_buf(), bytes, source }
            }
            _ => JournalError::Io { action: "reserve", path: path.to_path_buf(), source },
        }
    }

    /// Whether the same call may succeed later without anyone changing the settings.
    pub fn is_transient(&self) -> bool {
        match self {
            JournalError::NoSpace { .. } | JournalError::NoMemory(_) => true,
            JournalError::Io { source, .. } => matches!(
                source.raw_os_error(),
                Some(libc::EINTR | libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE | libc::EIO)
            ),
            _ => false,
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Options(what) => write!(f, "the journal options do not fit: {what}"),
            JournalError::NoSpace { path, bytes, source } => {
                write!(f, "no room for {bytes} bytes at {} ({source}); free some disk space", path.display())
            }
            JournalError::Io { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            JournalError::NoMemory(source) => write!(f, "no memory for a journal: {source}"),
            JournalError::NotARun(path) => {
                write!(f, "{} is not a recording; its name should be 16 hexadecimal digits", path.display())
            }
            JournalError::NewerFormat { path, found } => write!(
                f,
                "{} has journal format {found}, this calltape knows up to {FORMAT_VERSION}; use a newer calltape",
                path.display()
            ),
            JournalError::DefinitionTooLong(bytes) => write!(f, "a function definition of {bytes} bytes is too long"),
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            JournalError::NoSpace { source, .. } | JournalError::Io { source, .. } | JournalError::NoMemory(source) => {
                Some(source)
            }
            _ => None,
        }
    }
}
