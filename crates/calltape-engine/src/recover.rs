//! Storing what the dead left: `calltape recover`. The same drain as everywhere, without a recording of its own; what it
//! adds is a report of each run that it settled.
//!
//! Needs the writer lease. A process that records has it and recovers within a second by itself; then this says so.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use calltape_journal::{Holder, Lease, Run, list_runs};

use crate::drain::{Drain, DrainError, Progress, tape_directory};
use crate::query::{OpenError, RunAccount, Tape, waiting_in};
use crate::store::prepare_tape;

/// How long a locked database is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(50);

/// Why nothing could be recovered.
#[derive(Debug)]
pub enum RecoverError {
    /// When there is neither a tape nor a journal.
    NoTape(PathBuf),
    /// When the writer lease could not be taken or asked for.
    Lease {
        /// The folder it lies in.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// When the database or a journal's folder could not be used; what is not stored stays in the journals.
    Drain {
        /// The tape.
        path: PathBuf,
        /// Why not.
        fault: DrainError,
    },
    /// When the file is nothing of calltape's.
    Open(OpenError),
    /// When the caller said so while the database was locked.
    Stopped,
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTape(path) => {
                write!(f, "no tape and no journal at {}: name the tape with --db PATH or CALLTAPE_DB", path.display())
            }
            Self::Lease { path, source } => {
                write!(f, "the writer lease in {} cannot be used ({source}): check who may write there", path.display())
            }
            Self::Drain { path, fault: DrainError::Store(fault) } => {
                write!(f, "{}; what is not stored yet stays in the journals", fault.advised(path))
            }
            Self::Drain { fault, .. } => write!(f, "{fault}; what is not stored yet stays in the journals"),
            Self::Open(fault) => fault.fmt(f),
            Self::Stopped => f.write_str("stopped; what is not stored yet stays in the journals"),
        }
    }
}

impl std::error::Error for RecoverError {}

/// A run that was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The run with its books, as they are now.
    pub run: RunAccount,
    /// Of its stored calls, those that were not in the database before.
    pub stored_now: u64,
    /// Of its stored calls, those that had not ended.
    pub interrupted: u64,
    /// Frames and values that could not be read.
    pub damaged: u64,
}

/// What a recovery came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// All that the dead left is stored: each of their runs.
    Done {
        /// Oldest first.
        runs: Vec<Recovered>,
        /// What was met on the way.
        warnings: Vec<String>,
        /// What a person has to look at: a file that was set aside, and where it is.
        errors: Vec<String>,
    },
    /// Another process has the writer lease, and stores it.
    Elsewhere {
        /// That process.
        holder: Holder,
        /// Runs of the dead whose journals are there still.
        waiting: usize,
    },
}

/// How far a recovery is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovering {
    /// Calls stored so far.
    pub calls: u64,
    /// Whether another program has the database locked.
    pub is_locked: bool,
}

/// Bytes of records in the journals beside `db` that are not stored yet. Reads those records.
pub fn waiting_bytes(db: &Path) -> u64 {
    let runs = list_runs(&tape_directory(db)).unwrap_or_default();
    runs.iter().filter_map(|folder| Run::open(folder).ok()).map(|run| waiting_in(&run)).sum()
}

/// Whether there is anything at `db` to be looked at: the database, or a folder in its place, or journals beside it.
pub fn is_there(db: &Path) -> bool {
    db.is_file() || db.is_dir() || tape_directory(db).is_dir()
}

