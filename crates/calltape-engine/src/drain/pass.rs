//! One pass of the drain: find runs, read a batch, write it, release what is committed.
//! Driven by `thread.rs`, by a recovery without a recorder, and by tests, which make it stop at a [`Point`].

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use calltape_journal::{Journal, Lease, create_tape, monotonic_ns, unix_ns};

use super::batch::Batch;
use super::pace::Pace;
use super::run::Followed;
use super::settle::{DIED, EXIT, settle};
use super::write::Writing;
use crate::store::{ErrorKey, Minutes, Store, StoreError, prepare_directory};

/// Reading for one batch ends after this long, so that slow records do not hold back the others.
const READING: Duration = Duration::from_millis(100);

/// Between two looks for other processes' runs.
const SCAN_EVERY_NS: u64 = 1_000_000_000;

/// Between two looks at counters when no call was stored: sampling alone moves them.
const BOOKS_EVERY_NS: u64 = 1_000_000_000;

/// A clean exit, as `Journal::close` says it.
pub(crate) const CLEAN: u8 = 1;

/// The tape directory of a database: its path and `.tape`.
pub fn tape_directory(db: &Path) -> PathBuf {
    let mut name = OsString::from(db);
    name.push(".tape");
    PathBuf::from(name)
}

/// Where a test makes a pass stop as if the process had died there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Everything is written, nothing committed.
    BeforeCommit,
    /// Committed, the journal does not know yet.
    AfterCommit,
    /// Segments are marked, not recycled.
    AfterMark,
    /// Everything is released but ended runs' journals.
    BeforeRemove,
    /// They are removed, their cursors are left.
    AfterRemove,
}

/// Why a pass stopped.
#[derive(Debug)]
pub enum DrainError {
    /// When the database could not be opened, read or written.
    Store(StoreError),
    /// When a journal's folder or the lease could not be used.
    Journal(String),
    /// When a test said so.
    Stopped(Point),
}

impl fmt::Display for DrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::Journal(fault) => f.write_str(fault),
            Self::Stopped(point) => write!(f, "stopped at {point:?}"),
        }
    }
}

impl std::error::Error for DrainError {}

impl From<StoreError> for DrainError {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Calls stored, begun or ended.
    pub calls: u64,
    /// Something was committed.
    pub committed: bool,
    /// There is more to read now.
    pub more: bool,
}

type Observer = Box<dyn FnMut(Point) -> bool + Send>;

/// The drain of one tape.
pub struct Drain {
    db: PathBuf,
    pub(super) tape: PathBuf,
    pub(super) own: Option<Arc<Journal>>,
    lease: Option<Lease>,
    pub(super) store: Option<Store>,
    pub(super) runs: Vec<Followed>,
    batch: Batch,
    minutes: Minutes,
    errors: HashMap<ErrorKey, i64>,
    /// Runs whose journal is removed and whose cursors are left.
    removed: Vec<u64>,
    /// Folders that cannot be opened, said once.
    pub(super) unreadable: HashSet<PathBuf>,
    pub(super) warnings: Vec<String>,
    pub(super) own_ended: bool,
    ending_own: bool,
    next_scan_ns: u64,
    next_books_ns: u64,
    /// Something was committed since the store last settled down.
    stirred: bool,
    turn: usize,
    /// The tape belongs to another user than this process does.
    is_anothers: bool,
    observer: Option<Observer>,
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("db", &self.db).field("runs", &self.runs.len()).finish_non_exhaustive()
    }
}

impl Drain {
    /// A drain of the tape at `db`. `own` is the journal of this process, if it records.
    pub fn new(db: &Path, own: Option<Arc<Journal>>) -> Self {
        Self {
            db: db.to_path_buf(),
            tape: tape_directory(db),
            own,
            lease: None,
            store: None,
            runs: Vec::new(),
            batch: Batch::default(),
            minutes: Minutes::default(),
            errors: HashMap::new(),
            removed: Vec::new(),
            unreadable: HashSet::new(),
            warnings: Vec::new(),
            own_ended: false,
            ending_own: false,
            next_scan_ns: 0,
            next_books_ns: 0,
            stirred: false,
            turn: 0,
            is_anothers: false,
            observer: None,
        }
    }

    /// Makes passes stop where `observer` says false, as if the process had died there. For tests.
    #[doc(hidden)]
    pub fn observe(&mut self, observer: impl FnMut(Point) -> bool + Send + 'static) {
        self.observer = Some(Box::new(observer));
    }

