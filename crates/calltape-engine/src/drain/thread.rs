//! When the drain works: the background thread's loop.
//!
//! The thread polls, is woken early when a segment is sealed or somebody flushes, keeps the journal supplied, and asks
//! the breaker before every batch (`thread/round.rs`). It ends when the recorder says so, or pauses and hands itself back.

mod round;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use calltape_journal::{BackgroundThread, Journal, Positions, Pressure, monotonic_ns};

use super::pass::{CLEAN, Drain};
use super::pressure::{self, Cause};
use super::shared::{Shared, Wish};
use crate::breaker::{Breaker, Patience};
use crate::headroom;
use crate::messages::Level;
use crate::retention::Limits;
use crate::settings::{DrainBy, OnFull, Settings};
use round::Round;

/// Between two attempts at the writer lease while another process has it.
const LEASE_EVERY_NS: u64 = 250_000_000;

/// How long this process keeps the lease while others may have journals that only they can store.
const TURN_NS: u64 = 1_000_000_000;

/// How long it then leaves the lease to them: more than they wait between two attempts.
const PAUSE_NS: u64 = 2 * LEASE_EVERY_NS;

/// The drain with its breaker: what the thread owns, and hands back when it pauses.
pub(crate) struct Worker {
    drain: Drain,
    breaker: Breaker,
    /// None in a process that only drains.
    journal: Option<Arc<Journal>>,
    /// Another process is to drain, always.
    elsewhere: bool,
    shared: Arc<Shared>,
    db: PathBuf,
    interval: Duration,
    on_full: OnFull,
    next_lease_ns: u64,
    /// When the lease was taken.
    lease_since_ns: u64,
    /// The lease could not even be asked for, so that nobody is known to have it.
    lease_fails: bool,
    /// The journal's pressure when it was last looked at.
    pressure: Pressure,
    closed: bool,
    /// How far the own journal was written when its run was over.
    last: Option<Positions>,
    /// Another process has stored all of the own run and may remove its journal.
    abandoned: bool,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("drain", &self.drain).field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

/// Bytes of the thread's stack, which are address space: a program may have little. It uses less than half; see
/// `tests/test_memory_limits.py`.
const STACK_BYTES: usize = 512 << 10;

/// Where a worker waits for whoever takes it: its thread, or the recorder at the thread's end.
type Seat = Arc<Mutex<Option<Box<Worker>>>>;

/// The thread, which hands the worker back at its end.
#[derive(Debug)]
pub(crate) struct Running {
    thread: BackgroundThread,
    seat: Seat,
}

impl Running {
    /// Waits for the thread's end; the worker, but after a panic.
    pub(crate) fn join(self) -> Option<Box<Worker>> {
        self.thread.join();
        take(&self.seat)
    }
}

/// Says that the thread has stopped when it is dropped: nobody is to wait for one that a panic ended, or that never was.
struct Stopping(Arc<Shared>);

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.lock().stopped = true;
        self.0.tell();
    }
}

