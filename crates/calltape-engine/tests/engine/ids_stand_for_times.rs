//! Ids are nearly times: calls of a range are found by their ids, though an id may lie seconds off its call's start; and
//! where the clock was set back, ids go on after those that are on the tape.

use calltape_engine::query::{CallFilter, Order, Tape, TimeRange};
use calltape_journal::{monotonic_ns, unix_ns};
use calltape_record::ids;

use crate::stage::{Stage, drain_all, journal_at};

const SECOND: i64 = 1_000_000_000;

#[test]
fn a_call_whose_id_lies_seconds_off_its_start_is_found_by_when_it_began() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let (id, began) = (caller.take_id(), unix_ns() - 30 * SECOND);
    let mono = monotonic_ns() - 30 * SECOND.unsigned_abs();
    caller.begin_as(id, place, None, 1, 2, mono).expect("room");
    caller.end_as(id, place, 3, mono + 700);
    drain_all(&mut stage.drain());
    let tape = Tape::open(&stage.db).expect("a tape");
    let range = TimeRange { since_ns: Some(began - SECOND), until_ns: Some(began + SECOND) };
    let filter = CallFilter { range, ..CallFilter::default() };
    let found = tape.calls(&filter, Order::NewestFirst, None, 10).expect("calls").calls;
    assert_eq!(found.iter().map(|call| call.id).collect::<Vec<_>>(), [id]);
}

#[test]
fn after_a_clock_was_set_back_ids_go_on_after_those_on_the_tape() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    drain_all(&mut stage.drain());
    // As if it had been made when the clock was an hour ahead.
    let ahead = ids::at(unix_ns() + 3600 * SECOND);
    stage.database().connection().execute("UPDATE call SET id = ?1", [ahead as i64]).expect("a later id");
    drop(caller);
    let (_folder, db) = stage.die();
    let journal = journal_at(&db);
    let mut drain = calltape_engine::drain::Drain::new(&db, Some(std::sync::Arc::clone(&journal)));
    assert!(drain.take_lease().expect("a lease file"));
    drain_all(&mut drain);
    assert!(journal.take_ids().start > ahead);
}
