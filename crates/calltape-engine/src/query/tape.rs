//! Opening a tape to read it. Called by the CLI, the viewer and Python's `calltape.open`; it must never create, change
//! or upgrade a file, and never hold a read transaction between two questions (that would keep the WAL from shrinking).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::sql::{Guard, VALUE_BYTES};
use super::{OpenError, QueryError};
use crate::forked::{Reading, tell_files_apart};
use crate::store::{APPLICATION_ID, SCHEMA_VERSION, was_our_tape};

/// How long one question may take: longer than any question over ten million calls needs, short enough to wait for.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(10);

/// How long a read waits for a lock. Readers wait for nobody in WAL mode but while the log is being recovered.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Virtual machine steps between two looks at the clock: about 0.1 ms.
const STEPS_BETWEEN_CHECKS: i32 = 10_000;

/// Why a forked child may have no database.
const FORKED_AT_WORK: &str = "this process was forked while SQLite was at work in the one before it";

/// A tape opened for reading.
#[derive(Debug)]
pub struct Tape {
    connection: Connection,
    path: PathBuf,
    version: i64,
    time_limit: Duration,
    deadline: Arc<Deadline>,
    pub(super) guard: Guard,
}

impl Tape {
    /// Opens the tape at `path`, read-only.
    ///
    /// # Errors
    /// When there is no file, when it is no tape, when a newer calltape wrote it, or when it cannot be read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let unreadable = |reason: String| OpenError::Unreadable { path: path.to_owned(), reason };
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                return Err(OpenError::NotATape { path: path.to_owned(), found: "a folder" });
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(OpenError::Missing { path: path.to_owned() });
            }
            Err(error) => return Err(unreadable(error.to_string())),
        }
        let Some(_reading) = Reading::begin() else { return Err(unreadable(FORKED_AT_WORK.to_owned())) };
        tell_files_apart();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(|error| unreadable(error.to_string()))?;
        let version = check_marks(&connection, path)?;
        let deadline = Arc::new(Deadline::new());
        let watched = Arc::clone(&deadline);
        prepare(&mut connection, watched).map_err(|error| unopened(path, &error))?;
        let guard = Guard::stand_at(&mut connection).map_err(|error| unopened(path, &error))?;
        Ok(Self { connection, path: path.to_owned(), version, time_limit: DEFAULT_TIME_LIMIT, deadline, guard })
    }

    /// Bounds each question to `limit` instead of [`DEFAULT_TIME_LIMIT`].
    pub fn set_time_limit(&mut self, limit: Duration) {
        self.time_limit = limit;
    }

    /// Has each question ask `stops` now and then whether it is to end, with [`QueryError::Interrupted`]. It is called
    /// about every 0.1 ms, on the thread that asks, and must not use this tape.
    pub fn set_interrupt(&mut self, mut stops: impl FnMut() -> bool + Send + 'static) {
        let deadline = Arc::clone(&self.deadline);
        let ends = move || is_over(&deadline) || (Reading::aside(&mut stops) && deadline.interrupt());
        // It fails for a connection of another thread alone, of which there is none.
        let _ = self.connection.progress_handler(STEPS_BETWEEN_CHECKS, Some(ends));
    }

    /// Where the tape is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the tape's tables.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The version of the SQLite library that reads.
    pub fn sqlite_version() -> &'static str {
        rusqlite::version()
    }

    /// Runs `question` in one read transaction and under the time limit.
    pub(super) fn read<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, QueryError> {
        let _reading = Reading::of_an_open_database();
        self.deadline.arm(self.time_limit);
        let answer = self.connection.unchecked_transaction().and_then(|snapshot| {
            let answer = question(&snapshot)?;
            snapshot.finish()?;
            Ok(answer)
        });
        self.deadline.disarm();
        let interrupted = self.deadline.take_interrupt();
        answer.map_err(|error| match QueryError::from_sqlite(error, self.time_limit, &self.path) {
            QueryError::TooSlow { .. } if interrupted => QueryError::Interrupted,
            other => other,
        })
    }
}

/// Why SQLite would not read the file at `path`.
fn unopened(path: &Path, error: &rusqlite::Error) -> OpenError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) if !was_our_tape(&path) => {
            OpenError::NotATape { path, found: "a file that is no SQLite database" }
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, reason },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked { path },
        _ => OpenError::Unreadable { path, reason },
    }
}

/// Tells a tape from other files by the marks in its header: its version.
fn check_marks(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let mark = |name: &str| -> Result<i64, OpenError> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map_err(|error| unopened(path, &error))
    };
    let (application, version) = (mark("application_id")?, mark("user_version")?);
    let foreign = |found| Err(OpenError::NotATape { path: path.to_owned(), found });
    if application != i64::from(APPLICATION_ID) {
        let empty = std::fs::metadata(path).is_ok_and(|found| found.len() == 0);
        return foreign(if empty { "an empty file" } else { "an SQLite database of something else" });
    }
    if version > SCHEMA_VERSION {
        return Err(OpenError::NewerVersion { path: path.to_owned(), found: version, known: SCHEMA_VERSION });
    }
    if version < 1 {
        return foreign("a tape that was never finished");
    }
    Ok(version)
}

fn prepare(connection: &mut Connection, deadline: Arc<Deadline>) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES)?;
    connection.progress_handler(STEPS_BETWEEN_CHECKS, Some(move || is_over(&deadline)))
}

/// What SQLite asks between two stretches of steps: whether the question is to end. A fork goes first.
fn is_over(deadline: &Deadline) -> bool {
    Reading::make_way();
    deadline.has_passed()
}

/// When the question in progress must be over. Written and read by the thread that asks; atomic only because SQLite's
/// handler has to be `Send`, so every ordering is relaxed.
#[derive(Debug)]
struct Deadline {
    origin: Instant,
    /// Nanoseconds after `origin`; `u64::MAX` between questions.
    at: AtomicU64,
    /// Whether the question was ended by [`Tape::set_interrupt`].
    interrupted: AtomicBool,
}

impl Deadline {
    fn new() -> Self {
        Self { origin: Instant::now(), at: AtomicU64::new(u64::MAX), interrupted: AtomicBool::new(false) }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn arm(&self, limit: Duration) {
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        self.at.store(self.elapsed().saturating_add(limit), Ordering::Relaxed);
    }

    fn disarm(&self) {
        self.at.store(u64::MAX, Ordering::Relaxed);
    }

    fn interrupt(&self) -> bool {
        self.interrupted.store(true, Ordering::Relaxed);
        true
    }

    fn take_interrupt(&self) -> bool {
        self.interrupted.swap(false, Ordering::Relaxed)
    }

    fn has_passed(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != u64::MAX && self.elapsed() > at
    }
}

#[cfg(test)]
mod tests;
