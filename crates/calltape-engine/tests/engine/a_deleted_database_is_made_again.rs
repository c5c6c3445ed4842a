//! A database that is deleted while calls are recorded: the next calls go into a new one, not into a file without a name.

use crate::stage;
use std::time::Duration;

use crate::stage::SOON;
use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};

/// Deletes the files one after the other; after each, for `pause`, the drain may find what it finds.
fn calls_after_a_deletion(endings: &[&str], pause: Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let recorder = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    assert!(recorder.flush(SOON));
    for ending in endings {
        let _ = std::fs::remove_file(format!("{}{ending}", db.display()));
        std::thread::sleep(pause);
    }
    assert!(caller.call(place, 3, 4));
    assert!(recorder.flush(SOON));
    let stats = recorder.stats();
    assert_eq!((stats.recorded, stats.stored, stats.in_flight), (2, 2, 0), "{endings:?} {stats:?}");
    let said = recorder.take_messages();
    let database = Database::open(&db);
    assert_eq!(
        database.lines("SELECT args FROM calls ORDER BY id"),
        [r#"{"a":3,"b":4}"#],
        "{endings:?} {said:?} {:?}",
        database.lines("SELECT * FROM accounting")
    );
    assert_eq!(database.lines("SELECT calls, stored, in_flight, unknown FROM accounting"), ["2|1|0|1"]);
    // What is deleted after the drain has begun anew is the new tape's: then it may happen once more.
    assert!((1..=endings.len()).contains(&said.len()), "each said once: {said:?}");
    let incidents = database.lines("SELECT kind, times FROM incidents");
    let allowed = (1..=said.len()).map(|times| vec![format!("database set aside|{times}")]);
    assert!(allowed.into_iter().any(|lines| lines == incidents), "{incidents:?} {said:?}");
    database.assert_balanced();
    assert!(recorder.finish(SOON).drained);
    assert_eq!(database.lines("SELECT calls, stored, in_flight, unknown FROM accounting"), ["2|1|0|1"]);
}

#[test]
fn calls_after_the_deletion_are_in_the_new_database() {
    for micros in [0, 300, 1_000, 3_000, 10_000] {
        calls_after_a_deletion(&["", "-wal", "-shm"], Duration::from_micros(micros));
        calls_after_a_deletion(&["-shm", "", "-wal"], Duration::from_micros(micros));
    }
    calls_after_a_deletion(&["-wal", "-shm", ""], Duration::ZERO);
}

#[test]
fn calls_after_the_deletion_of_the_database_alone_are_in_a_new_one() {
    calls_after_a_deletion(&[""], Duration::from_millis(100));
}

#[test]
fn files_may_go_one_after_the_other_while_the_drain_is_at_work() {
    calls_after_a_deletion(&["", "-wal", "-shm"], Duration::from_millis(100));
}

#[test]
fn calls_without_a_row_that_were_counted_before_are_in_no_minute_of_the_new_one() {
    let stage = stage::Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    for _ in 0..5 {
        caller.sample_out(place);
    }
    assert!(caller.call(place, 1, 2));
    stage::drain_all(&mut drain);
    std::fs::remove_file(&stage.db).expect("removed");
    caller.sample_out(place);
    assert!(caller.call(place, 3, 4));
    stage::drain_all(&mut drain);
    let database = stage.database();
    assert_eq!(database.lines("SELECT calls, stored, sampled_out, unknown FROM accounting"), ["8|1|6|1"]);
    assert_eq!(database.lines("SELECT calls, stored, sampled_out FROM function_minutes"), ["2|1|1"]);
    database.assert_balanced();
}
