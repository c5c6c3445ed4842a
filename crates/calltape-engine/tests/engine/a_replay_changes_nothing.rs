//! The drain may die anywhere and begin again: every call is stored once, none is missing, the books are right.

use crate::stage;
use crate::stage::{Stage, die_at, died, drain_all};
use calltape_engine::drain::Point;

const POINTS: [Point; 3] = [Point::BeforeCommit, Point::AfterCommit, Point::AfterMark];

#[test]
fn a_drain_that_dies_at_any_point_of_any_batch_is_carried_on_by_the_next() {
    for point in POINTS {
        for nth in 1..=4 {
            let stage = Stage::new();
            let mut caller = stage.caller("MainThread");
            let place = caller.define("shop.place");
            let mut drain = stage.drain();
            die_at(&mut drain, point, nth);
            let mut deaths = 0;
            let mut open = None;
            for round in 0..6 {
                if let Some(id) = open.take() {
                    caller.end(id, place, 99);
                }
                for call in 0..200 {
                    assert!(caller.call(place, round, call));
                }
                caller.sample_out(place);
                open = Some(caller.begin(place, None, round, 1000).expect("room"));
                let outcome = drain.pass(true);
                if died(&outcome) {
                    deaths += 1;
                    drop(drain);
                    drain = stage.drain();
                }
            }
            assert_eq!(deaths, 1, "{point:?} {nth}");
            drain_all(&mut drain);
            let database = stage.database();
            let calls: i64 = database.one("SELECT count(*) FROM calls WHERE status = 'ok'");
            assert_eq!(calls, 6 * 200 + 5, "{point:?} {nth}");
            assert_eq!(
                database.lines("SELECT calls, stored, sampled_out, dropped, in_flight FROM accounting"),
                ["1212|1205|6|0|1"]
            );
            assert_eq!(database.one::<i64>("SELECT sum(sampled_out) FROM function_minutes"), 6);
            database.assert_balanced();
        }
    }
}

#[test]
fn notes_are_added_once_and_in_order_whatever_the_drain_dies_of() {
    for point in POINTS {
        for nth in 1..=4 {
            let stage = Stage::new();
            let (mut other, mut caller) = (stage.caller("other"), stage.caller("MainThread"));
            let place = caller.define("shop.place");
            let mut drain = stage.drain();
            die_at(&mut drain, point, nth);
            let early = caller.take_id();
            let long = caller.begin(place, None, 0, 0).expect("room");
            for round in 0..6 {
                caller.note(long, "round", round);
                caller.note(long, &format!("n{round}"), 1);
                other.note(early, "round", round);
                if died(&drain.pass(true)) {
                    drop(drain);
                    drain = stage.drain();
                }
            }
            caller.begin_as(early, place, None, 0, 0, calltape_journal::monotonic_ns()).expect("room");
            drain_all(&mut drain);
            let noted = |notes: &str| format!(r#"{{"a":0,"b":0,"(set)":{{"round":5{notes}}}}}"#);
            assert_eq!(
                stage.database().lines("SELECT args FROM calls ORDER BY id"),
                [noted(""), noted(r#","n0":1,"n1":1,"n2":1,"n3":1,"n4":1,"n5":1"#)],
                "{point:?} {nth}"
            );
            assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM early_note"), 0, "{point:?} {nth}");
        }
    }
}

#[test]
fn a_run_that_is_settled_twice_stays_as_it_was_settled() {
    for point in [Point::AfterCommit, Point::BeforeRemove, Point::AfterRemove] {
        let stage = Stage::new();
        let mut caller = stage.caller("MainThread");
        let place = caller.define("shop.place");
        assert!(caller.call(place, 1, 2));
        caller.begin(place, None, 3, 4).expect("room");
        drop(caller);
        let (_folder, db) = stage.die();
        let mut drain = stage::stranger(&db);
        die_at(&mut drain, point, 1);
        assert!(died(&drain.pass(true)), "{point:?}");
        let database = calltape_testkit::Database::open(&db);
        let settled = "SELECT ending, ended_ns, calls, stored FROM runs JOIN accounting ON run_id = id";
        let before = database.lines(settled);
        drop(drain);
        let mut drain = stage::stranger(&db);
        drain_all(&mut drain);
        assert_eq!(database.lines(settled), before, "{point:?}");
        assert_eq!(database.lines("SELECT status FROM calls ORDER BY id"), ["ok", "interrupted"]);
        assert_eq!(database.one::<i64>("SELECT count(*) FROM cursor"), 0, "{point:?}");
        database.assert_balanced();
        let left = calltape_journal::list_runs(&calltape_engine::drain::tape_directory(&db)).expect("a list");
        assert!(left.is_empty());
    }
}
