//! How long a walk may take.
//!
//! The clock is read every so many items. Half of what is allowed is told by the wall clock, the rest by the thread's
//! own processor time, so that a thread which was put aside keeps its values. Where the program's own code runs within a
//! walk, time on the wall counts.

use calltape_journal::monotonic_ns;

use super::walk::Capture;

/// Items between two looks at the clock: some microseconds.
const STEPS_A_LOOK: u32 = 64;

/// How the time is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timing {
    /// Not yet.
    Unread,
    /// By the wall clock, up to here.
    Wall(u64),
    /// By the thread's processor time, up to here.
    Processor(u64),
    /// It is over.
    Over,
}

impl Capture<'_> {
    /// Counts an item; looks at the clock now and then.
    #[inline]
    pub(super) fn step(&mut self) {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_A_LOOK) {
            self.look_at_the_clock();
        }
    }

    /// Whether the time is over: what is left is only named.
    #[inline]
    pub(super) fn is_late(&self) -> bool {
        matches!(self.timing, Timing::Over)
    }

    /// Reads the clock before something of unknown length, as the program's own code. False where that must not begin
    /// now: the value is only tried, and will be walked again.
    #[must_use]
    pub(super) fn begin_unbounded(&mut self) -> bool {
        if self.is_trial {
            self.squeeze();
            return false;
        }
        if matches!(self.timing, Timing::Unread) {
            self.timing = Timing::Wall(monotonic_ns().saturating_add(self.policy.max_capture_ns / 2));
        }
        true
    }

    /// Looks at the clock after it: time on the wall counts.
    pub(super) fn end_unbounded(&mut self) {
        let rest = self.policy.max_capture_ns - self.policy.max_capture_ns / 2;
        if let Timing::Wall(half) = self.timing
            && monotonic_ns() >= half.saturating_add(rest)
        {
            self.timing = Timing::Over;
        }
        self.look_at_the_clock();
    }

    #[cold]
    #[inline(never)]
    fn look_at_the_clock(&mut self) {
        let half = self.policy.max_capture_ns / 2;
        self.timing = match self.timing {
            Timing::Unread => Timing::Wall(monotonic_ns().saturating_add(half)),
            Timing::Wall(until) if monotonic_ns() >= until => match self.policy.max_capture_ns {
                0 => Timing::Over,
                _ => Timing::Processor(processor_ns().saturating_add(half)),
            },
            Timing::Processor(until) if processor_ns() >= until => Timing::Over,
            same => same,
        };
    }
}

/// The processor time of this thread, in nanoseconds.
fn processor_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is valid, and the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
