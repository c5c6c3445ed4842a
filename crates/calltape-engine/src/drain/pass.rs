//! One pass of the drain: find runs, read a batch, write it, release what is committed.
//! Driven by `thread.rs`, by a recovery without a recorder, and by tests, which make it stop at a [`Point`].

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use calltape_journal::{Journal, Lease, create_tape, monotonic_ns, unix_ns};

use super::batch::Batch;
use super::continued::Carried;
use super::incidents::{Incidents, UNREACHABLE};
use super::kinds::Kinds;
use super::outcome::{DrainError, Point, Progress};
use super::pace::{Hurry, Pace};
use super::retention::Keeping;
use super::run::Followed;
use super::settle::{DIED, EXIT};
use crate::store::{BooksRow, Minutes, Store, StoreError, WAL_LIMIT_BYTES, beside, prepare_directory};

/// Reading for one batch ends after this long, so that slow records do not hold back the others.
const READING: Duration = Duration::from_millis(100);

/// Between two looks for other processes' runs.
const SCAN_EVERY_NS: u64 = 1_000_000_000;

/// Between two looks at counters when no call was stored: sampling alone moves them.
const BOOKS_EVERY_NS: u64 = 1_000_000_000;

/// Calls a batch takes: a commit then costs a few percent of it, and a reader waits for few rows.
pub(super) const MOST_CALLS: usize = 16_384;

/// A clean exit, as `Journal::close` says it.
pub(crate) const CLEAN: u8 = 1;

/// The tape directory of a database: its path and `.tape`.
pub fn tape_directory(db: &Path) -> PathBuf {
    beside(db, ".tape")
}

pub(super) type Observer = Box<dyn FnMut(Point) -> bool + Send>;