    /// Takes the writer lease if it is free; true when this drain has it. Without it no pass may run.
    ///
    /// # Errors
    /// When the lease's file cannot be used.
    pub fn take_lease(&mut self) -> std::io::Result<bool> {
        if self.lease.is_none() {
            self.lease = match Lease::try_acquire(&self.tape) {
                // A journal in memory began without the folders: there may be room for them now.
                Err(fault) if fault.kind() == ErrorKind::NotFound => {
                    prepare_directory(&self.db).map_err(std::io::Error::other)?;
                    create_tape(&self.tape).map_err(std::io::Error::other)?;
                    Lease::try_acquire(&self.tape)?
                }
                tried => tried?,
            };
        }
        Ok(self.lease.is_some())
    }

    /// Whether this drain has the writer lease.
    pub fn has_lease(&self) -> bool {
        self.lease.is_some()
    }

    /// From now on the own run is over: once all of it is stored it is settled and its journal removed.
    pub fn end_own(&mut self) {
        self.ending_own = true;
        self.next_scan_ns = 0;
    }

    /// Whether the own run is settled and its journal gone.
    pub fn own_has_ended(&self) -> bool {
        self.own_ended
    }

    /// Ended calls of the own run that are committed, and frames and values of it that could not be read.
    pub fn own_figures(&self) -> Option<(u64, u64)> {
        let own = self.runs.iter().find(|followed| followed.own && followed.loaded)?;
        Some((own.facts.books.iter().map(|books| books.stored).sum(), own.facts.damaged))
    }

    /// What was worth a line since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Reads one batch and commits it. With `everything`, also looks for new runs and writes figures that would have
    /// waited.
    ///
    /// # Errors
    /// When the batch was not committed. Everything known is dropped then, and the next pass begins with the database.
    pub fn pass(&mut self, everything: bool) -> Result<Progress, DrainError> {
        let outcome = self.try_pass(everything);
        if outcome.is_err() {
            self.forget();
        }
        outcome
    }

    /// Drops everything known; the next pass begins with the database.
    pub(super) fn forget(&mut self) {
        self.store = None;
        self.runs.clear();
        self.batch.clear();
        self.minutes.clear();
        self.errors.clear();
        self.removed.clear();
        self.next_scan_ns = 0;
    }

    fn try_pass(&mut self, everything: bool) -> Result<Progress, DrainError> {
        if !self.has_lease() {
            return Err(DrainError::Journal("another process holds the writer lease".to_owned()));
        }
        let now = monotonic_ns();
        if self.store.is_none() {
            self.store = Some(Store::open(&self.db)?);
            self.is_anothers = owner(&self.tape).is_none_or(|owner| Some(owner) != owner_of_this_process());
            self.next_scan_ns = 0;
        }
        if everything || now >= self.next_scan_ns {
            self.scan()?;
            self.next_scan_ns = now + SCAN_EVERY_NS;
        }
        let mut pace = Pace::new(self.own.clone(), READING);
        let more = self.read(&mut pace);
        let books_due = everything || now >= self.next_books_ns || !self.batch.moved.is_empty();
        let ending = self.runs.iter().any(|followed| followed.ending.is_some() && followed.exhausted);
        let counted = books_due
            && self.runs.iter_mut().any(|followed| !followed.changed_books().is_empty() || followed.has_counted());
        let mut progress = Progress { more, ..Progress::default() };
        if !self.batch.moved.is_empty() || ending || counted || !self.removed.is_empty() {
            progress.calls = self.write(&mut pace)?;
            progress.committed = true;
        }
        if books_due {
            self.next_books_ns = now + BOOKS_EVERY_NS;
        }
        self.release()?;
        self.look_after_store(progress.committed, books_due)?;
        Ok(progress)
    }

