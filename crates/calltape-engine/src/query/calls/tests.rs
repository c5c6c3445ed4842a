use super::*;
use crate::query::sample_tape::{CallRow, Raised, START_NS, SampleTape};
use crate::query::{FunctionPattern, TimeRange};

const SECOND: i64 = 1_000_000_000;

fn ids(calls: &[Call]) -> Vec<i64> {
    calls.iter().map(|call| sql_id(call.id)).collect()
}

#[test]
fn the_latest_come_oldest_first() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let all: Vec<i64> = (0..5).map(|n| sample.call(CallRow::new(place, n * SECOND))).collect();
    let tape = Tape::open(&sample.path()).unwrap();
    assert_eq!(ids(&tape.latest(&CallFilter::default(), 3).unwrap()), all[2..]);
    assert_eq!(ids(&tape.latest(&CallFilter::default(), 100).unwrap()), all);
}

#[test]
fn the_latest_of_a_pattern_come_from_each_function_it_names() {
    let sample = SampleTape::create();
    let (place, cancel, other) =
        (sample.function("shop.place"), sample.function("shop.cancel"), sample.function("web.get"));
    let functions = [place, other, cancel, other, place, other];
    let all: Vec<i64> =
        functions.iter().zip(0..).map(|(&function, n)| sample.call(CallRow::new(function, n * SECOND))).collect();
    let tape = Tape::open(&sample.path()).unwrap();
    let filter = CallFilter { functions: Some(FunctionPattern::new("shop.*")), ..Default::default() };
    assert_eq!(ids(&tape.latest(&filter, 2).unwrap()), [all[2], all[4]]);
    assert_eq!(ids(&tape.latest(&filter, 10).unwrap()), [all[0], all[2], all[4]]);
    let none = CallFilter { functions: Some(FunctionPattern::new("nothing")), ..Default::default() };
    assert!(tape.latest(&none, 10).unwrap().is_empty());
}

#[test]
fn a_range_is_exact_though_ids_lie_off_their_start() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let call = |after: i64, id_after: i64| {
        let row = CallRow::new(place, after);
        let id = row.id + (id_after - after) / 128;
        sample.call(CallRow { id, ..row })
    };
    // Ids as early and as late as the tape says they may lie: 300 ms before and 1 ms after their call's start.
    let before = call(2 * SECOND - 1, 2 * SECOND + 900_000);
    let first = call(2 * SECOND, 2 * SECOND - 300_000_000);
    let last = call(3 * SECOND, 3 * SECOND + 1_000_000);
    let after = call(3 * SECOND + 1, 3 * SECOND - 200_000_000);
    let tape = Tape::open(&sample.path()).unwrap();
    let range = TimeRange { since_ns: Some(START_NS + 2 * SECOND), until_ns: Some(START_NS + 3 * SECOND) };
    for pattern in [None, Some(FunctionPattern::new("place"))] {
        let found = ids(&tape.latest(&CallFilter { functions: pattern, range, ..Default::default() }, 10).unwrap());
        assert_eq!(found, [first, last], "not {before} and {after}");
    }
}

#[test]
fn a_call_is_read_with_all_its_columns() {
    let sample = SampleTape::create();
    let place = sample.function_of("shop.place", "orders", "function");
    let raised = Raised {
        error_type: "ValueError",
        message: "bad order",
        file: "shop/orders.py",
        line: 21,
        place: "check",
        traceback: "[]",
    };
    let outer = sample.call(CallRow::new(place, 0));
    let row = CallRow { args: Some(r#"{"order":17}"#), weight: Some(100.0), ..CallRow::new(place, 128) };
    let id = sample.failed_call(row.made_by(outer, outer), &raised);
    let tape = Tape::open(&sample.path()).unwrap();
    let detail = tape.call(id.cast_unsigned()).unwrap().unwrap();
    let call = &detail.call;
    assert_eq!((call.parent_id, call.root_id), (Some(outer.cast_unsigned()), outer.cast_unsigned()));
    assert_eq!((call.function.as_str(), call.group.as_deref()), ("shop.place", Some("orders")));
    assert_eq!((call.status, call.duration_ns, call.active_ns), (Status::Error, Some(1_240_000), Some(1_240_000)));
    assert_eq!((call.args.as_deref(), call.result.as_deref()), (Some(r#"{"order":17}"#), None));
    assert_eq!((call.thread.as_str(), call.pid, call.weight), ("MainThread", 4711, 100.0));
    assert_eq!(call.error_message.as_deref(), Some("bad order"));
    assert_eq!((detail.file.as_str(), detail.line, detail.python.as_str()), ("shop/orders.py", 17, "3.13.1"));
    assert_eq!(detail.failure.map(|failure| failure.place), Some("check".to_owned()));
    assert_eq!(tape.call(1).unwrap(), None);
}

#[test]
fn a_status_of_a_later_version_reads_as_interrupted() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let id = sample.call(CallRow { status: 77, ..CallRow::new(place, 0) });
    let tape = Tape::open(&sample.path()).unwrap();
    assert_eq!(tape.call(id.cast_unsigned()).unwrap().unwrap().call.status, Status::Interrupted);
}
