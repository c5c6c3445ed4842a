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

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn os(code: i32) -> io::Error {
        io::Error::from_raw_os_error(code)
    }

    fn io(code: i32) -> JournalError {
        JournalError::io("open", Path::new("/tape/ids"))(os(code))
    }

    fn allocation(code: i32) -> JournalError {
        JournalError::allocation(Path::new("/tape/ids"), 4096)(os(code))
    }

    fn newer() -> JournalError {
        JournalError::NewerFormat { path: "/tape/run/control".into(), found: 9 }
    }

    #[test]
    fn each_error_says_what_happened_to_what() {
        let cases = [
            (JournalError::Options("too small"), "the journal options do not fit: too small"),
            (allocation(libc::ENOSPC), "no room for 4096 bytes at /tape/ids (No space left on device (os error 28)); "),
            (io(libc::EACCES), "cannot open /tape/ids: Permission denied"),
            (allocation(libc::EACCES), "cannot reserve /tape/ids: Permission denied"),
            (JournalError::NoMemory(os(libc::ENOMEM)), "no memory for a journal: Cannot allocate memory"),
            (JournalError::NotARun("/tape/x".into()), "/tape/x is not a recording; its name should be 16 hex"),
            (newer(), "/tape/run/control has journal format 9, this calltape knows up to 2; use a newer calltape"),
            (JournalError::DefinitionTooLong(7), "a function definition of 7 bytes is too long"),
        ];
        for (error, expected) in cases {
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        assert_eq!(
            Full.to_string(),
            "the journal is full; a drain must free a segment, or journal_limit must be raised"
        );
    }

    #[test]
    fn no_room_for_a_file_is_told_from_other_refusals() {
        for code in [libc::ENOSPC, libc::EDQUOT, libc::EFBIG] {
            assert!(matches!(allocation(code), JournalError::NoSpace { bytes: 4096, .. }), "{code}");
        }
        assert!(matches!(allocation(libc::EIO), JournalError::Io { action: "reserve", .. }));
    }

    #[test]
    fn what_may_pass_by_itself_is_transient_and_nothing_else_is() {
        let refusals = [libc::EINTR, libc::EAGAIN, libc::ENOMEM, libc::EMFILE, libc::ENFILE, libc::EIO];
        let transient = refusals.map(io).into_iter();
        for error in transient.chain([allocation(libc::ENOSPC), JournalError::NoMemory(os(libc::ENOMEM))]) {
            assert!(error.is_transient(), "{error}");
        }
        let lasting = [
            io(libc::EACCES),
            io(libc::ENOENT),
            JournalError::io("find", Path::new(""))(io::ErrorKind::InvalidInput.into()),
            JournalError::Options(""),
            JournalError::NotARun(PathBuf::new()),
            newer(),
            JournalError::DefinitionTooLong(7),
        ];
        for error in lasting {
            assert!(!error.is_transient(), "{error}");
        }
    }

    #[test]
    fn an_error_of_the_system_is_the_source_of_what_it_made_impossible() {
        let code = |error: &JournalError| error.source()?.downcast_ref::<io::Error>()?.raw_os_error();
        for error in [io(libc::EIO), JournalError::NoMemory(os(libc::EIO))] {
            assert_eq!(code(&error), Some(libc::EIO), "{error}");
        }
        assert_eq!(code(&allocation(libc::ENOSPC)), Some(libc::ENOSPC));
        assert!(newer().source().is_none());
    }
}
