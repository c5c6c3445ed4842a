//! A database that is deleted while calls are recorded: the next calls go into a new one, not into a file without a name.

mod stage;

use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};
use stage::SOON;

#[test]
fn calls_after_the_deletion_are_in_the_new_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let recorder = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    assert!(recorder.flush(SOON));
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", db.display()));
    }
    assert!(caller.call(place, 3, 4));
    assert!(recorder.flush(SOON));
    let database = Database::open(&db);
    assert_eq!(database.one::<i64>(r#"SELECT count(*) FROM calls WHERE args = '{"a":3,"b":4}'"#), 1);
    database.assert_balanced();
    assert!(recorder.finish(SOON).drained);
}
