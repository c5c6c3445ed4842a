//! One process's recording: its journal and the background thread that drains. Made by the Python side at the first
//! recorded call or by `start`; the only thing it needs of this crate besides settings.
//!
//! Starting opens no database, so a locked or broken one delays nobody. In a forked child the recorder must be leaked
//! (`mem::forget`): its thread is not there, and its database connection is the parent's.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use calltape_journal::{Journal, JournalError, Options, Run, RunIdentity, monotonic_ns};

use crate::drain::{self, Shared, Wish, Worker, spawn};
use crate::ladder::{self, Rung};
use crate::messages::Level;
use crate::settings::Settings;
use crate::stats::Stats;
use crate::store::{StoreError, stored_of_run};

/// A flush looks at the journal this often, because another process may drain it and tells nobody.
const FLUSH_LOOK: Duration = Duration::from_millis(2);

/// How long a wait for the thread outlasts the deadline the thread itself was given.
const GRACE: Duration = Duration::from_millis(50);

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
        let deadline = Instant::now() + timeout;
        let positions = self.journal.positions();
        let ticket = self.shared.want_flush();
        self.work_here(ticket, deadline);
        self.shared.wait(deadline, FLUSH_LOOK, |figures| {
            (self.shared.is_served(ticket) || figures.own_ended) && self.journal.drained_past(&positions)
        })
    }

    /// For an exit that is not the very end: stores what there is, and goes on recording. As [`Self::flush`].
    pub fn quiesce(&self, timeout: Duration) -> bool {
        self.flush(timeout)
    }

    /// The very end: stores what there is until the time is over, ends the run and removes its journal. Nothing may
    /// be recorded afterwards; what could not be stored stays in the journal for a later start.
    pub fn finish(&self, timeout: Duration) -> StopReport {
        let deadline = Instant::now() + timeout;
        let positions = self.journal.positions();
        let mut place = held(&self.place);
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
        let left_bytes = if drained { 0 } else { self.journal.occupancy().bytes_leased_or_sealed };
        StopReport { drained, left_bytes }
    }

    /// Stops the thread without ending the run, as before a fork; false when it is in the middle of a batch for longer
    /// than `timeout`, and then it goes on.
    pub fn pause(&self, timeout: Duration) -> bool {
        let mut place = held(&self.place);
        if !matches!(*place, Place::Running(_)) {
            return true;
        }
        self.shared.wish(Wish::Pause);
        let stopped = self.shared.wait(Instant::now() + timeout, timeout, |figures| figures.stopped);
        if !stopped {
            self.shared.wish(Wish::Run);
            // It may have stopped between the two.
            if !self.shared.figures().stopped {
                return false;
            }
        }
        if let Place::Running(thread) = std::mem::replace(&mut *place, Place::Over)
            && let Ok(Some(worker)) = thread.join()
        {
            *place = Place::Paused(worker);
        }
        self.shared.wish(Wish::Run);
        true
    }

    /// Starts the thread again after [`Self::pause`]; false when the system has no thread to give.
    pub fn resume(&self) -> bool {
        self.resume_in(&mut held(&self.place))
    }

    fn resume_in(&self, place: &mut Place) -> bool {
        let worker = match std::mem::replace(place, Place::Over) {
            Place::Paused(worker) => worker,
            other => {
                *place = other;
                return true;
            }
        };
        match spawn(worker) {
            Ok(thread) => {
                *place = Place::Running(thread);
                true
            }
            Err((worker, fault)) => {
                *place = Place::Paused(worker);
                let line =
                    format!("the background thread cannot be started ({fault}); flush() and the exit do its work");
                self.shared.messages.say(Level::Warning, line);
                false
            }
        }
    }

    /// Where there is no thread and none to be had: does its work until a flush is served.
    fn work_here(&self, ticket: u64, deadline: Instant) {
        let mut place = held(&self.place);
        if matches!(*place, Place::Paused(_))
            && !self.resume_in(&mut place)
            && let Place::Paused(worker) = &mut *place
        {
            worker.serve(ticket, deadline);
        }
    }

    /// Takes the lines for the log that gathered since the last call.
    pub fn take_messages(&self) -> Vec<(Level, String)> {
        self.shared.messages.take()
    }

    /// How the recording is doing.
    pub fn stats(&self) -> Stats {
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
