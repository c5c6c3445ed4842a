//! Call ids: 63-bit, unique on a tape, and nearly the time the call began.
//!
//! One unit is [`UNIT_NS`] since [`EPOCH_UNIX_NS`]. A thread takes ids in blocks from a counter that all processes of a
//! tape share, so an id may lie a little before or after its call's start; the tape keeps how far at most. Because row
//! order is then time order, a time range needs no index.

/// 2024-01-01T00:00:00Z in Unix nanoseconds: what id 0 stands for.
pub const EPOCH_UNIX_NS: i64 = 1_704_067_200_000_000_000;

/// Nanoseconds an id stands for: 7.8 million ids a second, and below 2^53 (exact in JavaScript) until the year 2060.
pub const UNIT_NS: i64 = 128;

/// The id that stands for the time `unix_ns`; 0 for times before the epoch.
pub fn at(unix_ns: i64) -> u64 {
    u64::try_from((unix_ns.saturating_sub(EPOCH_UNIX_NS)) / UNIT_NS).unwrap_or(0)
}

/// The time `id` stands for, in Unix nanoseconds.
pub fn unix_ns(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX).saturating_mul(UNIT_NS).saturating_add(EPOCH_UNIX_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_within_one_unit_of_its_time() {
        let now = 1_795_000_000_123_456_789;
        assert!((now - unix_ns(at(now))) < UNIT_NS);
        assert_eq!(at(0), 0);
    }
}
