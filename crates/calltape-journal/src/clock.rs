//! The two clocks: monotonic time for records, Unix time for people.
//!
//! Called by the journal for idle times, by `control.rs` for the offset between the two, and by whoever writes
//! records. The only place that reads a clock.

use crate::system;

/// CLOCK_MONOTONIC in ns: what records carry.
#[inline]
pub fn monotonic_ns() -> u64 {
    system::clock_ns(libc::CLOCK_MONOTONIC) as u64
}

/// CLOCK_REALTIME in ns since 1970.
pub fn unix_ns() -> i64 {
    system::clock_ns(libc::CLOCK_REALTIME)
}

/// Unix time minus monotonic time, ns. The monotonic clock is read on both sides and the middle taken, so that
/// being interrupted between the reads shifts the result by half the interruption at most.
pub(crate) fn unix_offset_ns() -> i64 {
    let before = monotonic_ns() as i64;
    let unix = unix_ns();
    let after = monotonic_ns() as i64;
    unix - (before + (after - before) / 2)
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_offset_turns_a_monotonic_time_into_what_the_system_says_the_time_is() {
        let system = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as i64;
        let before = system();
        let unix = monotonic_ns() as i64 + unix_offset_ns();
        let slack_ns = 1_000_000_000;
        assert!((before - slack_ns..=system() + slack_ns).contains(&unix), "{unix} after {before}");
    }
}
