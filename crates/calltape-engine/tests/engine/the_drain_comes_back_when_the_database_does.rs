//! A database that cannot be used: the breaker opens, calls wait in the journal, and when it works again they are stored.

use std::time::{Duration, Instant};

use crate::stage::SOON;
use calltape_engine::{Level, Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};

#[test]
fn calls_made_while_the_breaker_is_open_are_stored_after_it_closes() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    std::fs::create_dir(&db).expect("a folder in the place of the database");
    let mut settings = Settings::for_db(&db);
    settings.breaker_timeout = Duration::from_millis(80);
    settings.flush_interval = Duration::from_millis(2);
    let recorder = Recorder::start(&settings, &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    let deadline = Instant::now() + SOON;
    while recorder.stats().breaker.opens == 0 {
        assert!(caller.call(place, 1, 2));
        assert!(Instant::now() < deadline, "{:?}", recorder.stats());
        std::thread::sleep(Duration::from_millis(1));
    }
    let stats = recorder.stats();
    assert_eq!((stats.stored, stats.dropped), (0, 0));
    assert!(stats.breaker.failures >= settings.breaker_threshold);
    let made = stats.recorded;

    std::fs::remove_dir(&db).expect("removed");
    assert!(recorder.flush(SOON), "{:?}", recorder.stats());
    let stats = recorder.stats();
    assert_eq!((stats.stored, stats.breaker.state, stats.breaker.opens), (made, "closed", 1));
    let levels: Vec<Level> = recorder.take_messages().into_iter().map(|(level, _)| level).collect();
    assert_eq!(levels, [Level::Error, Level::Error, Level::Info], "said at once, when left alone, and when well again");
    Database::open(&db).assert_balanced();
    assert!(recorder.finish(SOON).drained);
}
