//! What can be wrong with a database. Made by the store, classified here, answered by the breaker.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::remedy_of_damage;
use crate::breaker::Fault;

/// Why the database could not be opened or written.
#[derive(Debug)]
pub enum StoreError {
    /// When the path is a folder, or something else that holds no database.
    NotAFile(PathBuf),
    /// When the file is no SQLite database.
    NotSqlite(PathBuf),
    /// When the file is a SQLite database that calltape did not make.
    NotATape(PathBuf),
    /// When a newer calltape made the tape.
    NewerSchema {
        /// The tape.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// When the SQLite linked in is one that can lose rows.
    OldSqlite(i32),
    /// When a folder or file could not be made or looked at.
    Files {
        /// What was being made or looked at.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// When the batch was rolled back for a fork that waits; it is read again.
    GivenUp,
    /// When the file at the path (the database's, or its WAL's) is no longer the one that was opened.
    Replaced(PathBuf),
    /// When what was our tape is not one any more.
    Damaged {
        /// The tape.
        path: PathBuf,
        /// What is wrong with it.
        how: String,
    },
    /// When a reader keeps the WAL above its limit, so that no batch is begun.
    WalHeld {
        /// The tape.
        path: PathBuf,
        /// Bytes of the WAL.
        bytes: u64,
    },
    /// When SQLite refused a statement.
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// For `map_err`: an error of SQLite's while `doing`.
    pub(crate) fn sqlite(doing: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { doing, source }
    }

    /// For `map_err`: an error with the file or folder at `path`.
    pub(crate) fn files(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Files { path, source }
    }

    /// Whether waiting may help: somebody else has the database locked.
    pub fn is_transient(&self) -> bool {
        self.fault() == Fault::Busy
    }

    /// Whether the file holds what no database may.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::NotSqlite(_) => true,
            Self::Sqlite { source, .. } => {
                let code = source.sqlite_error_code();
                matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
            }
            _ => false,
        }
    }

    /// Whether it is a reason to look at the schema.
    pub(crate) fn may_be_of_the_schema(&self) -> bool {
        matches!(self, Self::Sqlite { source, .. } if may_be_of_the_schema(source))
    }

    /// Whether SQLite takes the database for one that must not be written. Its header can say so too.
    pub(crate) fn is_read_only(&self) -> bool {
        // Not the kinds that name another reason: a folder, a lock, a file that was moved.
        matches!(self, Self::Sqlite { source, .. }
            if source.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_READONLY))
    }

    /// Whether there is nothing wrong with the database: it is to be kept open, and tried again soon.
    pub fn is_a_wait(&self) -> bool {
        matches!(self, Self::WalHeld { .. })
    }

    /// What a person can do about it, where the message does not say.
    pub fn remedy(&self) -> Option<&'static str> {
        let code = match self {
            Self::Sqlite { source, .. } => source.sqlite_error_code()?,
            Self::Files { .. } => return Some("check its folder and permissions"),
            _ => return None,
        };
        Some(match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "end the other program's transaction on it",
            ErrorCode::DiskFull => "free some space on its disk",
            ErrorCode::ReadOnly => "make it and its folder writable",
            ErrorCode::CannotOpen => "check its folder and permissions",
            ErrorCode::SystemIoFailure => "check its disk",
            _ => return None,
        })
    }

    /// What happened to the tape at `path` and what to do about it, for a command's one line.
    pub(crate) fn advised(&self, path: &Path) -> String {
        let advice = self.remedy().or_else(|| self.is_damage().then(|| remedy_of_damage(path)));
        let text = match self {
            Self::Sqlite { .. } => format!("{}: {self}", path.display()),
            _ => self.to_string(),
        };
        advice.map_or(text.clone(), |advice| format!("{text}; {advice}"))
    }

    /// Whether nothing but a person can help: the path will never hold a tape as it is.
    pub fn needs_a_person(&self) -> bool {
        matches!(
            self,
            Self::NotAFile(_) | Self::NotSqlite(_) | Self::NotATape(_) | Self::NewerSchema { .. } | Self::OldSqlite(_)
        )
    }

    /// How the breaker counts it.
    pub fn fault(&self) -> Fault {
        let Self::Sqlite { source, .. } = self else {
            return if matches!(self, Self::Files { .. }) { Fault::Capacity } else { Fault::Other };
        };
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Fault::Busy
            }
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory,
            ) => Fault::Capacity,
            _ => Fault::Other,
        }
    }
}

/// Whether it is what SQLite answers where a table or column has another name, and to some other things: a reason to look at
/// the schema, no more.
pub(crate) fn may_be_of_the_schema(fault: &rusqlite::Error) -> bool {
    let is_error = |error: &rusqlite::ffi::Error| error.extended_code & 0xff == rusqlite::ffi::SQLITE_ERROR;
    matches!(fault, rusqlite::Error::SqlInputError { .. }) || fault.sqlite_error().is_some_and(is_error)
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile(path) => {
                write!(f, "{} is not a file; set db to a file's path", path.display())
            }
            Self::NotSqlite(path) => {
                write!(f, "{} is not a SQLite database; move it away or set db to another path", path.display())
            }
            Self::NotATape(path) => {
                write!(f, "{} is a database but not a tape; set db to another path", path.display())
            }
            Self::NewerSchema { path, found } => write!(
                f,
                "{} is a tape of version {found}, this calltape knows up to {}; upgrade calltape or set db to another path",
                path.display(),
                super::SCHEMA_VERSION
            ),
            Self::OldSqlite(found) => write!(
                f,
                "the SQLite linked in is {found}, which can lose rows; build calltape with its bundled SQLite ({} or later)",
                super::MINIMUM_SQLITE
            ),
            Self::Files { path, source } => write!(f, "{} cannot be used: {source}", path.display()),
            Self::Replaced(path) => {
                write!(f, "{} was moved, deleted or replaced while in use", path.display())
            }
            Self::Damaged { path, how } => write!(f, "{} is damaged: {how}", path.display()),
            Self::WalHeld { path, bytes } => write!(
                f,
                "WAL held by a reader: {} has a reader that stays in one transaction and keeps its WAL at {} MiB; \
                 end that read",
                path.display(),
                bytes >> 20
            ),
            Self::GivenUp => f.write_str("the batch was put off"),
            Self::Sqlite { doing, source } => write!(f, "the database refused {doing}: {source}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Files { source, .. } => Some(source),
            Self::Sqlite { source, .. } => Some(source),
            _ => None,
        }
    }
}
