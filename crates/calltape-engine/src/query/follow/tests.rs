use super::*;
use crate::query::sample_tape::{CallRow, SampleTape};
use crate::query::{Condition, FunctionPattern};

const SECOND: i64 = 1_000_000_000;
const RUNNING_ROW: i64 = Status::Running as i64;

/// A tape, its reader, and a follower after the one call on it.
fn following() -> (SampleTape, Tape, Follower, i64) {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    sample.call(CallRow::new(place, 0));
    let tape = Tape::open(&sample.path()).unwrap();
    let (shown, follower) = Follower::begin(&tape, &CallFilter::default(), 10).unwrap();
    assert_eq!(shown.len(), 1);
    (sample, tape, follower, place)
}

fn poll(follower: &mut Follower, tape: &Tape) -> Vec<(i64, Status)> {
    let found = follower.poll(tape).unwrap();
    assert!(!found.fell_behind);
    found.calls.iter().map(|call| (sql_id(call.id), call.status)).collect()
}

#[test]
fn each_call_is_handed_out_once() {
    let (sample, tape, mut follower, place) = following();
    assert_eq!(poll(&mut follower, &tape), []);
    let first = sample.call(CallRow::new(place, SECOND));
    assert_eq!(poll(&mut follower, &tape), [(first, Status::Ok)]);
    assert_eq!(poll(&mut follower, &tape), []);
}

#[test]
fn a_row_that_comes_late_is_not_missed() {
    let (sample, tape, mut follower, place) = following();
    let young = sample.call(CallRow::new(place, 4 * SECOND));
    assert_eq!(poll(&mut follower, &tape), [(young, Status::Ok)]);
    let late = sample.call(CallRow::new(place, 2 * SECOND));
    assert_eq!(poll(&mut follower, &tape), [(late, Status::Ok)]);
    assert_eq!(poll(&mut follower, &tape), []);
}

#[test]
fn a_long_call_comes_once_as_running_and_once_when_it_ends() {
    let (sample, tape, mut follower, place) = following();
    let row = CallRow { status: RUNNING_ROW, duration_ns: None, ..CallRow::new(place, SECOND) };
    let long = sample.call(row);
    assert_eq!(poll(&mut follower, &tape), [(long, Status::Running)]);
    assert_eq!(poll(&mut follower, &tape), []);
    // Meanwhile others come, and the long call falls out of the look-back.
    let other = sample.call(CallRow::new(place, 60 * SECOND));
    assert_eq!(poll(&mut follower, &tape), [(other, Status::Ok)]);
    sample.connection.execute("UPDATE call SET status = 1, duration_ns = 1 WHERE id = ?1", [long]).unwrap();
    assert_eq!(poll(&mut follower, &tape), [(long, Status::Error)]);
    assert_eq!(poll(&mut follower, &tape), []);
}

