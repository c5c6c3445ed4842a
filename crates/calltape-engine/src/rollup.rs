//! Latency histograms: how long a function's calls took, in a few hundred bytes a minute.
//!
//! The drain keeps one a function and minute (`minute.latency`); the query merges them over any span of time and asks
//! for quantiles. The buckets are calltape-record's, `latency`. Holds no time and no function; never fails to record.

use std::fmt;

use calltape_record::latency::{BUCKETS, bucket_of, edges_of, middle_of};

/// The first byte of an encoded histogram: the layout of buckets and bytes.
const FORMAT: u8 = 1;

/// A histogram of nanoseconds; sparse, so an idle function's costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Latency {
    /// Bucket and count, ascending by bucket, no count zero.
    buckets: Vec<(u16, u64)>,
    /// Where the last value went: calls of one function are alike.
    recent: usize,
}

impl PartialEq for Latency {
    fn eq(&self, other: &Self) -> bool {
        self.buckets == other.buckets
    }
}

impl Eq for Latency {}

/// Why stored bytes are no histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// When the bytes end in the middle of a number.
    Truncated,
    /// When the layout is one this version does not know.
    Format(u8),
    /// When a number does not fit its place.
    Range,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the latency histogram ends in the middle of a number"),
            Self::Format(found) => write!(f, "latency histogram format {found} is unknown; a newer calltape wrote it"),
            Self::Range => f.write_str("the latency histogram holds a number that does not fit"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl Latency {
    /// An empty histogram.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one value.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        let bucket = bucket_of(ns);
        if let Some(entry) = self.buckets.get_mut(self.recent)
            && entry.0 == bucket
        {
            entry.1 += 1;
            return;
        }
        self.add(bucket, 1);
    }

    /// Counts a value that stands for `weight` of them, rounded.
    pub(crate) fn record_times(&mut self, ns: u64, weight: f64) {
        let count = weight.round().max(0.0) as u64;
        if count > 0 {
            self.add(bucket_of(ns), count);
        }
    }

    /// Counts `count` values of a bucket, a number below [`BUCKETS`].
    pub(crate) fn add(&mut self, bucket: u16, count: u64) {
        match self.buckets.binary_search_by_key(&bucket, |entry| entry.0) {
            Ok(at) => {
                self.buckets[at].1 = self.buckets[at].1.saturating_add(count);
                self.recent = at;
            }
            Err(at) => {
                self.buckets.insert(at, (bucket, count));
                self.recent = at;
            }
        }
    }

    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        for &(bucket, count) in &other.buckets {
            self.add(bucket, count);
        }
    }

    /// What `self` counts beyond `before`, bucket by bucket.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let mut since = Self::new();
        for &(bucket, count) in &self.buckets {
            let known = before.buckets.binary_search_by_key(&bucket, |entry| entry.0);
            let count = count.saturating_sub(known.map_or(0, |at| before.buckets[at].1));
            if count > 0 {
                since.add(bucket, count);
            }
        }
        since
    }

    /// The least and the greatest value the buckets allow; `None` when empty.
    pub(crate) fn span(&self) -> Option<(u64, u64)> {
        let (first, last) = (self.buckets.first()?, self.buckets.last()?);
        Some((edges_of(first.0).0, edges_of(last.0).1))
    }

    /// Each bucket's least and greatest value and its count, ascending; none is empty.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.buckets.iter().map(|&(bucket, count)| {
            let (low, high) = edges_of(bucket);
            (low, high, count)
        })
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(0, |sum, entry| sum.saturating_add(entry.1))
    }

    /// The value in nanoseconds that a share of `quantile` (0 to 1) of the values do not exceed; `None` when empty.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = ((quantile.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count);
        let mut seen = 0u64;
        for &(bucket, here) in &self.buckets {
            seen = seen.saturating_add(here);
            if seen >= rank {
                return Some(middle_of(bucket));
            }
        }
        None
    }

    /// The histogram as bytes: format, then for each bucket the step from the one before and its count.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + self.buckets.len() * 3);
        self.encode_into(&mut out);
        out
    }

    /// Like [`Self::encode`], into a buffer that is emptied first.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(FORMAT);
        let mut before = 0u16;
        for &(bucket, count) in &self.buckets {
            put(out, u64::from(bucket - before));
            put(out, count);
            before = bucket;
        }
    }

    /// Reads a histogram back. No bytes at all are an empty one.
    ///
    /// # Errors
    /// When the bytes are not one whole histogram of a known format.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let Some((&format, mut rest)) = bytes.split_first() else { return Ok(Self::new()) };
        if format != FORMAT {
            return Err(DecodeError::Format(format));
        }
        let mut latency = Self::new();
        let mut bucket = 0u64;
        while !rest.is_empty() {
            let step = take(&mut rest)?;
            let first = latency.buckets.is_empty();
            bucket = bucket
                .checked_add(step)
                .filter(|at| *at < u64::from(BUCKETS) && (first || step > 0))
                .ok_or(DecodeError::Range)?;
            let count = take(&mut rest)?;
            latency.buckets.push((bucket as u16, count));
        }
        Ok(latency)
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(DecodeError::Truncated)?;
        *rest = after;
        if shift == 63 && byte > 1 {
            return Err(DecodeError::Range);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(DecodeError::Range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_histogram_comes_back_as_written(values in prop::collection::vec(any::<u64>(), 0..200)) {
            let mut latency = Latency::new();
            values.iter().for_each(|&ns| latency.record(ns));
            let read = Latency::decode(&latency.encode());
            prop_assert_eq!(read.map(|read| read.buckets), Ok(latency.buckets));
        }

        #[test]
        fn what_was_counted_since_and_what_was_before_are_all(
            before in prop::collection::vec(0..5000u64, 0..50), after in prop::collection::vec(0..5000u64, 0..50),
        ) {
            let mut first = Latency::new();
            before.iter().for_each(|&ns| first.record(ns));
            let mut all = first.clone();
            after.iter().for_each(|&ns| all.record(ns));
            let since = all.since(&first);
            prop_assert_eq!(since.count(), after.len() as u64);
            let span = since.span();
            prop_assert_eq!(span.is_none(), after.is_empty());
            prop_assert!(span.is_none_or(|(low, high)| after.iter().all(|ns| (low..=high).contains(ns))));
            first.merge(&since);
            prop_assert_eq!(first.buckets, all.buckets);
        }

        #[test]
        fn bytes_of_any_kind_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = Latency::decode(&bytes).map(|latency| latency.quantile(0.5));
        }
    }
}
