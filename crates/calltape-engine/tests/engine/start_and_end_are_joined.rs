//! A call is one row, wherever its START and its END are found.

use calltape_testkit::Database;

use crate::stage::{Stage, drain_all, stranger};
use calltape_journal::monotonic_ns;
use calltape_record::value::ValueWriter;
use calltape_record::{EndHead, Status, begin_end, kind};

const ROWS: &str = "SELECT function, status, args, result, duration_ns FROM calls ORDER BY id";

#[test]
fn a_call_that_ends_in_the_batch_it_begins_in_is_a_finished_row() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.take_id();
    let now = monotonic_ns();
    caller.begin_as(id, place, None, 1, 2, now).expect("room");
    caller.end_as(id, place, 3, now + 1500);
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().lines(ROWS), [r#"shop.place|ok|{"a":1,"b":2}|3|1500"#]);
    stage.database().assert_balanced();
}

#[test]
fn a_call_that_is_not_over_is_a_running_row_and_its_end_completes_it() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.take_id();
    let now = monotonic_ns();
    caller.begin_as(id, place, None, 1, 2, now).expect("room");
    let mut drain = stage.drain();
    drain_all(&mut drain);
    assert_eq!(stage.database().lines(ROWS), [r#"shop.place|running|{"a":1,"b":2}||"#]);
    assert_eq!(stage.database().lines("SELECT stored, in_flight FROM accounting"), ["0|1"]);
    caller.end_as(id, place, 3, now + 2500);
    drain_all(&mut drain);
    assert_eq!(stage.database().lines(ROWS), [r#"shop.place|ok|{"a":1,"b":2}|3|2500"#]);
    assert_eq!(stage.database().lines("SELECT stored, in_flight FROM accounting"), ["1|0"]);
    stage.database().assert_balanced();
}

#[test]
fn an_end_completes_its_row_after_a_restart_of_the_drain_too() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.begin(place, None, 1, 2).expect("room");
    drain_all(&mut stage.drain());
    caller.end(id, place, 3);
    drain_all(&mut stage.drain());
    assert_eq!(
        stage.database().lines("SELECT status, result, duration_ns BETWEEN 0 AND 10000000000 FROM calls"),
        ["ok|3|1"]
    );
    stage.database().assert_balanced();
}

#[test]
fn an_end_read_before_its_start_in_the_same_batch_meets_it() {
    let stage = Stage::new();
    let (mut first, mut second) = (stage.caller("first"), stage.caller("second"));
    let place = first.define("shop.place");
    let id = second.begin(place, None, 1, 2).expect("room");
    first.end(id, place, 3);
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().lines("SELECT status, result, thread FROM calls"), ["ok|3|second"]);
    stage.database().assert_balanced();
}

#[test]
fn an_end_stored_before_its_start_waits_for_it() {
    let stage = Stage::new();
    let (mut first, mut second) = (stage.caller("first"), stage.caller("second"));
    let place = first.define("shop.place");
    let id = second.take_id();
    let now = monotonic_ns();
    first.end_as(id, place, 3, now + 700);
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM early_end"), 1);
    second.begin_as(id, place, None, 1, 2, now).expect("room");
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().lines(ROWS), [r#"shop.place|ok|{"a":1,"b":2}|3|700"#]);
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM early_end"), 0);
    stage.database().assert_balanced();
}

#[test]
fn an_end_whose_start_never_comes_goes_with_its_run() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.take_id();
    caller.end_as(id, place, 3, monotonic_ns());
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM early_end"), 1);
    drop(caller);
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    let database = Database::open(&db);
    assert_eq!(database.one::<i64>("SELECT count(*) FROM early_end"), 0);
    assert_eq!(database.lines(ROWS), [""; 0]);
    database.assert_balanced();
}

#[test]
fn a_row_names_the_call_that_made_it_and_the_first_of_its_tree() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let first = caller.begin(place, None, 1, 2).expect("room");
    let second = caller.begin(place, Some((first, first)), 3, 4).expect("room");
    let third = caller.begin(place, Some((second, first)), 5, 6).expect("room");
    for id in [third, second, first] {
        caller.end(id, place, 0);
    }
    drain_all(&mut stage.drain());
    let expected = [format!("{first}||"), format!("{second}|{first}|{first}"), format!("{third}|{second}|{first}")];
    assert_eq!(stage.database().lines("SELECT id, parent_id, root_id FROM call ORDER BY id"), expected);
}

#[test]
fn of_two_calls_with_one_id_the_first_is_the_row_and_the_other_is_damage() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    let id = caller.take_id();
    let now = monotonic_ns();
    for (argument, taken) in [(1, now + 1500), (7, now + 9500)] {
        caller.begin_as(id, place, None, argument, 2, now).expect("room");
        caller.end_as(id, place, argument, taken);
        drain_all(&mut drain);
    }
    assert_eq!(stage.database().lines(ROWS), [r#"shop.place|ok|{"a":1,"b":2}|1|1500"#]);
    assert_eq!(drain.own_figures(), Some((1, 1)));
}

#[test]
fn a_call_ends_once_and_a_second_end_of_it_is_damage() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let now = monotonic_ns();
    let id = caller.take_id();
    caller.begin_as(id, place, None, 1, 2, now).expect("room");
    let mut drain = stage.drain();
    drain_all(&mut drain);
    for (result, ended) in [(3, now + 1500), (4, now + 9500)] {
        caller.end_as(id, place, result, ended);
        drain_all(&mut drain);
    }
    assert_eq!(stage.database().lines(ROWS), [r#"shop.place|ok|{"a":1,"b":2}|3|1500"#]);
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM early_end"), 0);
    assert_eq!(drain.own_figures(), Some((1, 1)));
}

#[test]
fn a_late_end_with_a_result_that_cannot_be_read_is_an_end_and_damage() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.begin(place, None, 1, 2).expect("room");
    let mut drain = stage.drain();
    drain_all(&mut drain);
    let mut payload = Vec::new();
    let head = EndHead { id, ended: monotonic_ns(), function: place, status: Status::Ok, certain: false };
    begin_end(&mut payload, &head);
    ValueWriter::list(&mut payload);
    caller.append(kind::END, &payload);
    drain_all(&mut drain);
    assert_eq!(stage.database().lines("SELECT status FROM calls"), ["ok"]);
    assert_eq!(drain.own_figures(), Some((1, 1)));
}