/// A loop of calls of 20 ms was followed with a line too many for each batch of the drain that met one.
#[test]
fn a_call_that_began_just_now_comes_when_it_ends_or_has_run_for_a_second() {
    let (sample, tape, mut follower, place) = following();
    let at = |ns: i64| crate::query::sample_tape::START_NS + ns;
    let poll = |follower: &mut Follower, now_ns| {
        let found = follower.poll_at(&tape, now_ns).unwrap();
        found.calls.iter().map(|call| (sql_id(call.id), call.status)).collect::<Vec<_>>()
    };
    let running = |ns| CallRow { status: RUNNING_ROW, duration_ns: None, ..CallRow::new(place, ns) };
    let ended = |id: i64| {
        sample.connection.execute("UPDATE call SET status = 0, duration_ns = 20000000 WHERE id = ?1", [id]).unwrap();
    };
    let (short, long) = (sample.call(running(2 * SECOND)), sample.call(running(2 * SECOND + 1_000)));
    assert_eq!(poll(&mut follower, at(2 * SECOND + 2_000)), []);
    ended(short);
    assert_eq!(poll(&mut follower, at(3 * SECOND)), [(short, Status::Ok)]);
    assert_eq!(poll(&mut follower, at(3 * SECOND + 1_000)), [(long, Status::Running)]);
    assert_eq!(poll(&mut follower, at(4 * SECOND)), []);
    let ahead = sample.call(running(9 * SECOND));
    assert_eq!(poll(&mut follower, at(4 * SECOND)), [(ahead, Status::Running)], "a clock that is ahead hides nothing");
    // The same where following begins with them.
    let (young, younger) = (sample.call(running(10 * SECOND)), sample.call(running(10 * SECOND + 1_000)));
    let (filter, now) = (CallFilter::default(), at(10 * SECOND + 2_000));
    let mut later = Follower::stand(&tape, &filter, now).unwrap();
    let shown = later.show(&tape, 1, now).unwrap();
    assert_eq!(shown.iter().map(|call| sql_id(call.id)).collect::<Vec<_>>(), [ahead]);
    assert_eq!(poll(&mut later, now), []);
    ended(young);
    assert_eq!(poll(&mut later, now), [(young, Status::Ok)]);
    assert_eq!(poll(&mut later, at(12 * SECOND)), [(younger, Status::Running)]);
}

#[test]
fn a_call_that_ran_before_following_began_is_handed_out_when_it_ends() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let long = sample.call(CallRow { status: RUNNING_ROW, duration_ns: None, ..CallRow::new(place, 0) });
    sample.call(CallRow::new(place, 30 * SECOND));
    let tape = Tape::open(&sample.path()).unwrap();
    let (_, mut follower) = Follower::begin(&tape, &CallFilter::default(), 0).unwrap();
    assert_eq!(poll(&mut follower, &tape), []);
    sample.connection.execute("UPDATE call SET status = 0, duration_ns = 1 WHERE id = ?1", [long]).unwrap();
    assert_eq!(poll(&mut follower, &tape), [(long, Status::Ok)]);
}

/// With the place to look from put back to the last call shown, those before it came once more, and a tape with many
/// others since then was said to be too fast at each poll.
#[test]
fn what_was_shown_long_before_others_came_does_not_come_again() {
    let sample = SampleTape::create();
    let (place, get) = (sample.function("shop.place"), sample.function("web.get"));
    for second in 0..3 {
        sample.call(CallRow::new(place, second * SECOND));
    }
    sample.connection.execute_batch("BEGIN").unwrap();
    for n in 0..=ROWS_A_POLL as i64 {
        sample.call(CallRow::new(get, 60 * SECOND + n * 128));
    }
    sample.connection.execute_batch("COMMIT").unwrap();
    let tape = Tape::open(&sample.path()).unwrap();
    for filter in [
        CallFilter { functions: Some(FunctionPattern::new("place")), ..CallFilter::default() },
        CallFilter { condition: Some(Condition::parse("function = shop.place").unwrap()), ..CallFilter::default() },
    ] {
        let (shown, mut follower) = Follower::begin(&tape, &filter, 10).unwrap();
        assert_eq!(shown.len(), 3);
        for _ in 0..2 {
            assert_eq!(follower.poll(&tape).unwrap(), Followed::default(), "{filter:?}");
        }
    }
}