/// The drain of one tape.
pub struct Drain {
    pub(super) db: PathBuf,
    pub(super) tape: PathBuf,
    pub(super) own: Option<Arc<Journal>>,
    pub(super) lease: Option<Lease>,
    /// The lease was given up: another process may have written since.
    is_stale: bool,
    pub(super) store: Option<Store>,
    pub(super) runs: Vec<Followed>,
    pub(super) batch: Batch,
    pub(super) minutes: Minutes,
    pub(super) kinds: Kinds,
    /// Runs whose journal is removed and whose cursors are left.
    pub(super) removed: Vec<u64>,
    /// What is not in the tape yet of what happened to it.
    pub(super) incidents: Incidents,
    /// By run, the books of the file that was given up last.
    pub(super) earlier: HashMap<u64, Vec<BooksRow>>,
    /// By run, records taken up from that file that are not committed yet.
    pub(super) carried: HashMap<u64, Vec<Carried>>,
    /// Of these, the ones in the batch.
    pub(super) carried_now: Vec<u64>,
    /// Folders that cannot be opened, said once.
    pub(super) unreadable: HashSet<PathBuf>,
    /// Runs whose process lives and whose journal is gone.
    pub(super) unlinked: HashSet<u64>,
    /// The own journal is not at its path.
    pub(super) own_is_gone: bool,
    pub(super) own_gone_said: bool,
    /// The lease's file was deleted once, so that others' journals may have been.
    pub(super) goes_round: bool,
    pub(super) warnings: Vec<String>,
    /// Lines for the log that need a person.
    pub(super) errors_said: Vec<String>,
    pub(super) own_ended: bool,
    pub(super) ending_own: bool,
    pub(super) next_scan_ns: u64,
    /// When the tape's folder was changed last, as of the last look; none while that may be in the same tick.
    pub(super) folder_changed: Option<(i64, i64)>,
    next_books_ns: u64,
    pub(super) hurry: Arc<Hurry>,
    /// The last batch was given up; the next is not, or there would be no end to it.
    gave_up: bool,
    /// Something was committed since the store last settled down.
    pub(super) stirred: bool,
    turn: usize,
    /// The database is checked when it is opened.
    pub(super) is_suspect: bool,
    /// The tape belongs to another user than this process does.
    pub(super) is_anothers: bool,
    pub(super) wal_limit: i64,
    pub(super) next_set_aside_ns: u64,
    /// What SQLite had called damaged was checked, and nothing was committed since.
    pub(super) was_found_sound: bool,
    pub(super) observer: Option<Observer>,
    pub(super) keeping: Keeping,
    /// Runs that were settled, with what of them could not be read.
    pub(super) settled: Vec<(u64, u64)>,
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
            is_stale: false,
            store: None,
            runs: Vec::new(),
            batch: Batch::default(),
            minutes: Minutes::default(),
            kinds: Kinds::default(),
            removed: Vec::new(),
            incidents: Incidents::default(),
            earlier: HashMap::new(),
            carried: HashMap::new(),
            carried_now: Vec::new(),
            unreadable: HashSet::new(),
            unlinked: HashSet::new(),
            own_is_gone: false,
            own_gone_said: false,
            goes_round: false,
            warnings: Vec::new(),
            errors_said: Vec::new(),
            own_ended: false,
            ending_own: false,
            next_scan_ns: 0,
            folder_changed: None,
            next_books_ns: 0,
            hurry: Arc::default(),
            gave_up: false,
            stirred: false,
            turn: 0,
            is_suspect: false,
            is_anothers: false,
            wal_limit: WAL_LIMIT_BYTES,
            next_set_aside_ns: 0,
            was_found_sound: false,
            observer: None,
            keeping: Keeping::default(),
            settled: Vec::new(),
        }
    }

    /// Makes passes stop where `observer` says false, as if the process had died there. For tests.
    #[doc(hidden)]
    pub fn observe(&mut self, observer: impl FnMut(Point) -> bool + Send + 'static) {
        self.observer = Some(Box::new(observer));
    }

    /// Makes the WAL's limit another one. For tests.
    #[doc(hidden)]
    pub fn limit_wal(&mut self, bytes: i64) {
        self.wal_limit = bytes;
    }

    /// Has batches cut short as `hurry` says.
    pub(super) fn hurry_by(&mut self, hurry: Arc<Hurry>) {
        self.hurry = hurry;
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

    /// Lets another process have the writer lease. The database stays open.
    pub(super) fn give_up_lease(&mut self) {
        self.lease = None;
        self.is_stale = true;
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

    /// Whether there is more to read of runs whose process is gone.
    pub(super) fn has_dead_left(&self) -> bool {
        self.runs.iter().any(|followed| !followed.own && followed.ending.is_some() && !followed.exhausted)
    }

    /// Ended calls of the own run that are committed, here or in a file that was set aside, and frames and values of it
    /// that could not be read.
    pub fn own_figures(&self) -> Option<(u64, u64)> {
        let own = self.runs.iter().find(|followed| followed.own && followed.loaded)?;
        let stored: u64 = own.facts.books.iter().map(|books| books.stored).sum();
        Some((stored + own.facts.elsewhere.iter().sum::<u64>(), own.facts.damaged))
    }

    /// What was worth a line since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// What was worth a line since the last call, and a person.
    pub fn take_errors(&mut self) -> Vec<String> {
        std::mem::take(&mut self.errors_said)
    }

    /// The own run has less than it should, for as long as it lasts; the tape is to say so.
    pub(super) fn own_run_has_less(&mut self, kind: &'static str, why: &str) {
        if let Some(own) = &self.own {
            self.incidents.of_run(own.run_id(), kind, why, unix_ns());
        }
    }

    /// The database is left alone from now on; the tape says so once it is back.
    pub(super) fn is_left_alone(&mut self, why: &str) {
        self.incidents.begins(UNREACHABLE, why, unix_ns());
    }

    /// Reads one batch and commits it. With `everything`, also looks for new runs and writes figures that would have
    /// waited.
    ///
    /// # Errors
    /// When the batch was not committed. Everything known is dropped then, and the next pass begins with the database.
    pub fn pass(&mut self, everything: bool) -> Result<Progress, DrainError> {
        self.pass_of(everything, MOST_CALLS)
    }

    /// Like [`Self::pass`], with a batch of at most `calls`.
    ///
    /// # Errors
    /// As [`Self::pass`].
    pub fn pass_of(&mut self, everything: bool, calls: usize) -> Result<Progress, DrainError> {
        let mut outcome = self.try_pass(everything, calls);
        if let Err(error) = &outcome {
            match self.put_right(error) {
                Ok(true) => outcome = self.try_pass(true, calls),
                Ok(false) => {}
                Err(error) => outcome = Err(error),
            }
        }
        self.gave_up = matches!(outcome, Err(DrainError::Store(StoreError::GivenUp)));
        match &outcome {
            Err(error) if error.is_a_wait() => self.wal_is_held(error),
            // Nothing is wrong with the database when a batch is given up; and of a WAL out of its place only the open
            // database can still reach the rows.
            Err(error) if self.gave_up || error.is_displaced() => {
                self.forget_but_store();
            }
            Err(_) => self.forget(),
            Ok(_) => {}
        }
        outcome
    }

    /// Drops everything known; the next pass begins with the database.
    pub(super) fn forget(&mut self) {
        self.store = None;
        self.runs.clear();
        self.batch.clear();
        self.minutes = Minutes::default();
        self.kinds.clear();
        self.removed.clear();
        self.next_scan_ns = 0;
    }

    fn forget_but_store(&mut self) {
        let store = self.store.take();
        self.forget();
        self.store = store;
    }

    fn try_pass(&mut self, everything: bool, calls: usize) -> Result<Progress, DrainError> {
        self.look_for_files();
        if !self.has_lease() {
            return Err(DrainError::Journal("another process holds the writer lease".to_owned()));
        }
        let now = monotonic_ns();
        self.ready_store()?;
        if std::mem::take(&mut self.is_stale) {
            self.forget_but_store();
        }
        if self.is_overfull() {
            self.prune(false, true)?;
            return Ok(Progress { more: true, ..Progress::default() });
        }
        if everything || now >= self.next_scan_ns || self.folder_has_changed() {
            self.scan()?;
            self.next_scan_ns = now + SCAN_EVERY_NS;
        }
        let mut pace = Pace::new(self.own.clone(), READING, Arc::clone(&self.hurry), !self.gave_up);
        let more = self.read(&mut pace, calls);
        let books_due = everything || now >= self.next_books_ns || !self.batch.moved.is_empty();
        let ending = self.runs.iter().any(|followed| followed.ending.is_some() && followed.exhausted);
        let counted = books_due
            && self.runs.iter_mut().any(|followed| !followed.changed_books().is_empty() || followed.has_counted());
        let mut progress = Progress { more, ..Progress::default() };
        let waiting = !self.removed.is_empty()
            || !self.carried_now.is_empty()
            || !self.incidents.is_empty()
            || self.runs.iter().any(Followed::has_new_spells);
        if !self.batch.moved.is_empty() || ending || counted || waiting {
            progress.calls = self.write(&mut pace)?;
            progress.committed = true;
        }
        if books_due {
            self.next_books_ns = now + BOOKS_EVERY_NS;
        }
        self.release()?;
        self.look_after_store(progress.committed, books_due)?;
        self.prune(progress.committed, progress.more)?;
        Ok(progress)
    }

    /// Checkpoints while calls come; lets go of memory when none came since the last look.
    fn look_after_store(&mut self, committed: bool, due: bool) -> Result<(), DrainError> {
        let Some(store) = &self.store else { return Ok(()) };
        if committed {
            self.stirred = true;
            store.checkpoint_if_due()?;
        } else if due && self.stirred && !self.ending_own {
            self.stirred = false;
            store.settle_down()?;
            self.batch = Batch::default();
            self.minutes = Minutes::default();
        }
        Ok(())
    }

    /// Reads a batch from all runs in turn; false when there is no more.
    fn read(&mut self, pace: &mut Pace, calls: usize) -> bool {
        self.batch.clear();
        self.batch.most_calls = self.most_calls(calls);
        self.carried_now.clear();
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
            if let Some(carried) = self.carried.get(&followed.run.id()) {
                followed.put_carried(place as u32, carried, &mut self.batch);
                self.carried_now.push(followed.run.id());
            }
            followed.exhausted = followed.read_into(place as u32, &mut self.batch, pace);
            if self.batch.is_full() || !followed.exhausted {
                return true;
            }
        }
        false
    }
}
