//! The clock of the caller's path: CLOCK_MONOTONIC, told by the processor's counter between readings.
//!
//! Reading the kernel's clock twice was the largest single cost of a recorded call (30 ns a reading, 19 by the counter).
//! Each thread keeps a recent pair of both clocks and goes on from there by the counter, for [`KEPT_NS`] at most; the
//! pair is then taken anew, so an error of the rate never adds up. The rate comes from the whole time since the start.
//! Where the kernel itself does not trust the counter, or while the rate is not known yet, the kernel's clock is read.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use calltape_journal::monotonic_ns;

/// How long a thread goes on from one pair. At a rate that is right to 1 part in a million, the usual after 50 ms of
/// measuring, the clock is then off by a quarter of a microsecond.
const KEPT_NS: u64 = 250_000_000;

/// How long the rate is measured before it is used.
const MEASURED_NS: u64 = 50_000_000;

/// Readings of which the closest pair counts.
const TRIES: usize = 3;

/// Nanoseconds a tick, as a 32.32 fixed-point number; 0 while unknown. Written by any thread that takes a pair: the
/// values differ by less than the error.
static RATE: AtomicU64 = AtomicU64::new(0);

/// The first pair of this process; `None` where the counter is not to be used.
static FIRST: OnceLock<Option<Pair>> = OnceLock::new();

/// Both clocks at one moment.
#[derive(Clone, Copy)]
struct Pair {
    ticks: u64,
    ns: u64,
}

impl Pair {
    /// Both clocks, with as little between them as [`TRIES`] readings give: the thread may be put aside in the middle.
    fn read() -> Self {
        let once = || {
            let before = ticks();
            let ns = monotonic_ns();
            (ticks().wrapping_sub(before), Self { ticks: before, ns })
        };
        let (mut least, mut best) = once();
        for _ in 1..TRIES {
            let (apart, pair) = once();
            if apart < least {
                (least, best) = (apart, pair);
            }
        }
        best
    }
}

/// A thread's clock.
pub(super) struct Clock {
    last: Pair,
    /// Ticks after which the pair is taken anew; 0 to begin with.
    kept: u64,
    rate: u64,
}

impl Clock {
    pub(super) const fn new() -> Self {
        Self { last: Pair { ticks: 0, ns: 0 }, kept: 0, rate: 0 }
    }

    /// CLOCK_MONOTONIC in nanoseconds.
    #[inline]
    pub(super) fn now(&mut self) -> u64 {
        // A counter set back, as after a suspend, gives a huge difference, and so a new pair.
        let passed = ticks().wrapping_sub(self.last.ticks);
        if passed < self.kept {
            self.last.ns + ((u128::from(passed) * u128::from(self.rate)) >> 32) as u64
        } else {
            self.take_pair()
        }
    }

    #[cold]
    #[inline(never)]
    fn take_pair(&mut self) -> u64 {
        let now = Pair::read();
        let Some(first) = *FIRST.get_or_init(|| kernel_trusts_the_counter().then_some(now)) else { return now.ns };
        let measured = now.ns.saturating_sub(first.ns);
        if measured >= MEASURED_NS && now.ticks > first.ticks {
            let rate = (u128::from(measured) << 32) / u128::from(now.ticks - first.ticks);
            RATE.store(u64::try_from(rate).unwrap_or(0), Ordering::Relaxed);
        }
        self.rate = RATE.load(Ordering::Relaxed);
        self.kept = match self.rate {
            0 => 0,
            rate => u64::try_from((u128::from(KEPT_NS) << 32) / u128::from(rate)).unwrap_or(0),
        };
        self.last = now;
        now.ns
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn ticks() -> u64 {
    0
}

/// Whether the kernel tells its own time by this counter, which it does only where it runs evenly and alike on all cores.
fn kernel_trusts_the_counter() -> bool {
    let source = std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    cfg!(target_arch = "x86_64") && source.is_ok_and(|source| source.trim() == "tsc")
}
