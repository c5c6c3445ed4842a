//! The file of function definitions is gone after a power loss, while the database and the segments are there.
//!
//! The damage there was: the calls still to be read went to a function "(unreadable function 1)", and the books counted
//! them for the function itself, so rows and books differed for ever. The tape knows the function by its slot.

use crate::stage::{Stage, drain_all, stranger};

#[test]
fn calls_of_a_function_whose_definition_is_lost_stay_in_its_books() {
    let stage = Stage::new();
    let mut caller = stage.caller("main");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    let mut drain = stage.drain();
    drain_all(&mut drain);
    drop(drain);
    assert!(caller.call(place, 3, 4));
    let definitions = stage.journal.directory().join("functions");
    caller.give_back();
    let (_folder, db) = stage.die();
    std::fs::write(definitions, []).expect("emptied");

    drain_all(&mut stranger(&db));

    let database = calltape_testkit::Database::open(&db);
    assert_eq!(
        database.lines("SELECT function, args, result FROM calls ORDER BY id"),
        [r#"shop.place|{"a":1,"b":2}|3"#, r#"shop.place|{"a":3,"b":4}|7"#]
    );
    assert_eq!(database.lines("SELECT function, calls, stored, unknown FROM accounting"), ["shop.place|2|2|0"]);
    database.assert_balanced();
}

/// Only the end of a call is still to be read, so nothing else asks for the function; the books must count it all the same.
#[test]
fn a_call_that_ends_after_definitions_and_counters_are_lost_is_in_the_books() {
    let stage = Stage::new();
    let mut caller = stage.caller("main");
    let place = caller.define("shop.place");
    let open = caller.begin(place, None, 1, 2).expect("room");
    let mut drain = stage.drain();
    drain_all(&mut drain);
    drop(drain);
    caller.end(open, place, 3);
    let directory = stage.journal.directory().to_path_buf();
    caller.give_back();
    let (_folder, db) = stage.die();
    for file in ["functions", "control"] {
        std::fs::write(directory.join(file), []).expect("emptied");
    }

    drain_all(&mut stranger(&db));

    let database = calltape_testkit::Database::open(&db);
    assert_eq!(database.lines("SELECT function, status, result FROM calls"), ["shop.place|ok|3"]);
    assert_eq!(database.lines("SELECT function, calls, stored, unknown FROM accounting"), ["shop.place|1|1|0"]);
    database.assert_balanced();
}

/// A caller counts a call after its beginning is recorded, so a drain may store the beginning before the count; what is
/// lost then is all that told the function's slot.
#[test]
fn a_call_that_was_stored_before_it_was_counted_is_in_the_books() {
    let stage = Stage::new();
    let mut caller = stage.caller("main");
    let place = caller.define("shop.place");
    caller.begin(place, None, 1, 2).expect("room");
    caller.calls(place).store(0, std::sync::atomic::Ordering::Relaxed);
    let mut drain = stage.drain();
    drain_all(&mut drain);
    drop(drain);
    let directory = stage.journal.directory().to_path_buf();
    caller.give_back();
    let (_folder, db) = stage.die();
    for file in ["functions", "control"] {
        std::fs::write(directory.join(file), []).expect("emptied");
    }

    drain_all(&mut stranger(&db));

    let database = calltape_testkit::Database::open(&db);
    assert_eq!(database.lines("SELECT function, status FROM calls"), ["shop.place|interrupted"]);
    assert_eq!(database.lines("SELECT function, calls, stored, unknown FROM accounting"), ["shop.place|1|1|0"]);
    database.assert_balanced();
}
