//! A tape, or its WAL, that is moved away while it is recorded on: what it held is all in it, wherever it is, and the next
//! calls go to what stands at the path, or into a new tape.

use std::path::Path;

use crate::stage::damage::{beside, set_aside, shell};
use crate::stage::{Stage, drain_all};
use calltape_engine::drain::DrainError;
use calltape_testkit::{Caller, Database};
use rusqlite::Connection;

/// A tape with the calls 0 to 99, all in the WAL, a drain that has it open, and more to store.
fn recorded() -> (Stage, Caller, calltape_engine::drain::Drain, u32) {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    for call in 0..100 {
        assert!(caller.call(place, call, 0));
    }
    assert!(drain.pass(true).expect("a pass").committed);
    (stage, caller, drain, place)
}

fn count(path: &Path) -> i64 {
    Connection::open(path).expect("opens").query_row("SELECT count(*) FROM calls", [], |row| row.get(0)).expect("calls")
}

#[test]
fn a_tape_that_was_renamed_has_its_calls_and_a_new_one_the_next() {
    let (stage, mut caller, mut drain, place) = recorded();
    let elsewhere = stage.folder.path().join("kept.db");
    shell(&format!("mv '{}' '{}'", stage.db.display(), elsewhere.display()));
    assert!(caller.call(place, 100, 0));
    drain_all(&mut drain);
    assert_eq!((count(&elsewhere), count(&stage.db)), (100, 1));
    assert_eq!(Database::open(&elsewhere).one::<String>("PRAGMA integrity_check"), "ok");
    assert!(set_aside(&stage.db).is_empty(), "nothing but copies was in the WAL");
    let said = drain.take_warnings();
    assert!(said.len() == 1 && said[0].contains("calls.db was moved, deleted or replaced"), "{said:?}");
    stage.database().assert_balanced();
}

#[test]
fn a_tape_in_the_place_of_another_is_recorded_on() {
    let (other, mut others, mut drain, place) = recorded();
    assert!(others.call(place, 100, 0));
    drain_all(&mut drain);
    drop(drain);
    let (stage, mut caller, mut drain, place) = recorded();
    shell(&format!("mv '{}' '{}'", other.db.display(), stage.db.display()));
    assert!(caller.call(place, 100, 0));
    drain_all(&mut drain);
    assert_eq!(count(&stage.db), 102, "101 of the other tape, and the next");
    assert_eq!(stage.database().one::<String>("PRAGMA integrity_check"), "ok");
    stage.database().assert_balanced();
}

#[test]
fn a_wal_that_was_deleted_or_renamed_costs_nothing() {
    for how in ["rm '{}-wal'", "mv '{}-wal' '{}-elsewhere'", "rm '{}-shm'", "rm '{}-shm' '{}-wal'"] {
        let (stage, mut caller, mut drain, place) = recorded();
        shell(&how.replace("{}", &stage.db.to_string_lossy()));
        assert!(caller.call(place, 100, 0));
        drain_all(&mut drain);
        assert_eq!(count(&stage.db), 101, "{how}");
        assert_eq!(stage.database().one::<String>("PRAGMA integrity_check"), "ok", "{how}");
        stage.database().assert_balanced();
        assert_eq!(stage.database().lines("SELECT kind FROM incidents"), [""; 0], "{how}");
        let said = drain.take_warnings();
        assert!(said.len() == 1 && said[0].contains("calls.db-wal was moved"), "{how}: {said:?}");
    }
}

#[test]
fn rows_that_only_the_open_wal_has_are_kept_until_a_reader_lets_them_into_the_file() {
    let (stage, mut caller, mut drain, place) = recorded();
    let reader = stage.database();
    reader.connection().execute_batch("BEGIN").expect("begins");
    assert_eq!(reader.one::<i64>("SELECT count(*) FROM calls"), 100);
    assert!(caller.call(place, 100, 0));
    assert!(drain.pass(true).expect("a pass").committed);
    shell(&format!("rm '{}'", beside(&stage.db, "-wal").display()));
    assert!(caller.call(place, 101, 0));
    for _ in 0..3 {
        assert!(matches!(drain.pass(true), Err(DrainError::Store(_))), "nothing is begun, and nothing let go");
    }
    reader.connection().execute_batch("COMMIT").expect("ends");
    drop(reader);
    drain_all(&mut drain);
    assert_eq!(count(&stage.db), 102);
    stage.database().assert_balanced();
}

#[test]
fn a_folder_in_its_place_is_a_persons_to_move() {
    let (stage, mut caller, mut drain, place) = recorded();
    shell(&format!("mv '{0}' '{0}.kept' && mkdir '{0}'", stage.db.display()));
    assert!(caller.call(place, 100, 0));
    for _ in 0..3 {
        let Err(DrainError::Store(error)) = drain.pass(true) else { panic!("passed into a folder") };
        assert!(error.needs_a_person() && error.to_string().contains("is not a file"), "{error}");
    }
    shell(&format!("rmdir '{}'", stage.db.display()));
    drain_all(&mut drain);
    assert_eq!((count(&beside(&stage.db, ".kept")), count(&stage.db)), (100, 1));
    stage.database().assert_balanced();
}