    /// Checkpoints while calls come; lets go of memory when none came since the last look.
    fn look_after_store(&mut self, committed: bool, due: bool) -> Result<(), DrainError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        if committed {
            self.stirred = true;
            self.warnings.extend(store.checkpoint_if_due()?);
        } else if due && self.stirred && !self.ending_own {
            self.stirred = false;
            store.settle_down()?;
            self.batch = Batch::default();
            self.minutes = Minutes::default();
        }
        Ok(())
    }

    /// Reads a batch from all runs in turn; false when there is no more.
    fn read(&mut self, pace: &mut Pace) -> bool {
        self.batch.clear();
        self.batch.sources.begin(self.is_anothers);
        self.minutes.clear();
        // Runs take turns at being first; at its end the own one is.
        let own = self.runs.iter().position(|followed| followed.own).filter(|_| self.ending_own);
        self.turn = own.unwrap_or(self.turn.wrapping_add(1));
        let count = self.runs.len();
        self.runs.iter_mut().for_each(|followed| followed.exhausted = false);
        for step in 0..count {
            let place = (self.turn + step) % count;
            let followed = &mut self.runs[place];
            // Asked before reading: what a process appended before it died is then read before it is settled.
            followed.ending = match followed.own {
                true => self.ending_own.then_some(EXIT),
                false if followed.run.owner_is_alive() => None,
                false => Some(if followed.run.ending() == Some(CLEAN) { EXIT } else { DIED }),
            };
            if followed.run.refresh().is_err() && !followed.own {
                // Its folder is going or gone: the next scan says which.
                self.next_scan_ns = 0;
                continue;
            }
            followed.exhausted = followed.read_into(place as u32, &mut self.batch, pace);
            if self.batch.is_full() || !followed.exhausted {
                return true;
            }
        }
        false
    }

    /// Writes the batch, the books and the ends of runs in one transaction.
    fn write(&mut self, pace: &mut Pace) -> Result<u64, DrainError> {
        let Some(store) = &self.store else { return Ok(0) };
        let transaction = store.begin()?;
        let now_ns = unix_ns();
        let mut writing = Writing {
            transaction: &transaction,
            runs: &mut self.runs,
            minutes: &mut self.minutes,
            errors: &mut self.errors,
            pace,
        };
        let calls = writing.batch(&mut self.batch)?;
        for place in 0..writing.runs.len() {
            writing.books(place, now_ns)?;
        }
        self.minutes.write(&transaction)?;
        for followed in self.runs.iter().filter(|followed| followed.exhausted) {
            if let Some(ending) = followed.ending {
                settle(&transaction, followed.run.id(), followed.own.then_some(now_ns), ending)?;
            }
        }
        for run in &self.removed {
            transaction.drop_cursors(*run)?;
        }
        if self.batch.lead_ns > 0 || self.batch.lag_ns > 0 {
            let (lead_ns, lag_ns) = transaction.id_distance()?;
            if self.batch.lead_ns > lead_ns || self.batch.lag_ns > lag_ns {
                transaction.put_id_distance(self.batch.lead_ns, self.batch.lag_ns)?;
            }
        }
        reached(&mut self.observer, Point::BeforeCommit)?;
        transaction.commit()?;
        self.removed.clear();
        reached(&mut self.observer, Point::AfterCommit)?;
        Ok(calls)
    }

    /// Tells the journals what is committed, empties segments that are, and removes runs that are settled.
    fn release(&mut self) -> Result<(), DrainError> {
        for moved in &self.batch.moved {
            self.runs[moved.run as usize].run.mark_drained(moved.segment, moved.epoch, moved.offset);
        }
        reached(&mut self.observer, Point::AfterMark)?;
        for &(place, number, epoch) in &self.batch.finished {
            let followed = &self.runs[place as usize];
            if followed.ending.is_none() {
                followed.run.recycle(number, epoch);
            }
        }
        self.batch.clear();
        let settled = |followed: &Followed| followed.exhausted && followed.ending.is_some();
        if self.runs.iter().any(settled) {
            reached(&mut self.observer, Point::BeforeRemove)?;
        }
        while let Some(place) = self.runs.iter().position(settled) {
            let followed = self.runs.remove(place);
            let (id, own) = (followed.run.id(), followed.own);
            match followed.run.remove() {
                Ok(()) => self.removed.push(id),
                Err(fault) => self.warnings.push(format!("the journal of a run that ended stays: {fault}")),
            }
            self.own_ended |= own;
            reached(&mut self.observer, Point::AfterRemove)?;
        }
        Ok(())
    }
}

/// The user that a file belongs to.
fn owner(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|metadata| metadata.uid())
}

fn owner_of_this_process() -> Option<u32> {
    owner(Path::new("/proc/self"))
}

fn reached(observer: &mut Option<Observer>, point: Point) -> Result<(), DrainError> {
    let goes_on = observer.as_mut().is_none_or(|observer| observer(point));
    if goes_on { Ok(()) } else { Err(DrainError::Stopped(point)) }
}