fn take(seat: &Seat) -> Option<Box<Worker>> {
    seat.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Starts the thread.
///
/// # Errors
/// When the system has no thread or no memory to give; the worker comes back with that.
pub(crate) fn spawn(worker: Box<Worker>) -> Result<Running, (Box<Worker>, io::Error)> {
    if !headroom::for_a_thread() {
        return Err((worker, io::ErrorKind::OutOfMemory.into()));
    }
    let shared = Arc::clone(&worker.shared);
    shared.lock().stopped = false;
    let seat = Arc::new(Mutex::new(Some(worker)));
    let of_thread = Arc::clone(&seat);
    let told = Stopping(Arc::clone(&shared));
    let work = move || {
        let _told = told;
        let worker = take(&of_thread).map(Worker::run);
        *of_thread.lock().unwrap_or_else(PoisonError::into_inner) = worker;
    };
    match BackgroundThread::spawn(c"calltape-drain", STACK_BYTES, work) {
        Ok(thread) => Ok(Running { thread, seat }),
        Err(fault) => match take(&seat) {
            Some(worker) => Err((worker, fault)),
            None => unreachable!("only the thread takes the worker"),
        },
    }
}

impl Worker {
    /// The worker of a process that records into `journal`, or of one that only drains.
    pub(crate) fn new(settings: &Settings, journal: Option<Arc<Journal>>, shared: Arc<Shared>) -> Self {
        let seed = journal.as_ref().map_or(u64::from(std::process::id()), |journal| journal.run_id()) ^ monotonic_ns();
        let mut drain = Drain::new(&settings.db, journal.clone());
        drain.keep_within(Limits::of(settings));
        drain.hurry_by(shared.hurry());
        let patience = Patience {
            threshold: settings.breaker_threshold,
            timeout: settings.breaker_timeout,
            busy_grace: settings.breaker_busy,
        };
        Self {
            drain,
            // A journal in memory is for this process alone to drain.
            elsewhere: settings.drain == DrainBy::Elsewhere
                && journal.as_ref().is_some_and(|journal| !journal.is_in_memory()),
            breaker: Breaker::new(patience, seed),
            journal,
            shared,
            db: settings.db.clone(),
            interval: settings.flush_interval,
            on_full: settings.on_full,
            next_lease_ns: 0,
            lease_since_ns: 0,
            lease_fails: false,
            pressure: Pressure::None,
            closed: false,
            last: None,
            abandoned: false,
        }
    }

    /// The journal is less than it should be; the tape is to say so.
    pub(crate) fn has_less_of_a_journal(&mut self, kind: &'static str, why: &str) {
        self.drain.own_run_has_less(kind, why);
    }

    /// Works on the calling thread until a flush is served or the time is over.
    pub(crate) fn serve(&mut self, ticket: u64, deadline: Instant) {
        while self.shared.served() < ticket {
            self.look_after_journal();
            let round = self.round(false, true);
            self.report(&round, ticket);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if !matches!(round, Round::More) && self.shared.served() < ticket {
                thread::sleep(self.interval.min(left));
            }
        }
    }

    /// Works until the recorder wishes otherwise.
    pub(crate) fn run(mut self: Box<Self>) -> Box<Self> {
        loop {
            self.look_after_journal();
            let ticket = self.shared.last_ticket();
            let wish = self.shared.wished();
            let deadline = match wish {
                Wish::Run => None,
                Wish::Pause | Wish::Abandon => break,
                Wish::Finish(deadline) => {
                    self.begin_end();
                    Some(deadline)
                }
            };
            let round = self.round(deadline.is_some(), ticket > self.shared.served());
            self.report(&round, ticket);
            if deadline.is_none() && matches!(round, Round::Done) {
                self.take_turns();
            }
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if late || (deadline.is_some() && self.is_done(&round)) {
                break;
            }
            if !matches!(round, Round::More) {
                self.shared.sleep(self.interval);
            }
        }
        self.stop()
    }

    /// Leaves the lease to others for a moment where only they can store what they recorded.
    fn take_turns(&mut self) {
        let now = monotonic_ns();
        if self.drain.lets_others_drain() && now >= self.lease_since_ns + TURN_NS {
            self.drain.give_up_lease();
            self.next_lease_ns = now + PAUSE_NS;
        }
    }

    /// From here on the run is over: said in its journal for whoever drains it, and to the own drain.
    fn begin_end(&mut self) {
        if !self.closed {
            self.closed = true;
            self.drain.look_for_files();
            if let Some(journal) = &self.journal {
                journal.close(CLEAN);
                self.drain.end_own();
                self.last = Some(journal.positions());
            }
        }
        // Whoever has it may be ending too.
        self.next_lease_ns = 0;
    }

    /// Whether nothing is left for a process that ends: another one has settled its run, or it has itself, and has
    /// finished what it had begun to read of those that are gone.
    fn is_done(&mut self, round: &Round) -> bool {
        let Some(journal) = &self.journal else { return !matches!(round, Round::More) };
        if self.drain.has_lease() {
            return self.drain.own_has_ended() && !(matches!(round, Round::More) && self.drain.has_dead_left());
        }
        if self.drain.own_is_gone() {
            return false;
        }
        if !self.abandoned && self.last.as_ref().is_some_and(|last| journal.drained_past(last)) {
            self.abandoned = true;
            journal.abandon();
        }
        // Whoever is to drain may not even be there.
        self.elsewhere || self.is_settled_elsewhere()
    }

    /// Whether another process has stored all of the own run and removed its journal. Asked once more with the lease
    /// in hand: from then on nobody else does.
    fn is_settled_elsewhere(&self) -> bool {
        self.abandoned && self.journal.as_ref().is_some_and(|journal| !journal.is_there())
    }

    fn look_after_journal(&mut self) {
        self.drain.look_for_files();
        self.say_what_was_left();
        let Some(journal) = &self.journal else { return };
        journal.maintain();
        let now = journal.pressure();
        let before = std::mem::replace(&mut self.pressure, now);
        if before != now
            && let Some((level, line)) = pressure::line(before, now, self.on_full, self.why_it_fills())
        {
            self.shared.messages.say(level, line);
        }
    }

    fn why_it_fills(&self) -> Cause<'_> {
        match self.breaker.last_error() {
            _ if !self.drain.has_lease() && !self.lease_fails && !self.drain.lets_others_drain() => Cause::Elsewhere,
            Some(error) if self.breaker.failures() > 0 || self.drain.waits_for_a_reader() => Cause::Database(error),
            _ => Cause::Pace,
        }
    }

    fn say_what_was_left(&mut self) {
        for error in self.drain.take_errors() {
            self.shared.messages.say(Level::Error, error);
        }
        for warning in self.drain.take_warnings() {
            self.shared.messages.say(Level::Warning, warning);
        }
    }

    /// Puts what is known where the recorder finds it.
    fn report(&self, round: &Round, ticket: u64) {
        let now = monotonic_ns();
        let mut figures = self.shared.lock();
        figures.drains = self.drain.has_lease();
        figures.elsewhere = matches!(round, Round::Elsewhere);
        if let Some((stored, damaged)) = self.drain.own_figures() {
            (figures.stored, figures.damaged) = (stored, damaged);
        }
        if matches!(round, Round::Done) {
            figures.caught_up_ns = now;
        }
        if matches!(round, Round::Done | Round::Elsewhere) {
            self.shared.serve(ticket);
        }
        let breaker = &mut figures.breaker;
        breaker.state = self.breaker.state().name();
        (breaker.opens, breaker.failures) = (self.breaker.opens(), self.breaker.failures());
        if breaker.last_error.as_deref() != self.breaker.last_error() {
            breaker.last_error = self.breaker.last_error().map(str::to_owned);
        }
        figures.next_probe_ns = self.breaker.until_probe(now).map(|left| now.saturating_add(left.as_nanos() as u64));
        figures.own_ended = self.drain.own_has_ended() || self.is_settled_elsewhere();
        drop(figures);
        self.shared.tell();
    }

    fn stop(self: Box<Self>) -> Box<Self> {
        let mut figures = self.shared.lock();
        figures.stopped = true;
        drop(figures);
        self.shared.tell();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_thread_that_a_panic_ended() {
        let shared = Arc::new(Shared::new());
        shared.lock().stopped = false;
        let told = Stopping(Arc::clone(&shared));
        let work = move || {
            let _told = told;
            panic!("of the drain's own");
        };
        BackgroundThread::spawn(c"panics", STACK_BYTES, work).unwrap().join();
        assert!(shared.wait(Instant::now(), Duration::ZERO, |figures| figures.stopped));
    }
}
