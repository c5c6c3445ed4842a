//! Calls that sampling leaves out, or for which there is no room: counted, timed, and recorded after all where they raise.

use std::sync::Arc;

use crate::stage::{Stage, die_at, drain_all, stranger};
use calltape_engine::drain::{Point, tape_directory};
use calltape_engine::query::{OverviewFilter, Tape};
use calltape_journal::{Journal, Options, RunIdentity, monotonic_ns, unix_ns};
use calltape_testkit::{Became, Caller, Database, Ends, Missing, Raised, identity};

const RAISED: Raised = Raised { error_type: "shop.Refused", message: "no", line: 7 };

const MINUTES: &str =
    "SELECT sum(calls), sum(stored), sum(errors), sum(sampled_out), sum(dropped), sum(total_ns), min(min_ns),
    max(max_ns) FROM function_minutes";

const ROWS: &str = "SELECT status, args, result, error_type, duration_ns, weight FROM calls ORDER BY id";

fn left_out(caller: &mut Caller, function: u32, ns: u64, ends: Ends) -> Became {
    caller.leave_out(function);
    caller.end_missing(function, Missing::LeftOut, ns, ends)
}

#[test]
fn what_sampling_leaves_out_is_counted_and_timed_and_its_errors_have_rows() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    for ns in [1_000, 2_000, 3_000] {
        assert_eq!(left_out(&mut caller, place, ns, Ends::Quick), Became::Counted);
    }
    assert_eq!(left_out(&mut caller, place, 4_000, Ends::Raising(RAISED)), Became::Stored);
    assert_eq!(left_out(&mut caller, place, 50_000, Ends::Slow), Became::Stored);
    drain_all(&mut stage.drain());
    let database = stage.database();
    let late = r#"{"a":"xxx","(taken at end)":true}"#;
    let rows = [format!("error|{late}||shop.Refused|4000|1"), format!("ok|{late}|0||50000|1")];
    assert_eq!(database.lines(ROWS), rows);
    assert_eq!(database.lines(MINUTES), ["5|2|1|3|0|60000|992|50000"]);
    let page = Tape::open(&stage.db).expect("opens").overview(&OverviewFilter::default()).expect("reads");
    let row = &page.functions[0];
    assert_eq!((row.calls, row.timed, row.is_complete(), row.estimated_total_ns()), (5, 5, true, 60_000));
    assert!(row.p50_ns.is_some_and(|ns| ns.abs_diff(3_000) <= 3_000 / 64), "{row:?}");
    database.assert_balanced();
}

#[test]
fn a_drain_that_dies_and_one_that_replays_add_nothing_twice() {
    for point in [Point::BeforeCommit, Point::AfterCommit, Point::AfterMark] {
        let stage = Stage::new();
        let mut caller = stage.caller("MainThread");
        let place = caller.define("shop.place");
        for round in 1..4 {
            left_out(&mut caller, place, 1_000 * round, Ends::Quick);
            let mut drain = stage.drain();
            die_at(&mut drain, point, 1);
            assert!(drain.pass(true).is_err(), "{point:?}");
        }
        drain_all(&mut stage.drain());
        drain_all(&mut stage.drain());
        let minutes = "SELECT sum(calls), sum(sampled_out), sum(total_ns) FROM function_minutes";
        assert_eq!(stage.database().lines(minutes), ["3|3|6000"], "{point:?}");
    }
}

#[test]
fn what_a_process_left_behind_is_added_once_to_the_minute_in_which_it_was_last_heard_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let hour = 3_600_000_000_000;
    // It has recorded nothing else since.
    let hour_ago = RunIdentity { started_unix_ns: unix_ns() - hour, ..identity() };
    let journal = Journal::create(&tape_directory(&db), &hour_ago, &Options::default()).expect("a journal");
    let mut caller = Caller::new(&Arc::new(journal), "MainThread");
    let place = caller.define("shop.place");
    left_out(&mut caller, place, 2_000, Ends::Quick);
    caller.leave_out(place);
    drop(caller);
    for point in [Point::AfterCommit, Point::BeforeRemove, Point::AfterRemove] {
        let mut drain = stranger(&db);
        die_at(&mut drain, point, 1);
        assert!(drain.pass(true).is_err(), "{point:?}");
    }
    drain_all(&mut stranger(&db));
    let database = Database::open(&db);
    assert_eq!(database.lines(MINUTES), ["1|0|0|1|0|2000|2000|2000"]);
    assert_eq!(database.lines("SELECT calls, stored, sampled_out, in_flight, unknown FROM accounting"), ["2|0|1|0|1"]);
    assert_eq!(database.one::<i64>("SELECT max(minute) FROM minute"), hour_ago.started_unix_ns / 60_000_000_000);
    assert_eq!(
        database.one::<i64>("SELECT count(*) FROM tally") + database.one::<i64>("SELECT count(*) FROM cursor"),
        0
    );
}

#[test]
fn a_call_that_turns_out_certain_stands_for_itself_alone_also_in_a_later_batch() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let begin = |caller: &mut Caller| caller.begin_or_drop(place, 4.0, 3, monotonic_ns()).expect("room");
    let (kept, raising, later) = (begin(&mut caller), begin(&mut caller), begin(&mut caller));
    caller.end_or_wait(kept, place, monotonic_ns(), None).expect("room");
    caller.end_or_wait(raising, place, monotonic_ns(), Some(RAISED)).expect("room");
    let mut drain = stage.drain();
    drain_all(&mut drain);
    let weights = || stage.database().lines("SELECT status, weight FROM calls ORDER BY id");
    assert_eq!(weights(), ["ok|4", "error|1", "running|4"]);
    caller.end_or_wait(later, place, monotonic_ns(), Some(RAISED)).expect("room");
    drain_all(&mut drain);
    assert_eq!(weights(), ["ok|4", "error|1", "error|1"]);
}

#[test]
fn a_tally_that_says_more_than_the_counters_is_damaged_and_adds_nothing() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let (place, pay) = (caller.define("shop.place"), caller.define("shop.pay"));
    left_out(&mut caller, place, 2_000, Ends::Quick);
    stage.journal.tally(pay).expect("a tally").add(500, 1 << 40);
    // It is looked at once and not for ever.
    drain_all(&mut stage.drain());
    drop(caller);
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    assert_eq!(Database::open(&db).lines(MINUTES), ["1|0|0|1|0|2000|2000|2000"]);
}

#[test]
fn a_function_that_has_only_begun_calls_has_no_minute() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    caller.begin(place, None, 1, 2).expect("room");
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().lines("SELECT calls, stored FROM accounting"), ["1|0"]);
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM function_minutes"), 0);
}
