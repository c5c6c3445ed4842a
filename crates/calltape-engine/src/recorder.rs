//! One process's recording: its journal and the background thread that drains. Made by the Python side at the first
//! recorded call or by `start`; the only thing it needs of this crate besides settings.
//!
//! Starting opens no database, so a locked or broken one delays nobody. In a forked child the recorder must be leaked
//! (`mem::forget`): its thread is not there, and its database connection is the parent's. `recorder/rest.rs` brings the
//! thread to rest before a fork and back after it.

mod rest;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use calltape_journal::{Journal, JournalError, Options, Run, RunIdentity, monotonic_ns};

use crate::drain::{self, Shared, Wish, Worker};
use crate::ladder::{self, Rung};
use crate::messages::Level;
use crate::settings::{DrainBy, Settings};
use crate::stats::Stats;
use crate::store::{StoreError, stored_of_run};

/// A flush looks at the journal this often, because another process may drain it and tells nobody.
const FLUSH_LOOK: Duration = Duration::from_millis(2);

/// How long a wait for the thread outlasts the deadline the thread itself was given.
const GRACE: Duration = Duration::from_millis(50);

/// Between two tries to get what another thread has for moments.
const TRY_AGAIN: Duration = Duration::from_micros(100);

/// Why a recording could not be started.
#[derive(Debug)]
pub enum StartError {
    /// When the folder of the database could not be made.
    Folder(StoreError),
    /// When the journal could not be made.
    Journal(JournalError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(fault) => fault.fmt(f),
            Self::Journal(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder(fault) => Some(fault),
            Self::Journal(fault) => Some(fault),
        }
    }
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopReport {
    /// Everything recorded is in the database and the journal is gone, or another process has it all.
    pub drained: bool,
    /// Bytes of journal left for a later start; 0 when drained.
    pub left_bytes: u64,
    /// Another process has the writer lease, and stores what is left.
    pub elsewhere: bool,
}

/// Where the thread is.
#[derive(Debug)]
enum Place {
    Running(drain::Running),
    Paused(Box<Worker>),
    Over,
}

/// One process's recording.
pub struct Recorder {
    settings: Settings,
    journal: Arc<Journal>,
    /// Which kind of journal it is.
    rung: Rung,
    shared: Arc<Shared>,
    /// The own run, for its slots and counters.
    run: Mutex<Run>,
    place: Mutex<Place>,
    /// Forks that the thread rests for.
    holds: AtomicU32,
    /// After the last of them the system had no thread to give.
    stranded: AtomicBool,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// Makes the folders and the best journal there is room for, and starts the background thread; where the system has
    /// no thread to give, whoever waits for the database does its work.
    ///
    /// # Errors
    /// When a setting cannot be used, or there is no memory at all. What is wrong with the journal, and later with the
    /// database, shows in [`Self::stats`] and [`Self::take_messages`].
    pub fn start(settings: &Settings, identity: &RunIdentity) -> Result<Self, StartError> {
        let options = Options { limit_bytes: settings.journal_limit, ..Options::default() };
        Self::start_with(settings, identity, &options)
    }

    /// Like [`Self::start`], with a journal cut otherwise: tests shrink it until it is full.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(settings: &Settings, identity: &RunIdentity, options: &Options) -> Result<Self, StartError> {
        let begun = ladder::begin(settings, identity, options)?;
        let line = begun.line();
        let journal = Arc::new(begun.journal);
        let shared = Arc::new(Shared::new());
        for problem in settings.problems() {
            shared.messages.say(Level::Warning, problem.clone());
        }
        let waking = Arc::clone(&shared);
        journal.set_wake(move || waking.wake());
        let mut worker = Worker::new(settings, Some(Arc::clone(&journal)), Arc::clone(&shared));
        if let (Some(line), Some(kind)) = (line, begun.rung.incident()) {
            worker.has_less_of_a_journal(kind, &line);
            shared.messages.say(Level::Warning, line);
        }
        let recorder = Self {
            settings: settings.clone(),
            journal,
            rung: begun.rung,
            shared,
            run: Mutex::new(begun.run),
            place: Mutex::new(Place::Paused(Box::new(worker))),
            holds: AtomicU32::new(0),
            stranded: AtomicBool::new(false),
        };
        recorder.resume();
        Ok(recorder)
    }

    /// The journal, for the callers' threads.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Wakes the background thread.
    pub fn wake(&self) {
        self.shared.wake();
    }

