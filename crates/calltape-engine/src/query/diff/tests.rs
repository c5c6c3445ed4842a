use super::stands_out::why;
use super::*;
use crate::query::sample_tape::{CallRow, START_NS, SampleTape};
use crate::query::{CallFilter, Condition, FunctionPattern, Tape, TimeRange};
use crate::rollup::Latency;

const MINUTE: i64 = 60_000_000_000;

fn latency(durations: &[u64]) -> Vec<u8> {
    let mut latency = Latency::new();
    durations.iter().for_each(|&ns| latency.record(ns));
    latency.encode()
}

fn minute(after: i64, minutes: i64) -> Side {
    let since = (START_NS / MINUTE + after) * MINUTE;
    Side::Range(TimeRange { since_ns: Some(since), until_ns: Some(since + minutes * MINUTE - 1) })
}

fn rows(diff: &Diff) -> Vec<(&str, u64, u64, Option<Why>)> {
    diff.functions.iter().map(|row| (row.function.as_str(), row.a.calls, row.b.calls, row.stands_out)).collect()
}

#[test]
fn two_ranges_are_compared_by_the_rollup() {
    let sample = SampleTape::create();
    let (place, pay, gone) = (sample.function("shop.place"), sample.function("shop.pay"), sample.function("shop.gone"));
    sample.minute(place, 0, [40, 0, 0, 0, 4_000_000, 100_000, 100_000], &latency(&[100_000; 40]));
    sample.minute(place, 3, [40, 0, 10, 0, 12_000_000, 200_000, 200_000], &latency(&[200_000; 50]));
    sample.minute(pay, 1, [40, 0, 0, 0, 40_000, 1_000, 1_000], &latency(&[1_000; 40]));
    sample.minute(pay, 3, [40, 0, 0, 0, 80_000, 2_000, 2_000], &latency(&[2_000; 40]));
    sample.minute(gone, 1, [40, 0, 0, 0, 40, 1, 1], &latency(&[1; 40]));
    let tape = Tape::open(&sample.path()).unwrap();
    let diff = tape.diff(&minute(0, 2), &minute(3, 1), &CallFilter::default()).unwrap();
    let expected =
        [("shop.place", 40, 50, Some(Why::Slower)), ("shop.gone", 40, 0, Some(Why::Gone)), ("shop.pay", 40, 40, None)];
    assert_eq!(rows(&diff), expected);
    assert_eq!((diff.a.calls, diff.b.calls, diff.b.total_ns), (120, 90, 12_080_000));
    let ratio = diff.functions[0].ratio(|side| side.p50_ns).unwrap();
    assert!((ratio - 2.0).abs() < 0.05, "{ratio}");
    let of_pay = CallFilter { functions: Some(FunctionPattern::new("pay")), ..CallFilter::default() };
    assert_eq!(rows(&tape.diff(&minute(0, 2), &minute(3, 1), &of_pay).unwrap()), [("shop.pay", 40, 40, None)]);
}

#[test]
fn two_runs_are_compared_by_their_calls_and_books() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    sample.run(2, 4712, None);
    sample.thread(2, 2, "MainThread");
    for n in 0..20 {
        let row = CallRow { weight: Some(2.0), ..CallRow::new(place, n * 1_000_000) };
        sample.call(CallRow { thread: 1 + i64::from(n >= 10), status: i64::from(n == 12), ..row });
    }
    sample.call(CallRow { status: 5, duration_ns: None, thread: 2, ..CallRow::new(place, 30_000_000) });
    sample.books(1, place, [23, 10, 13, 0, 0]);
    sample.books(2, place, [25, 10, 13, 1, 1]);
    let pruned = sample.function("shop.pruned");
    sample.connection.execute("INSERT INTO run_function VALUES (2, 77, ?1, 12, 12, 0, 0, 0, 12)", [pruned]).unwrap();
    let tape = Tape::open(&sample.path()).unwrap();
    let diff = tape.diff(&Side::Run(1), &Side::Run(2), &CallFilter::default()).unwrap();
    assert_eq!(rows(&diff), [("shop.pruned", 0, 12, Some(Why::New)), ("shop.place", 23, 24, None)]);
    let of_place = CallFilter { functions: Some(FunctionPattern::new("place")), ..CallFilter::default() };
    let diff = tape.diff(&Side::Run(1), &Side::Run(2), &of_place).unwrap();
    assert_eq!(rows(&diff), [("shop.place", 23, 24, None)]);
    let b = diff.functions[0].b;
    assert_eq!((b.errors, b.timed, b.total_ns), (3, 10, 20 * 1_240_000));
    let failed = CallFilter { condition: Some(Condition::parse("status = error").unwrap()), ..CallFilter::default() };
    assert_eq!(rows(&tape.diff(&Side::Run(1), &Side::Run(2), &failed).unwrap()), [("shop.place", 0, 2, None)]);
    assert_eq!(tape.diff(&Side::Run(8), &Side::Run(9), &failed).unwrap(), Diff::default());
}

