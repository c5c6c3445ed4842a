//! The buckets that durations are counted in. The caller's path counts a call without a row in its bucket, the engine
//! keeps one histogram a function and minute; both must cut alike, so the cut stands here. Holds no counts.
//!
//! Buckets are log-linear: exact up to 32 ns, then 32 to an octave, so that a value read back is within 1/64 (1.6 %) of
//! the one counted.

/// Buckets an octave: an error of half a bucket is 1/64 of the value.
const SUB_BUCKETS: u64 = 1 << SUB_BITS;
const SUB_BITS: u32 = 5;

/// Buckets there are for 64-bit nanoseconds.
pub const BUCKETS: u16 = ((64 - SUB_BITS as u64 + 1) * SUB_BUCKETS) as u16;

/// The bucket of a duration in nanoseconds; below [`BUCKETS`].
///
/// ```
/// use calltape_record::latency::{bucket_of, edges_of, middle_of};
/// let bucket = bucket_of(1_000_000);
/// assert_eq!(middle_of(bucket), 1_007_616);
/// assert_eq!(edges_of(bucket), (999_424, 1_015_807));
/// ```
#[inline]
pub const fn bucket_of(ns: u64) -> u16 {
    if ns < SUB_BUCKETS {
        return ns as u16;
    }
    let shift = ns.ilog2() - SUB_BITS;
    ((shift as u64 + 1) * SUB_BUCKETS + ((ns >> shift) & (SUB_BUCKETS - 1))) as u16
}

/// The middle of a bucket in nanoseconds: what its durations read back as. A number that is no bucket's counts as the
/// last one's.
pub const fn middle_of(bucket: u16) -> u64 {
    let (low, high) = edges_of(bucket);
    low + (high - low).div_ceil(2)
}

/// The least and the greatest duration of a bucket, in nanoseconds. A number that is no bucket's counts as the last one's.
pub const fn edges_of(bucket: u16) -> (u64, u64) {
    let bucket = if bucket < BUCKETS { bucket as u64 } else { BUCKETS as u64 - 1 };
    if bucket < SUB_BUCKETS {
        return (bucket, bucket);
    }
    let shift = bucket / SUB_BUCKETS - 1;
    let low = (SUB_BUCKETS + bucket % SUB_BUCKETS) << shift;
    (low, low + ((1 << shift) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket_and_reads_back_within_one_64th(ns: u64) {
            let bucket = bucket_of(ns);
            let (low, high) = edges_of(bucket);
            prop_assert!(bucket < BUCKETS);
            prop_assert!((low..=high).contains(&ns), "{ns} is not in {low}..={high}");
            prop_assert!(middle_of(bucket).abs_diff(ns) <= ns / 64, "{ns} read back as {}", middle_of(bucket));
        }
    }

    #[test]
    fn each_bucket_begins_where_the_one_before_ends() {
        for bucket in 1..BUCKETS {
            assert_eq!(edges_of(bucket - 1).1 + 1, edges_of(bucket).0, "bucket {bucket}");
        }
        assert_eq!(edges_of(BUCKETS - 1).1, u64::MAX);
        assert_eq!(edges_of(u16::MAX), edges_of(BUCKETS - 1));
    }
}