/// Each of these was lost, or came twice, where the calls shown were read before the follower took its place.
#[test]
fn what_comes_or_ends_while_following_begins_comes_once() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let running = |ns| CallRow { status: RUNNING_ROW, duration_ns: None, ..CallRow::new(place, ns) };
    let now = crate::query::sample_tape::START_NS + 5 * SECOND;
    for lines in [0, 1, 10] {
        sample.connection.execute("DELETE FROM call", []).unwrap();
        let tape = Tape::open(&sample.path()).unwrap();
        let young = sample.call(running(5 * SECOND - 1_000));
        let old = sample.call(running(SECOND));
        sample.call(CallRow::new(place, 2 * SECOND));
        let mut follower = Follower::stand(&tape, &CallFilter::default(), now).unwrap();
        let between = sample.call(CallRow::new(place, 5 * SECOND));
        sample.connection.execute("UPDATE call SET status = 0, duration_ns = 1 WHERE status = 5", []).unwrap();
        let shown = follower.show(&tape, lines, now).unwrap();
        let mut all: Vec<i64> = shown.iter().map(|call| sql_id(call.id)).collect();
        assert_eq!(all.len(), lines.min(4));
        for _ in 0..2 {
            let found = follower.poll_at(&tape, now).unwrap();
            all.extend(found.calls.iter().map(|call| sql_id(call.id)));
        }
        for id in [young, old, between] {
            assert_eq!(all.iter().filter(|&&met| met == id).count(), 1, "{lines} lines, {id}: {all:?}");
        }
    }
}

/// As if it ended after it was shown.
#[test]
fn a_call_shown_as_running_comes_when_it_ends() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let long = sample.call(CallRow { status: RUNNING_ROW, duration_ns: None, ..CallRow::new(place, SECOND) });
    let tape = Tape::open(&sample.path()).unwrap();
    let (shown, mut follower) = Follower::begin(&tape, &CallFilter::default(), 10).unwrap();
    assert_eq!(shown.len(), 1);
    sample.connection.execute("UPDATE call SET status = 0, duration_ns = 1", []).unwrap();
    assert_eq!(poll(&mut follower, &tape), [(long, Status::Ok)]);
    assert_eq!(poll(&mut follower, &tape), []);
}

#[test]
fn a_pattern_follows_its_functions_only_and_new_ones_too() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let tape = Tape::open(&sample.path()).unwrap();
    let filter = CallFilter { functions: Some(FunctionPattern::new("shop.*")), ..CallFilter::default() };
    let (_, mut follower) = Follower::begin(&tape, &filter, 0).unwrap();
    let web = sample.function("web.get");
    sample.call(CallRow::new(web, 0));
    let placed = sample.call(CallRow::new(place, 128));
    let cancel = sample.function("shop.cancel");
    let cancelled = sample.call(CallRow::new(cancel, 256));
    assert_eq!(poll(&mut follower, &tape), [(placed, Status::Ok), (cancelled, Status::Ok)]);
}

#[test]
fn a_filter_is_asked_when_a_call_comes_and_again_when_it_ends() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let tape = Tape::open(&sample.path()).unwrap();
    let condition = Condition::parse("args.n > 1 and duration > 1s").unwrap();
    let filter = CallFilter { condition: Some(condition), ..CallFilter::default() };
    let (_, mut follower) = Follower::begin(&tape, &filter, 0).unwrap();
    let call = |n: i64, args| {
        let row =
            CallRow { status: RUNNING_ROW, duration_ns: None, args: Some(args), ..CallRow::new(place, n * SECOND) };
        sample.call(row)
    };
    let (_, wanted) = (call(1, r#"{"n":1}"#), call(2, r#"{"n":2}"#));
    assert_eq!(poll(&mut follower, &tape), []);
    sample.connection.execute("UPDATE call SET status = 0, duration_ns = 2000000000", []).unwrap();
    assert_eq!(poll(&mut follower, &tape), [(wanted, Status::Ok)]);
    assert_eq!(poll(&mut follower, &tape), []);
}

#[test]
fn more_than_a_poll_looks_at_is_said() {
    let (sample, tape, mut follower, place) = following();
    sample.connection.execute_batch("BEGIN").unwrap();
    for n in 0..=ROWS_A_POLL as i64 {
        sample.call(CallRow::new(place, SECOND + n * 128));
    }
    sample.connection.execute_batch("COMMIT").unwrap();
    let found = follower.poll(&tape).unwrap();
    assert!(found.fell_behind);
    assert_eq!(found.calls.len(), ROWS_A_POLL);
    assert_eq!(poll(&mut follower, &tape), []);
}
