//! Around a fork the thread stops and starts again; calls made meanwhile are stored afterwards.

use std::time::Duration;

use crate::stage::SOON;
use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};

#[test]
fn calls_made_during_a_pause_are_stored_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let recorder = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    for round in 0..5 {
        assert!(caller.call(place, round, 1));
        assert!(recorder.pause(SOON));
        assert!(recorder.pause(SOON), "a second pause is none");
        assert!(caller.call(place, round, 2));
        std::thread::sleep(Duration::from_millis(20));
        assert!(recorder.stats().in_flight > 0, "nobody drains during a pause");
        assert!(recorder.flush(SOON), "whoever waits for the thread starts it again");
        assert_eq!(recorder.stats().in_flight, 0);
    }
    assert!(recorder.pause(SOON));
    assert!(caller.call(place, 9, 9));
    assert!(recorder.finish(SOON).drained, "the end also ends a pause");
    let database = Database::open(&db);
    assert_eq!(database.one::<i64>("SELECT count(*) FROM calls"), 11);
    database.assert_balanced();
}
