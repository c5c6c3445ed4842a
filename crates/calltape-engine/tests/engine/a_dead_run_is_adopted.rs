//! What a process leaves behind is drained by whoever comes next.

use crate::stage::{Stage, drain_all, stranger};

#[test]
fn a_process_that_died_leaves_its_returned_calls_stored_and_its_open_ones_interrupted_with_arguments() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    for call in 0..500 {
        assert!(caller.call(place, call, 2));
    }
    caller.begin(place, None, 7, 8).expect("room");
    caller.sample_out(place);
    caller.drop_one(place);
    drop(caller);
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    let database = calltape_testkit::Database::open(&db);
    assert_eq!(
        database.lines("SELECT status, count(*), max(args) FROM calls GROUP BY status"),
        [r#"interrupted|1|{"a":7,"b":8}"#, r#"ok|500|{"a":99,"b":2}"#]
    );
    assert_eq!(
        database.lines("SELECT run, calls, stored, sampled_out, dropped, in_flight, unknown FROM accounting"),
        ["died|503|501|1|1|0|0"]
    );
    assert_eq!(database.lines("SELECT ending, ended_ns >= started_ns FROM runs"), ["died|1"]);
    database.assert_balanced();
    let left = std::fs::read_dir(calltape_engine::drain::tape_directory(&db)).expect("a folder");
    assert_eq!(left.filter(|entry| entry.as_ref().expect("an entry").path().is_dir()).count(), 0, "a journal is left");
}

#[test]
fn a_call_that_was_stored_but_not_counted_raises_the_count() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    caller.calls(place).store(0, std::sync::atomic::Ordering::Relaxed);
    drop(caller);
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    let database = calltape_testkit::Database::open(&db);
    assert_eq!(database.lines("SELECT calls, stored, unknown FROM accounting"), ["1|1|0"]);
}

#[test]
fn a_call_whose_record_is_damaged_is_unknown() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    caller.calls(place).store(2, std::sync::atomic::Ordering::Relaxed);
    caller.append(calltape_record::kind::START, b"no start");
    caller.append(calltape_record::kind::END, b"no end");
    caller.append(9, b"no kind");
    let mut drain = stage.drain();
    drain_all(&mut drain);
    assert_eq!(drain.own_figures(), Some((1, 3)));
    drop((drain, caller));
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    let database = calltape_testkit::Database::open(&db);
    assert_eq!(database.lines("SELECT calls, stored, unknown FROM accounting"), ["2|1|1"]);
}

#[test]
fn a_run_whose_journal_is_gone_is_lost_and_what_it_held_is_unknown() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    caller.begin(place, None, 1, 2).expect("room");
    drain_all(&mut stage.drain());
    std::fs::remove_dir_all(stage.journal.directory()).expect("removed");
    drop(caller);
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    let database = calltape_testkit::Database::open(&db);
    assert_eq!(database.lines("SELECT run, stored, in_flight, unknown IS NULL FROM accounting"), ["lost|2|0|1"]);
    assert_eq!(database.lines("SELECT status FROM calls ORDER BY id"), ["ok", "interrupted"]);
}
