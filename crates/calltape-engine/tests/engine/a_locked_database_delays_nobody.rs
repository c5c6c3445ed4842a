//! While another program holds the database, calls go on; when it lets go, everything is stored.

use std::time::{Duration, Instant};

use crate::stage::SOON;
use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};

#[test]
fn calls_made_while_the_database_is_locked_arrive_when_it_is_free() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let recorder = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    assert!(recorder.flush(SOON));

    let database = Database::open(&db);
    database.connection().execute_batch("BEGIN EXCLUSIVE").expect("locks");
    let begun = Instant::now();
    for call in 0..20_000 {
        assert!(caller.call(place, call, 1));
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "calls waited for the database");
    assert!(!recorder.flush(Duration::from_millis(300)), "flushed into a locked database");
    let stats = recorder.stats();
    assert_eq!((stats.stored, stats.in_flight, stats.dropped), (1, 20_000, 0));
    assert_eq!(stats.breaker.state, "closed", "a short lock is no failure");
    assert!(stats.breaker.last_error.is_some_and(|error| error.contains("locked")));
    assert!(stats.lag_s > 0.2);

    database.connection().execute_batch("COMMIT").expect("unlocks");
    assert!(recorder.flush(SOON));
    assert_eq!(recorder.stats().stored, 20_001);
    database.assert_balanced();
}

#[test]
fn a_database_locked_from_the_start_does_not_delay_the_start_or_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    assert!(Recorder::start(&Settings::for_db(&db), &identity()).expect("starts").finish(SOON).drained);
    let database = Database::open(&db);
    database.connection().execute_batch("BEGIN EXCLUSIVE").expect("locks");

    let begun = Instant::now();
    let recorder = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    let report = recorder.finish(Duration::from_millis(200));
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(!report.drained && report.left_bytes > 0, "{report:?}");
    drop((caller, recorder));

    database.connection().execute_batch("COMMIT").expect("unlocks");
    let next = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    assert!(next.flush(SOON));
    assert_eq!(database.lines("SELECT status, args FROM calls"), [r#"ok|{"a":1,"b":2}"#]);
    assert!(next.finish(SOON).drained);
    assert_eq!(database.lines("SELECT ending, count(*) FROM runs GROUP BY 1"), ["exit|3"]);
    database.assert_balanced();
}
