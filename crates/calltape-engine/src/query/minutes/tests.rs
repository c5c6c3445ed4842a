use super::*;
use crate::query::Condition;
use crate::query::sample_tape::{CallRow, START_NS, SampleTape};

const MINUTE: i64 = 60_000_000_000;

fn latency(durations: &[u64]) -> Vec<u8> {
    let mut latency = Latency::new();
    durations.iter().for_each(|&ns| latency.record(ns));
    latency.encode()
}

fn sample() -> SampleTape {
    let sample = SampleTape::create();
    let (place, pay) = (sample.function("shop.place"), sample.function("shop.pay"));
    sample.minute(place, 0, [2, 1, 3, 0, 300, 100, 200], &latency(&[100, 200]));
    sample.minute(pay, 0, [1, 0, 0, 0, 4000, 4000, 4000], &latency(&[4000]));
    sample.minute(pay, 2, [1, 0, 0, 1, 5000, 5000, 5000], &latency(&[5000]));
    sample
}

#[test]
fn minutes_add_up_the_functions_asked_for() {
    let sample = sample();
    let tape = Tape::open(&sample.path()).unwrap();
    let first = START_NS / MINUTE;
    let figures = |pattern: Option<&str>, range| -> Vec<(i64, u64, u64, u64)> {
        let pattern = pattern.map(FunctionPattern::new);
        let minutes = tape.minutes(pattern.as_ref(), range).unwrap();
        minutes.iter().map(|m| (m.minute - first, m.calls, m.errors, m.total_ns)).collect()
    };
    assert_eq!(figures(None, TimeRange::default()), [(0, 6, 1, 4300), (2, 2, 0, 5000)]);
    assert_eq!(figures(Some("place"), TimeRange::default()), [(0, 5, 1, 300)]);
    assert_eq!(figures(None, TimeRange::since(Some(START_NS + 2 * MINUTE))), [(2, 2, 0, 5000)]);
    let minutes = tape.minutes(None, TimeRange::default()).unwrap();
    assert_eq!((minutes[0].p50_ns, minutes[0].p99_ns), (Some(202), Some(4000)));
}

#[test]
fn durations_come_from_the_rollup_or_from_the_calls_a_condition_finds() {
    let sample = sample();
    let row = |n: i64| CallRow { duration_ns: Some(n * 1000), ..CallRow::new(1, n * 1_000_000) };
    sample.call(CallRow { args: Some(r#"{"n":1}"#), weight: Some(10.0), ..row(1) });
    sample.call(CallRow { args: Some(r#"{"n":1}"#), ..row(2) });
    sample.call(CallRow { args: Some(r#"{"n":2}"#), ..row(3) });
    sample.call(CallRow { args: Some(r#"{"n":1}"#), status: 5, duration_ns: None, ..row(4) });
    let tape = Tape::open(&sample.path()).unwrap();
    let all = tape.latency(&CallFilter::default()).unwrap();
    assert_eq!((all.count, all.from_rollup, all.buckets.len()), (4, true, 4));
    assert_eq!(all.buckets[0], Bucket { lower_ns: 100, upper_ns: 101, count: 1 });
    let condition = Some(Condition::parse("args.n = 1").unwrap());
    let found = tape.latency(&CallFilter { condition, ..CallFilter::default() }).unwrap();
    assert_eq!((found.count, found.from_rollup), (11, false));
    assert!(found.p50_ns.is_some_and(|ns| ns.abs_diff(1000) <= 16));
}
