//! What a program adds to a running call stands in the call's arguments under `(set)`, wherever START, notes and END are
//! found.

use crate::stage::{Stage, drain_all, stranger};
use calltape_journal::{bump, monotonic_ns};
use calltape_record::value::ValueWriter;
use calltape_record::{StartHead, begin_note, begin_start, kind};
use calltape_testkit::Database;

const ROWS: &str = "SELECT status, args FROM calls ORDER BY id";

#[test]
fn notes_read_with_their_call_are_in_its_row() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 5, 6));
    let id = caller.begin(place, None, 1, 2).expect("room");
    caller.note(id, "user", 7);
    caller.note(id, "a \"name\"\n", 1);
    caller.note(id, "user", 8);
    caller.end(id, place, 3);
    caller.note(id, "after", 9);
    assert!(caller.call(place, 3, 4));
    drain_all(&mut stage.drain());
    assert_eq!(
        stage.database().lines(ROWS),
        [
            r#"ok|{"a":5,"b":6}"#,
            r#"ok|{"a":1,"b":2,"(set)":{"user":8,"a \"name\"\n":1,"after":9}}"#,
            r#"ok|{"a":3,"b":4}"#
        ]
    );
    assert_eq!(stage.database().one::<i64>(r#"SELECT max(args ->> '$."(set)".user') FROM calls"#), 8);
    stage.database().assert_balanced();
}

#[test]
fn notes_of_a_call_that_is_stored_are_added_to_its_row() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.begin(place, None, 1, 2).expect("room");
    caller.note(id, "user", 7);
    let mut drain = stage.drain();
    drain_all(&mut drain);
    assert_eq!(stage.database().lines(ROWS), [r#"running|{"a":1,"b":2,"(set)":{"user":7}}"#]);
    caller.note(id, "step", 1);
    drain_all(&mut drain);
    assert_eq!(stage.database().lines(ROWS), [r#"running|{"a":1,"b":2,"(set)":{"user":7,"step":1}}"#]);
    caller.note(id, "user", 8);
    caller.end(id, place, 3);
    drain_all(&mut drain);
    caller.note(id, "after", 9);
    drain_all(&mut drain);
    assert_eq!(stage.database().lines(ROWS), [r#"ok|{"a":1,"b":2,"(set)":{"user":8,"step":1,"after":9}}"#]);
    assert_eq!(drain.own_figures(), Some((1, 0)));
    stage.database().assert_balanced();
}

#[test]
fn a_note_read_before_its_start_in_the_same_batch_meets_it() {
    let stage = Stage::new();
    let (mut first, mut second) = (stage.caller("first"), stage.caller("second"));
    let place = first.define("shop.place");
    let id = second.begin(place, None, 1, 2).expect("room");
    first.note(id, "user", 7);
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().lines(ROWS), [r#"running|{"a":1,"b":2,"(set)":{"user":7}}"#]);
}

#[test]
fn notes_stored_before_their_start_wait_for_it_and_later_ones_replace_them() {
    let stage = Stage::new();
    let (mut first, mut second) = (stage.caller("first"), stage.caller("second"));
    let place = first.define("shop.place");
    let id = second.take_id();
    for value in 1..=2 {
        first.note(id, "user", value);
        first.note(id, "kept", value);
        drain_all(&mut stage.drain());
        let waiting = format!(r#"{{"user":{value},"kept":{value}}}"#);
        assert_eq!(stage.database().lines("SELECT notes FROM early_note"), [waiting]);
    }
    // Its segment is read before the START's.
    first.note(id, "user", 3);
    second.begin_as(id, place, None, 1, 2, monotonic_ns()).expect("room");
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().lines(ROWS), [r#"running|{"a":1,"b":2,"(set)":{"user":3,"kept":2}}"#]);
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM early_note"), 0);
}

#[test]
fn a_call_whose_arguments_were_not_captured_has_its_notes_alone() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    for in_the_same_batch in [true, false] {
        let id = caller.take_id();
        let head = StartHead { id, parent: 0, root: id, started: monotonic_ns(), function: place, weight: 1.0 };
        let mut start = Vec::new();
        begin_start(&mut start, &head);
        bump(caller.calls(place));
        caller.append(kind::START, &start);
        if !in_the_same_batch {
            drain_all(&mut stage.drain());
        }
        caller.note(id, "user", 7);
        drain_all(&mut stage.drain());
    }
    let alone = r#"running|{"(set)":{"user":7}}"#;
    assert_eq!(stage.database().lines(ROWS), [alone, alone]);
}

#[test]
fn an_interrupted_call_has_the_notes_of_its_dead_process_and_those_of_a_lost_one_go() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.begin(place, None, 1, 2).expect("room");
    drain_all(&mut stage.drain());
    caller.note(id, "user", 7);
    let never_begun = caller.take_id();
    caller.note(never_begun, "user", 8);
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM early_note"), 1);
    caller.note(id, "step", 1);
    drop(caller);
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    let database = Database::open(&db);
    assert_eq!(database.lines(ROWS), [r#"interrupted|{"a":1,"b":2,"(set)":{"user":7,"step":1}}"#]);
    assert_eq!(database.one::<i64>("SELECT count(*) FROM early_note"), 0);
    database.assert_balanced();
}

#[test]
fn a_note_that_cannot_be_read_is_counted_and_harms_no_other() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.begin(place, None, 1, 2).expect("room");
    caller.append(kind::NOTE, b"no note");
    let mut cut = Vec::new();
    begin_note(&mut cut, id, "cut");
    ValueWriter::list(&mut cut);
    caller.append(kind::NOTE, &cut);
    caller.note(id, "user", 7);
    let mut drain = stage.drain();
    drain_all(&mut drain);
    assert_eq!(drain.own_figures(), Some((0, 2)));
    assert_eq!(stage.database().lines(ROWS), [r#"running|{"a":1,"b":2,"(set)":{"user":7}}"#]);
}