/// Stores what the dead left beside the tape at `db`; makes the database where it is gone. `goes_on` is asked after each
/// batch, and between two attempts while another program has the database locked; false ends it there.
///
/// # Errors
/// See [`RecoverError`].
pub fn recover(db: &Path, goes_on: &mut dyn FnMut(&Recovering) -> bool) -> Result<Recovery, RecoverError> {
    if !is_there(db) {
        return Err(RecoverError::NoTape(db.to_path_buf()));
    }
    if db.is_dir() {
        return Err(RecoverError::Open(OpenError::NotATape { path: db.to_path_buf(), found: "a folder" }));
    }
    let folder = tape_directory(db);
    let lease = |source| RecoverError::Lease { path: folder.clone(), source };
    if !db.is_file() && list_runs(&folder).map_err(lease)?.is_empty() {
        return Err(RecoverError::NoTape(db.to_path_buf()));
    }
    // What is not ours and has no journals would only get a folder beside it.
    if let (false, Err(fault)) = (folder.is_dir(), Tape::open(db)) {
        return Err(RecoverError::Open(fault));
    }
    let refused = |fault| RecoverError::Drain { path: db.to_path_buf(), fault };
    prepare_tape(&folder).map_err(|fault| refused(fault.into()))?;
    let mut drain = Drain::new(db, None);
    // A page that went bad leaves the file's time and length as they were.
    drain.suspect_the_database();
    if !drain.take_lease().map_err(lease)? {
        let holder = Lease::holder(&folder).map_err(lease)?.unwrap_or(Holder { pid: None });
        return Ok(Recovery::Elsewhere { holder, waiting: dead_runs(&folder) });
    }
    let before = stored_before(db, &folder);
    let (mut settled, mut so_far) = (Vec::new(), Recovering::default());
    loop {
        let progress = pass(&mut drain, &so_far, goes_on).map_err(refused)?;
        let Some(progress) = progress else { return Err(RecoverError::Stopped) };
        settled.extend(drain.take_settled());
        if !(progress.committed || progress.more) {
            break;
        }
        so_far.calls += progress.calls;
        if !goes_on(&so_far) {
            return Err(RecoverError::Stopped);
        }
    }
    let (warnings, errors) = (drain.take_warnings(), drain.take_errors());
    drop(drain);
    let tape = Tape::open(db).ok();
    let report = |(run, damaged): (u64, u64)| {
        let tape = tape.as_ref()?;
        let account = tape.run(run).ok()??;
        let stored_now = account.account.stored.saturating_sub(before.get(&run).copied().unwrap_or(0));
        let interrupted = tape.interrupted_calls(run).ok()?;
        Some(Recovered { run: account, stored_now, interrupted, damaged })
    };
    settled.sort_unstable();
    Ok(Recovery::Done { runs: settled.into_iter().filter_map(report).collect(), warnings, errors })
}

/// One pass, with patience for a locked database: what it came to, or `None` where `goes_on` said false.
fn pass(
    drain: &mut Drain,
    so_far: &Recovering,
    goes_on: &mut dyn FnMut(&Recovering) -> bool,
) -> Result<Option<Progress>, DrainError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match drain.pass(true) {
            Ok(progress) => return Ok(Some(progress)),
            Err(DrainError::Store(fault)) if fault.is_transient() && Instant::now() < deadline => {
                if !goes_on(&Recovering { is_locked: true, ..*so_far }) {
                    return Ok(None);
                }
                std::thread::sleep(AGAIN);
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// What is stored of the runs whose journals are there.
fn stored_before(db: &Path, folder: &Path) -> HashMap<u64, u64> {
    let Ok(tape) = Tape::open(db) else { return HashMap::new() };
    let runs = list_runs(folder).unwrap_or_default();
    let id = |folder: &PathBuf| u64::from_str_radix(folder.file_name()?.to_str()?, 16).ok();
    let stored = |run: u64| Some((run, tape.run(run).ok()??.account.stored));
    runs.iter().filter_map(id).filter_map(stored).collect()
}

/// How many journals of dead processes there are.
pub(crate) fn dead_runs(folder: &Path) -> usize {
    let runs = list_runs(folder).unwrap_or_default();
    runs.iter().filter(|folder| Run::open(folder).is_ok_and(|run| !run.owner_is_alive())).count()
}
