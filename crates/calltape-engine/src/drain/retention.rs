//! Retention inside the drain: one small step after a pass, where the journal leaves time for it. What is due is decided
//! in `retention.rs` of the crate, what is removed in `store/prune.rs`; this is when, and the clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use calltape_journal::{Journal, Pressure, monotonic_ns, unix_ns};

use super::commit::reached;
use super::outcome::{DrainError, Point};
use super::pace::Pace;
use super::pass::Drain;
use crate::retention::{Done, Limits, Moment, Retention, Step};
use crate::store::{Removed, Store, StoreError, Transaction};

/// A step ends after this long, some 2,000 rows: with its commit it stays well below 50 ms where neither the processor
/// nor the disk is taken by others.
const STEP: Duration = Duration::from_millis(4);

/// While the tape is too large, steps follow one another for so long after each batch.
const CROWDED: Duration = Duration::from_millis(20);

/// Calls a batch takes then, where more wait: fewer than can be removed in that time.
const CROWDED_CALLS: usize = 4096;

/// What retention has done since the drain began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruning {
    /// Steps, each a transaction.
    pub steps: u64,
    /// Rows of all tables that went, and pages given back.
    pub removed: u64,
    /// The longest step, commit included.
    pub longest: Duration,
}

/// Retention as the drain has it.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    retention: Option<Retention>,
    /// The time a test pretends.
    pretended_ns: Option<i64>,
    /// The tape was too large at the last look, and calls waited.
    crowded: bool,
    pruning: Pruning,
}

impl Keeping {
    fn moment(&self) -> Moment {
        Moment { monotonic_ns: monotonic_ns(), unix_ns: self.pretended_ns.unwrap_or_else(unix_ns) }
    }

    fn did(&mut self, step: Step, done: Done) {
        let pruning = &mut self.pruning;
        pruning.steps += 1;
        pruning.removed += done.removed;
        pruning.longest = pruning.longest.max(done.took);
        let now = self.moment();
        if let Some(retention) = &mut self.retention {
            retention.did(step, done, now);
        }
    }
}

impl Drain {
    /// Keeps the tape within `limits` from now on; without this nothing is ever removed.
    pub fn keep_within(&mut self, limits: Limits) {
        self.keeping.retention = (limits != Limits::default()).then(|| Retention::new(limits));
    }

    /// As [`Self::keep_within`], with a retention of the test's choice.
    #[doc(hidden)]
    pub fn keep_with(&mut self, retention: Retention) {
        self.keeping.retention = Some(retention);
    }

    /// Makes ages count from `unix_ns` instead of from the clock. For tests.
    #[doc(hidden)]
    pub fn pretend_time(&mut self, unix_ns: i64) {
        self.keeping.pretended_ns = Some(unix_ns);
    }

    /// The runs settled since the last call, each with how many frames and values of it could not be read.
    pub fn take_settled(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.settled)
    }

    /// What retention has done so far.
    pub fn pruning(&self) -> Pruning {
        self.keeping.pruning
    }

    /// Calls that the next batch may take: fewer while the tape is too large, so that removing keeps up with storing.
    pub(super) fn most_calls(&self, calls: usize) -> usize {
        if self.keeping.crowded { calls.min(CROWDED_CALLS) } else { calls }
    }

    /// Does the next step that is due, if there is time for it: one, or several while the tape is too large. `stored`:
    /// a batch was just committed; `full`: more waits.
    pub(super) fn prune(&mut self, stored: bool, full: bool) -> Result<(), DrainError> {
        let busy = full || self.own.as_ref().is_some_and(|journal| is_filling(journal));
        let began = Instant::now();
        let is_pressed = |drain: &Self| drain.keeping.retention.as_ref().is_some_and(Retention::is_pressed);
        let mut stepped = false;
        while !self.ending_own && self.next_step(stored, busy)? {
            stepped = true;
            if !is_pressed(self) || began.elapsed() >= CROWDED {
                break;
            }
        }
        // What was removed last has made the WAL longer.
        if let (true, Some(store), Some(retention)) = (stepped, &self.store, &mut self.keeping.retention) {
            retention.weigh(store.room()?);
        }
        self.keeping.crowded = busy && is_pressed(self);
        Ok(())
    }

    /// Whether room has to be made before more is stored: the journal holds meanwhile. Never at the end of the process.
    pub(super) fn is_overfull(&self) -> bool {
        !self.ending_own && self.keeping.retention.as_ref().is_some_and(Retention::is_overfull)
    }

    /// False when none is due now.
    fn next_step(&mut self, stored: bool, busy: bool) -> Result<bool, DrainError> {
        let now = self.keeping.moment();
        let (Some(store), Some(retention)) = (&mut self.store, &mut self.keeping.retention) else { return Ok(false) };
        if !retention.looks(now, stored || busy) {
            return Ok(false);
        }
        let Some(step) = retention.next(now, busy, store.room()?) else { return Ok(false) };
        let mut pace = Pace::new(self.own.clone(), STEP, Arc::clone(&self.hurry), false);
        let observer = &mut self.observer;
        let done = perform(store, step, &mut || pace.look(), || reached(observer, Point::BeforePrune))?;
        self.stirred = true;
        store.checkpoint_if_due()?;
        if step == Step::Names {
            // Numbers at hand may be gone.
            self.kinds.clear();
            self.runs.iter_mut().for_each(|followed| followed.facts.forget_numbers());
        }
        self.keeping.did(step, done);
        Ok(true)
    }
}

/// A journal that is under pressure, or more than half full, needs the drain for itself.
fn is_filling(journal: &Journal) -> bool {
    let occupancy = journal.occupancy();
    journal.pressure() != Pressure::None || occupancy.bytes_leased_or_sealed > occupancy.limit_bytes / 2
}

/// When a step that begins now has taken long enough.
pub(crate) fn a_step_long() -> impl FnMut() -> bool {
    let end = Instant::now() + STEP;
    move || Instant::now() >= end
}

/// Does one step in a transaction of its own. `late` is asked every few rows, `before_commit` called where there is
/// something to commit.
pub(crate) fn perform(
    store: &mut Store,
    step: Step,
    late: &mut dyn FnMut() -> bool,
    before_commit: impl FnOnce() -> Result<(), DrainError>,
) -> Result<Done, DrainError> {
    let began = Instant::now();
    let removed = if step == Step::CutWal {
        Removed { finished: store.cut_wal()?, ..Removed::default() }
    } else {
        let transaction = store.begin()?;
        let removed = remove(&transaction, step, late)?;
        if removed.rows > 0 {
            before_commit()?;
            transaction.commit()?;
        }
        removed
    };
    let Removed { rows, errors, reached_id, finished } = removed;
    Ok(Done { removed: rows, errors, reached_id, finished, took: began.elapsed() })
}

fn remove(transaction: &Transaction<'_>, step: Step, late: &mut dyn FnMut() -> bool) -> Result<Removed, StoreError> {
    match step {
        Step::Calls(span) => transaction.prune_calls(&span, late),
        Step::Minutes(before) => transaction.prune_minutes(before, late),
        Step::Runs(ended_ns) => transaction.prune_runs(ended_ns, late),
        Step::Names => transaction.prune_names(late),
        Step::Vacuum(bytes) => transaction.vacuum(bytes, late),
        Step::CutWal => Ok(Removed { finished: true, ..Removed::default() }),
    }
}
