//! Removing what a person asks to have removed: `calltape prune`. The same decisions and steps as the drain's own
//! retention, one after the other until nothing is due. Needs the writer lease.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use calltape_journal::{Holder, Lease, monotonic_ns};

use crate::drain::{DrainError, a_step_long, perform, tape_directory};
use crate::query::{OpenError, Tape};
use crate::retention::{Limits, Moment, Retention, Room, Step};
use crate::store::{Store, StoreError, WAL_LIMIT_BYTES, prepare_tape};

/// How long a locked database is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(50);

/// Why nothing more could be removed.
#[derive(Debug)]
pub enum PruneError {
    /// When there is no database.
    NoTape(PathBuf),
    /// When another process has the writer lease.
    Held {
        /// The tape.
        path: PathBuf,
        /// That process.
        holder: Holder,
    },
    /// When the writer lease could not be taken or asked for.
    Lease {
        /// The folder it lies in.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// When the file is no tape that this calltape can read.
    Open(OpenError),
    /// When the database could not be used.
    Store {
        /// The tape.
        path: PathBuf,
        /// Why not.
        fault: StoreError,
    },
}

impl fmt::Display for PruneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTape(path) => {
                write!(f, "no tape at {}: name the tape with --db PATH or CALLTAPE_DB", path.display())
            }
            Self::Held { path, holder } => {
                let process = holder.pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
                write!(
                    f,
                    "{process} has the writer lease of {} and removes by its own settings: stop it, or change \
                     retention_age, retention_errors and retention_size there",
                    path.display()
                )
            }
            Self::Lease { path, source } => {
                write!(f, "the writer lease in {} cannot be used ({source}): check who may write there", path.display())
            }
            Self::Open(fault) => fault.fmt(f),
            Self::Store { path, fault } => f.write_str(&fault.advised(path)),
        }
    }
}

impl std::error::Error for PruneError {}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Calls that had not failed.
    pub successes: u64,
    /// Calls that had failed or been interrupted.
    pub errors: u64,
    /// Rows of the rollup.
    pub minutes: u64,
    /// Runs without rows, and incidents.
    pub runs: u64,
    /// Kinds of error and functions that nothing named.
    pub names: u64,
    /// The room the tape took before.
    pub before: Room,
    /// And takes now.
    pub after: Room,
}

/// Removes everything of the tape at `db` that is beyond `limits` at `now_ns`, Unix ns. `goes_on` is asked between two steps, with what has
/// been removed so far; false ends it there.
///
/// # Errors
/// See [`PruneError`]. What was removed by then stays removed.
pub fn prune(
    db: &Path,
    limits: Limits,
    now_ns: i64,
    goes_on: &mut dyn FnMut(&Pruned) -> bool,
) -> Result<Pruned, PruneError> {
    let now = || Moment { monotonic_ns: monotonic_ns(), unix_ns: now_ns };
    if db.is_dir() {
        return Err(PruneError::Open(OpenError::NotATape { path: db.to_path_buf(), found: "a folder" }));
    }
    if !db.is_file() {
        return Err(PruneError::NoTape(db.to_path_buf()));
    }
    if let Err(fault) = Tape::open(db) {
        return Err(PruneError::Open(fault));
    }
    let folder = tape_directory(db);
    let refused = |fault| PruneError::Store { path: db.to_path_buf(), fault };
    prepare_tape(&folder).map_err(refused)?;
    let lease = |source| PruneError::Lease { path: folder.clone(), source };
    let Some(_lease) = Lease::try_acquire(&folder).map_err(lease)? else {
        let holder = Lease::holder(&folder).map_err(lease)?.unwrap_or(Holder { pid: None });
        return Err(PruneError::Held { path: db.to_path_buf(), holder });
    };
    let mut store = Store::open(db, WAL_LIMIT_BYTES, false, || ()).map_err(refused)?;
    let mut retention = Retention::thorough(limits);
    let mut pruned = Pruned { before: store.room().map_err(refused)?, ..Pruned::default() };
    loop {
        pruned.after = store.room().map_err(refused)?;
        let Some(step) = retention.next(now(), false, pruned.after) else { break };
        let attempt = || perform(&mut store, step, &mut a_step_long(), || Ok(()));
        let Some(done) = patiently(attempt, &mut || goes_on(&pruned)).map_err(refused)? else { break };
        retention.did(step, done, now());
        match step {
            Step::Calls(_) => {
                pruned.errors += done.errors;
                pruned.successes += done.removed - done.errors;
            }
            Step::Minutes(_) => pruned.minutes += done.removed,
            Step::Runs(_) => pruned.runs += done.removed,
            Step::Names => pruned.names += done.removed,
            // Then no more can be given back: the file was not made for it, or a reader holds the WAL.
            Step::Vacuum(_) if done.removed == 0 => break,
            Step::Vacuum(_) | Step::CutWal => {}
        }
        store.checkpoint_if_due().map_err(refused)?;
        if !goes_on(&pruned) {
            break;
        }
    }
    store.cut_wal().map_err(refused)?;
    pruned.after = store.room().map_err(refused)?;
    Ok(pruned)
}

/// Tries again while another program has the database locked; `None` where `goes_on` said false meanwhile.
fn patiently<T>(
    mut attempt: impl FnMut() -> Result<T, DrainError>,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Option<T>, StoreError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(done) => return Ok(Some(done)),
            Err(DrainError::Store(fault)) if fault.is_transient() && Instant::now() < deadline => {
                if !goes_on() {
                    return Ok(None);
                }
                std::thread::sleep(AGAIN);
            }
            Err(DrainError::Store(fault)) => return Err(fault),
            Err(fault) => unreachable!("a step meets the database only: {fault}"),
        }
    }
}
