//! Keeping the own journal supplied while a batch is worked on: callers fill a segment in milliseconds, a batch takes
//! tens of them. Called for every frame and row; looks at the clock for few of them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use calltape_journal::Journal;

/// Work between two looks after the journal: a caller at full speed fills a quarter of a segment in it.
const EVERY: Duration = Duration::from_millis(1);

/// Steps (frames, rows; about a microsecond each) between two looks at the clock.
const STEPS: u32 = 64;

/// The pace of one pass.
pub(super) struct Pace {
    journal: Option<Arc<Journal>>,
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
    pub(super) fn new(journal: Option<Arc<Journal>>, reading: Duration) -> Self {
        let now = Instant::now();
        Self { journal, steps: 0, next: now + EVERY, deadline: now + reading }
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
        now >= self.deadline
    }
}
