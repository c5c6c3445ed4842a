//! What the recorder and the drain's thread share: wishes one way, figures the other.
//! Locked for moments only, never while the database or the disk is at work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use calltape_journal::monotonic_ns;

use super::pace::Hurry;
use crate::breaker::State;
use crate::messages::Messages;
use crate::stats::BreakerStats;

/// What the thread is asked to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Go on.
    #[default]
    Run,
    /// Hand the worker back, as before a fork.
    Pause,
    /// Stop at once; what is left looks like a death to whoever drains next.
    Abandon,
    /// Drain until then at most, end the run, stop.
    Finish(Instant),
}

/// What the thread last knew.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) drains: bool,
    pub(crate) stored: u64,
    pub(crate) damaged: u64,
    pub(crate) writes: u64,
    /// Calls in them, begun or ended, of all runs.
    pub(crate) calls: u64,
    pub(crate) caught_up_ns: u64,
    pub(crate) breaker: BreakerStats,
    pub(super) next_probe_ns: Option<u64>,
    wish: Wish,
    pub(crate) stopped: bool,
    pub(crate) own_ended: bool,
    /// Another process has the writer lease.
    pub(crate) elsewhere: bool,
}

/// What recorder and thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    figures: Mutex<Figures>,
    /// Told after each pass.
    progress: Condvar,
    flushes_wanted: AtomicU64,
    flushes_served: AtomicU64,
    /// Whether a wish other than [`Wish::Run`] waits; looked at between batches without the lock.
    wished: AtomicBool,
    /// How a batch under way is to be cut short for [`Wish::Pause`].
    hurry: Arc<Hurry>,
    /// Whether the thread is to wake, or not to sleep at all.
    woken: Mutex<bool>,
    bell: Condvar,
    pub(crate) messages: Messages,
}

impl Shared {
    pub(crate) fn new() -> Self {
        let breaker =
            BreakerStats { state: State::Closed.name(), opens: 0, failures: 0, last_error: None, next_probe_s: None };
        let figures = Figures {
            drains: false,
            stored: 0,
            damaged: 0,
            writes: 0,
            calls: 0,
            caught_up_ns: monotonic_ns(),
            breaker,
            next_probe_ns: None,
            wish: Wish::Run,
            stopped: true,
            own_ended: false,
            elsewhere: false,
        };
        Self {
            figures: Mutex::new(figures),
            progress: Condvar::new(),
            flushes_wanted: AtomicU64::new(0),
            flushes_served: AtomicU64::new(0),
            wished: AtomicBool::new(false),
            hurry: Arc::default(),
            woken: Mutex::new(false),
            bell: Condvar::new(),
            messages: Messages::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the thread last knew, the time to the next probe counted from now.
    pub(crate) fn figures(&self) -> Figures {
        let mut figures = self.lock().clone();
        figures.breaker.next_probe_s = figures.next_probe_ns.map(|at| at.saturating_sub(monotonic_ns()) as f64 / 1e9);
        figures
    }

    /// Wakes the thread if it sleeps, or else keeps it from the next sleep.
    pub(crate) fn wake(&self) {
        // Whoever woke it before has told it.
        if !std::mem::replace(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner), true) {
            self.bell.notify_one();
        }
    }

    /// Sleeps, for whoever runs the worker, until it is woken or the time is over.
    pub(super) fn sleep(&self, time: Duration) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(woken, time, |woken| !*woken);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    /// Asks for something.
    pub(crate) fn wish(&self, wish: Wish) {
        self.lock().wish = wish;
        // Release; its partner is the load in `Worker::run`, which then takes the lock.
        self.wished.store(wish != Wish::Run, Ordering::Release);
        self.hurry.set(if wish == Wish::Pause { Hurry::READ_NO_MORE } else { Hurry::NONE });
        self.wake();
    }

    /// A pause is wished for so long that the batch under way is better begun again later.
    pub(crate) fn give_up_the_batch(&self) {
        self.hurry.set(Hurry::GIVE_UP);
    }

    pub(super) fn hurry(&self) -> Arc<Hurry> {
        Arc::clone(&self.hurry)
    }

    /// Asks for a flush. The ticket is served by the next round that stored all it found, counts included, or that found
    /// another process draining.
    pub(crate) fn want_flush(&self) -> u64 {
        let ticket = self.flushes_wanted.fetch_add(1, Ordering::AcqRel) + 1;
        self.wake();
        ticket
    }

    pub(crate) fn is_served(&self, ticket: u64) -> bool {
        self.flushes_served.load(Ordering::Acquire) >= ticket
    }

    /// Waits for `done`, looked at after each pass and at least every `look`; false when the time is over first.
    pub(crate) fn wait(&self, deadline: Instant, look: Duration, mut done: impl FnMut(&Figures) -> bool) -> bool {
        let mut figures = self.lock();
        loop {
            if done(&figures) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            figures = self.progress.wait_timeout(figures, left.min(look)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What is wished for now; takes the lock only when something is.
    pub(super) fn wished(&self) -> Wish {
        // Acquire; its partner is the store in `wish`.
        if self.wished.load(Ordering::Acquire) { self.lock().wish } else { Wish::Run }
    }

    /// The last ticket given out. Acquire: what was recorded before it is visible.
    pub(super) fn last_ticket(&self) -> u64 {
        self.flushes_wanted.load(Ordering::Acquire)
    }

    pub(super) fn serve(&self, ticket: u64) {
        self.flushes_served.store(ticket, Ordering::Release);
    }

    pub(super) fn served(&self) -> u64 {
        self.flushes_served.load(Ordering::Acquire)
    }

    /// Tells whoever waits to look again.
    pub(super) fn tell(&self) {
        self.progress.notify_all();
    }
}
