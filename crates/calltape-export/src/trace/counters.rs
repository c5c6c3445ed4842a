//! The counters of a trace: how many calls were in flight, how many began and how many failed a second, for each
//! process. The time of the trace is cut into [`BUCKETS`] parts, so memory does not grow with the number of calls.

use std::collections::{BTreeMap, HashMap};

use super::event::Events;

/// Parts the trace's time is cut into: more than a screen has columns.
const BUCKETS: i64 = 2_000;

/// The shortest part, ns: what is a rate over less says nothing.
const SHORTEST_NS: i64 = 1_000_000;

/// What happened in one part of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Bucket {
    began: u64,
    failed: u64,
    /// Time of calls that were in flight for a part of it, ns.
    busy_ns: i64,
    /// Calls more than before that were in flight for the whole of it.
    level: i64,
}

/// Counts calls.
#[derive(Debug)]
pub(super) struct Counters {
    first_ns: i64,
    width_ns: i64,
    processes: HashMap<u32, BTreeMap<i64, Bucket>>,
}

impl Counters {
    /// For calls that begin between two Unix times in ns.
    pub(super) fn over(first_ns: i64, last_ns: i64) -> Self {
        let width_ns = (last_ns.saturating_sub(first_ns) / BUCKETS).max(SHORTEST_NS);
        Self { first_ns, width_ns, processes: HashMap::new() }
    }

    /// Counts a call of the process `pid`.
    pub(super) fn count(&mut self, pid: u32, start_ns: i64, end_ns: i64, failed: bool) {
        let buckets = self.processes.entry(pid).or_default();
        let (first_ns, width_ns) = (self.first_ns, self.width_ns);
        let of = |ns: i64| (ns - first_ns).div_euclid(width_ns);
        let begin = |bucket: i64| first_ns + bucket * width_ns;
        let end_ns = end_ns.max(start_ns);
        let (from, to) = (of(start_ns), of(end_ns));
        let bucket = buckets.entry(from).or_default();
        bucket.began += 1;
        bucket.failed += u64::from(failed);
        if from == to {
            bucket.busy_ns += end_ns - start_ns;
            return;
        }
        bucket.busy_ns += begin(from + 1) - start_ns;
        buckets.entry(from + 1).or_default().level += 1;
        let last = buckets.entry(to).or_default();
        last.level -= 1;
        last.busy_ns += end_ns - begin(to);
    }

    /// Writes the counters' values, each where it changes.
    pub(super) fn write(&self, events: &mut Events) {
        let seconds = self.width_ns as f64 / 1e9;
        for (&pid, buckets) in &self.processes {
            let (mut level, mut next) = (0, i64::MIN);
            for (&number, bucket) in buckets {
                if next != i64::MIN && next < number {
                    self.values(events, pid, next, level as f64, [0.0; 2]);
                }
                level += bucket.level;
                let in_flight = level as f64 + bucket.busy_ns as f64 / self.width_ns as f64;
                let rates = [bucket.began as f64 / seconds, bucket.failed as f64 / seconds];
                self.values(events, pid, number, in_flight, rates);
                next = number + 1;
            }
            self.values(events, pid, next, level as f64, [0.0; 2]);
        }
    }

    fn values(&self, events: &mut Events, pid: u32, bucket: i64, in_flight: f64, [calls, errors]: [f64; 2]) {
        let at_ns = self.first_ns + bucket * self.width_ns;
        events.counter(pid, at_ns, "in flight:", &[("calls", in_flight)]);
        events.counter(pid, at_ns, "a second:", &[("calls", calls), ("errors", errors)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn a_call_counts_in_each_part_of_the_time_by_how_much_of_it_it_takes() {
        let mut counters = Counters::over(0, 10 * MS);
        counters.count(1, MS / 2, 3 * MS + MS / 4, false);
        counters.count(1, 3 * MS, 3 * MS + MS / 2, true);
        let mut events = Events::new();
        events.begin(0);
        counters.write(&mut events);
        let text = String::from_utf8(events.take()).unwrap();
        let in_flight: Vec<&str> = text.lines().filter(|line| line.contains("in flight:")).collect();
        let expected = [("0", "0.5"), ("1000", "1"), ("2000", "1"), ("3000", "0.75"), ("4000", "0")];
        assert_eq!(in_flight.len(), expected.len(), "{text}");
        for (line, (at, value)) in in_flight.iter().zip(expected) {
            assert!(
                line.contains(&format!("\"ts\":{at}.000")) && line.contains(&format!("\"calls\":{value}}}")),
                "{line}"
            );
        }
        assert!(text.contains(r#""args":{"calls":1000,"errors":1000}"#), "{text}");
    }
}