/// A run whose successes retention had removed was compared by the durations of its errors: `slower x128`.
#[test]
fn of_a_run_whose_rows_were_removed_in_part_durations_and_errors_are_not_judged() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    sample.run(2, 4712, None);
    sample.thread(2, 2, "MainThread");
    for n in 0..200 {
        let (thread, fails) = (1 + n / 100, n % 2);
        let row = CallRow {
            thread,
            status: fails,
            duration_ns: Some(if fails == 1 { 1_000 } else { 5_000_000 }),
            ..CallRow::new(place, n * 1_000_000)
        };
        // Of the first run the successes are gone.
        if thread == 2 || fails == 1 {
            sample.call(row);
        }
    }
    let books = "INSERT INTO run_function VALUES (?1, 1, ?2, 100, 100, 0, 0, 0, ?3)";
    sample.connection.execute(books, (1, place, 50)).unwrap();
    sample.connection.execute(books, (2, place, 0)).unwrap();
    let tape = Tape::open(&sample.path()).unwrap();
    let diff = tape.diff(&Side::Run(1), &Side::Run(2), &CallFilter::default()).unwrap();
    assert_eq!(rows(&diff), [("shop.place", 100, 100, None)]);
    let (a, b) = (diff.functions[0].a, diff.functions[0].b);
    assert_eq!((a.removed, a.timed, a.p50_ns, a.p95_ns), (50, 0, None, None));
    assert_eq!((b.removed, b.timed, b.errors), (0, 100, 50));
    assert!(b.p95_ns > Some(4_000_000) && diff.a.p95_ns.is_none(), "{:?}", diff.a);
}

/// Three rows of weight 50 once counted as 150 calls: `faster x2.9`.
#[test]
fn a_few_rows_prove_nothing_whatever_they_stand_for() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    sample.run(2, 4712, None);
    sample.thread(2, 2, "MainThread");
    for n in 0..6 {
        let duration_ns = Some(if n < 3 { 9_000_000 } else { 1_000_000 });
        sample.call(CallRow {
            weight: Some(50.0),
            thread: 1 + n / 3,
            duration_ns,
            ..CallRow::new(place, n * 1_000_000)
        });
    }
    sample.books(1, place, [150, 3, 147, 0, 0]);
    sample.books(2, place, [150, 3, 147, 0, 0]);
    let tape = Tape::open(&sample.path()).unwrap();
    let diff = tape.diff(&Side::Run(1), &Side::Run(2), &CallFilter::default()).unwrap();
    assert_eq!(rows(&diff), [("shop.place", 150, 150, None)]);
    assert!(diff.functions[0].a.p50_ns > Some(8_000_000), "they are given all the same");
}

#[test]
fn what_is_more_than_chance_stands_out() {
    let of = |calls, errors, p50, p95| Figures {
        calls,
        errors,
        timed: calls,
        removed: 0,
        total_ns: 0,
        p50_ns: Some(p50),
        p95_ns: Some(p95),
        p99_ns: Some(p95),
    };
    let base = of(1000, 10, 1_000_000, 2_000_000);
    let cases = [
        (of(1000, 10, 1_000_000, 2_000_000), None),
        (of(1000, 14, 1_000_000, 2_000_000), None),
        (of(1000, 60, 1_000_000, 2_000_000), Some(Why::FailsMore)),
        (of(20, 6, 1_000_000, 2_000_000), Some(Why::FailsMore)),
        (of(2, 1, 1_000_000, 2_000_000), None),
        (of(10_000, 0, 1_000_000, 2_000_000), Some(Why::FailsLess)),
        (of(1000, 10, 1_400_000, 2_000_000), Some(Why::Slower)),
        (of(1000, 10, 1_000_000, 3_100_000), Some(Why::Slower)),
        (of(29, 0, 9_000_000, 9_000_000), None),
        (of(1000, 10, 500_000, 2_000_000), Some(Why::Faster)),
        (of(0, 0, 0, 0), Some(Why::Gone)),
    ];
    for (after, expected) in cases {
        assert_eq!(why(&base, &after), expected, "{after:?}");
    }
    assert_eq!(why(&of(0, 0, 0, 0), &base), Some(Why::New));
    assert_eq!(why(&of(0, 0, 0, 0), &of(9, 0, 1, 1)), None);
    assert_eq!(why(&of(1000, 0, 1_000, 1_000), &of(1000, 0, 3_000, 3_000)), None);
}
