//! Keeping the own journal supplied while a batch is worked on: callers fill a segment in milliseconds, a batch takes
//! tens of them. Called for every frame and row; looks at the clock for few of them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use calltape_journal::Journal;

/// Work between two looks after the journal: a caller at full speed fills a quarter of a segment in it.
const EVERY: Duration = Duration::from_millis(1);

/// Steps (frames, rows; about a microsecond each) between two looks at the clock.
const STEPS: u32 = 64;

/// How a batch under way is to be cut short.
#[derive(Debug, Default)]
pub(super) struct Hurry(AtomicU8);

impl Hurry {
    pub(super) const NONE: u8 = 0;
    /// What is read is written, and no more is read.
    pub(super) const READ_NO_MORE: u8 = 1;
    /// What is written is rolled back, to be read again.
    pub(super) const GIVE_UP: u8 = 2;

    pub(super) fn set(&self, hurry: u8) {
        self.0.store(hurry, Ordering::Relaxed);
    }
}

/// The pace of one pass.
pub(super) struct Pace {
    journal: Option<Arc<Journal>>,
    hurry: Arc<Hurry>,
    may_give_up: bool,
    steps: u32,
    next: Instant,
    deadline: Instant,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl Pace {
    /// Reading ends after `reading`, or when `hurry` says so; writing is given up by it only where it `may_give_up`.
    pub(super) fn new(journal: Option<Arc<Journal>>, reading: Duration, hurry: Arc<Hurry>, may_give_up: bool) -> Self {
        let now = Instant::now();
        Self { journal, hurry, may_give_up, steps: 0, next: now + EVERY, deadline: now + reading }
    }

    /// One step of work; true when reading has taken long enough for one batch.
    #[inline]
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        self.steps.is_multiple_of(STEPS) && self.look()
    }

    /// Looks after the journal where it is time to; true when the work has taken long enough.
    pub(super) fn look(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.next {
            if let Some(journal) = &self.journal {
                journal.maintain();
            }
            self.next = Instant::now() + EVERY;
        }
        now >= self.deadline || self.hurry.0.load(Ordering::Relaxed) != Hurry::NONE
    }

    /// Whether the batch is to be rolled back.
    pub(super) fn gives_up(&self) -> bool {
        self.may_give_up && self.hurry.0.load(Ordering::Relaxed) == Hurry::GIVE_UP
    }
}