    /// Waits until everything recorded before the call is committed, whichever process drains; false when the time is
    /// over first.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.rescue();
        let deadline = Instant::now() + timeout;
        let positions = self.journal.positions();
        let ticket = self.shared.want_flush();
        self.work_here(ticket, deadline);
        self.shared.wait(deadline, FLUSH_LOOK, |figures| {
            (self.shared.is_served(ticket) || figures.own_ended) && self.journal.drained_past(&positions)
        })
    }

    /// For an exit that is not the very end: stores what there is, and goes on recording.
    pub fn quiesce(&self, timeout: Duration) -> StopReport {
        // Whoever is to drain does it in its own time, or is not there at all.
        let is_elsewhere = self.settings.drain == DrainBy::Elsewhere && !self.journal.is_in_memory();
        let drained = self.flush(if is_elsewhere { Duration::ZERO } else { timeout });
        self.report(drained)
    }

    fn report(&self, drained: bool) -> StopReport {
        let left_bytes = if drained { 0 } else { self.journal.occupancy().bytes_leased_or_sealed };
        StopReport { drained, left_bytes, elsewhere: self.shared.figures().elsewhere }
    }

    /// The very end: stores what there is until the time is over, ends the run and removes its journal. Nothing may
    /// be recorded afterwards; what could not be stored stays in the journal for a later start.
    pub fn finish(&self, timeout: Duration) -> StopReport {
        let deadline = Instant::now() + timeout;
        let positions = self.journal.positions();
        let mut place = self.place_between_forks();
        self.resume_in(&mut place);
        self.shared.wish(Wish::Finish(deadline));
        match std::mem::replace(&mut *place, Place::Over) {
            // No thread to be had: its work is done here.
            Place::Paused(worker) => drop(worker.run()),
            Place::Running(thread) => {
                if self.shared.wait(deadline + GRACE, GRACE, |figures| figures.stopped) {
                    // The join waits for the thread's last instructions only. Dropping the worker closes the database.
                    drop(thread.join());
                }
            }
            Place::Over => {}
        }
        let drained = self.shared.figures().own_ended || self.journal.drained_past(&positions);
        self.report(drained)
    }

    fn place_between_forks(&self) -> MutexGuard<'_, Place> {
        loop {
            let place = held(&self.place);
            if self.holds.load(Ordering::Acquire) == 0 {
                return place;
            }
            drop(place);
            thread::sleep(TRY_AGAIN);
        }
    }

    /// Where there is no thread and none to be had: does its work until a flush is served.
    fn work_here(&self, ticket: u64, deadline: Instant) {
        let mut place = self.place_between_forks();
        if matches!(*place, Place::Paused(_))
            && !self.resume_in(&mut place)
            && let Place::Paused(worker) = &mut *place
        {
            worker.serve(ticket, deadline);
        }
    }

    /// Has `announce` called when a line for the log is left, on whichever thread leaves it; it must be quick and must not
    /// call the recorder.
    pub fn announce_messages(&self, announce: fn()) {
        self.shared.messages.announce_by(announce);
    }

    /// Takes the lines for the log that gathered since the last call.
    pub fn take_messages(&self) -> Vec<(Level, String)> {
        self.shared.messages.take()
    }

    /// How the recording is doing.
    pub fn stats(&self) -> Stats {
        self.rescue();
        let figures = self.shared.figures();
        let occupancy = self.journal.occupancy();
        let mut stats = Stats {
            recorded: 0,
            stored: figures.stored,
            sampled_out: 0,
            dropped: 0,
            dropped_errors: 0,
            in_flight: 0,
            journal_bytes: occupancy.bytes_leased_or_sealed,
            journal_capacity: occupancy.limit_bytes,
            breaker: figures.breaker,
            writes: figures.writes,
            lag_s: 0.0,
            damaged: figures.damaged,
            drains: figures.drains,
            pressure: self.journal.pressure().name(),
            journal: self.rung.name(),
        };
        if !figures.drains {
            let stored = stored_of_run(&self.settings.db, self.journal.run_id());
            stats.stored = stored.unwrap_or(0).max(stats.stored);
        }
        let slots = held(&self.run).slots_in_use();
        for counters in (0..slots).map(|slot| self.journal.counters(slot).values()) {
            stats.recorded += counters.calls;
            stats.sampled_out += counters.sampled_out;
            stats.dropped += counters.dropped;
            stats.dropped_errors += counters.dropped_errors;
        }
        let settled = stats.stored + stats.sampled_out + stats.dropped;
        stats.in_flight = stats.recorded.saturating_sub(settled);
        if figures.drains && stats.in_flight > 0 {
            stats.lag_s = monotonic_ns().saturating_sub(figures.caught_up_ns) as f64 / 1e9;
        }
        stats
    }
}

impl Drop for Recorder {
    /// Without [`Recorder::finish`] the run is left as a death leaves it, to be adopted by whoever drains next.
    fn drop(&mut self) {
        if let Place::Running(thread) = std::mem::replace(&mut *held(&self.place), Place::Over) {
            self.shared.wish(Wish::Abandon);
            drop(thread.join());
        }
    }
}
