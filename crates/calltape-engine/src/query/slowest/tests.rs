use super::*;
use crate::query::sample_tape::{CallRow, SampleTape};
use crate::query::{Condition, DurationRange, FunctionPattern};

const SECOND: i64 = 1_000_000_000;

/// Three minutes of two functions, 60 calls each; durations in microseconds spread over both, and the rollup as the drain
/// writes it. One call took two minutes, one runs.
fn busy() -> SampleTape {
    let sample = SampleTape::create();
    let (place, pay) = (sample.function("shop.place"), sample.function("shop.pay"));
    for n in 0..120 {
        let duration = if n == 20 { 125 * SECOND } else { (n * 37 % 120 + 1) * 1000 };
        let function = if n % 2 == 0 { place } else { pay };
        let args = format!("{{\"n\":{n}}}");
        sample.call(CallRow { duration_ns: Some(duration), args: Some(&args), ..CallRow::new(function, n * SECOND) });
    }
    sample.call(CallRow { status: 5, duration_ns: None, ..CallRow::new(pay, 121 * SECOND) });
    roll_up(&sample);
    sample
}

fn roll_up(sample: &SampleTape) {
    sample
        .connection
        .execute_batch(
            "DELETE FROM minute;
             INSERT INTO minute SELECT function_id, (started_ns + duration_ns) / 60000000000, count(*), 0, 0, 0,
                 sum(duration_ns), min(duration_ns), max(duration_ns), x'' FROM call
             WHERE duration_ns IS NOT NULL GROUP BY 1, 2",
        )
        .unwrap();
}

/// The answer by reading everything.
fn expected(sample: &SampleTape, condition: &str, limit: usize) -> Vec<(i64, i64)> {
    let sql = format!(
        "SELECT coalesce(duration_ns, -1), id FROM call WHERE {condition} ORDER BY 1 DESC, 2 DESC LIMIT {limit}"
    );
    let mut statement = sample.connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

fn keys(calls: &[Call]) -> Vec<(i64, i64)> {
    calls.iter().map(|call| (call.duration_ns.map_or(-1, u64::cast_signed), call.id.cast_signed())).collect()
}

#[test]
fn the_slowest_are_those_a_full_read_finds() {
    let sample = busy();
    let tape = Tape::open(&sample.path()).unwrap();
    let narrowed =
        |condition: &str| CallFilter { condition: Some(Condition::parse(condition).unwrap()), ..CallFilter::default() };
    let of_pay = CallFilter { functions: Some(FunctionPattern::new("shop.pay")), ..CallFilter::default() };
    let slow = DurationRange { at_least_ns: Some(100_000), at_most_ns: Some(SECOND.cast_unsigned()) };
    let cases = [
        ("1", CallFilter::default()),
        ("function_id = 2", of_pay),
        (
            "args ->> 'n' % 7 = 3",
            narrowed("args.n in (3, 10, 17, 24, 31, 38, 45, 52, 59, 66, 73, 80, 87, 94, 101, 108, 115)"),
        ),
        ("duration_ns BETWEEN 100000 AND 1000000000", CallFilter { duration: slow, ..CallFilter::default() }),
        ("args ->> 'n' = 77", narrowed("args.n = 77")),
    ];
    for (sql, filter) in cases {
        for limit in [1, 2, 5, 17, 50, 200] {
            assert_eq!(keys(&tape.slowest(&filter, limit).unwrap()), expected(&sample, sql, limit), "{sql}, {limit}");
        }
    }
}

#[test]
fn what_no_minute_speaks_for_is_looked_at() {
    let sample = busy();
    sample.connection.execute("DELETE FROM minute WHERE minute = (SELECT min(minute) FROM minute)", []).unwrap();
    let tape = Tape::open(&sample.path()).unwrap();
    let found = tape.slowest(&CallFilter::default(), 12).unwrap();
    assert_eq!(keys(&found), expected(&sample, "1", 12));
}

#[test]
fn only_the_minutes_of_slow_calls_are_read() {
    let sample = busy();
    // A call the rollup does not know of cannot be found by it: this one shows where was looked.
    let hidden = sample.call(CallRow { duration_ns: Some(90 * SECOND), ..CallRow::new(1, 3_600 * SECOND) });
    let tape = Tape::open(&sample.path()).unwrap();
    assert_eq!(tape.slowest(&CallFilter::default(), 1).unwrap()[0].duration_ns, Some(125 * SECOND.cast_unsigned()));
    let found = tape.slowest(&CallFilter::default(), 3).unwrap();
    assert!(!found.iter().any(|call| call.id == hidden.cast_unsigned()));
}
