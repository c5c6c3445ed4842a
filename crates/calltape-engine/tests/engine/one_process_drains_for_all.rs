//! Recorders on one tape: one drains, the rows of all arrive once, and another takes over when it goes.

use std::time::{Duration, Instant};

use crate::stage::SOON;
use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};

/// Waits until one of the recorders drains: which.
fn the_one_that_drains(recorders: &[&Recorder]) -> usize {
    let deadline = Instant::now() + SOON;
    loop {
        let draining: Vec<usize> = (0..recorders.len()).filter(|&at| recorders[at].stats().drains).collect();
        assert!(draining.len() <= 1, "two drain at once");
        if let [only] = draining[..] {
            return only;
        }
        assert!(Instant::now() < deadline, "nobody drains");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn two_recorders_store_each_call_once_and_the_second_takes_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let settings = Settings::for_db(&db);
    let recorders: Vec<Recorder> = (0..2).map(|_| Recorder::start(&settings, &identity()).expect("starts")).collect();
    let mut callers: Vec<Caller> =
        recorders.iter().map(|recorder| Caller::new(recorder.journal(), "MainThread")).collect();
    let slots: Vec<u32> = callers.iter().map(|caller| caller.define("shop.place")).collect();
    for call in 0..5000 {
        for (caller, slot) in callers.iter_mut().zip(&slots) {
            assert!(caller.call(*slot, call, 1));
        }
    }
    let draining = the_one_that_drains(&[&recorders[0], &recorders[1]]);
    for recorder in &recorders {
        assert!(recorder.flush(SOON), "{:?}", recorder.stats());
        assert_eq!(recorder.stats().stored, 5000);
    }
    let database = Database::open(&db);
    assert_eq!(database.lines("SELECT count(*), count(DISTINCT run_id) FROM calls"), ["10000|2"]);
    database.assert_balanced();

    assert!(recorders[draining].finish(SOON).drained);
    let heir = &recorders[1 - draining];
    assert!(callers[1 - draining].call(slots[1 - draining], 1, 1));
    assert_eq!(the_one_that_drains(&[heir]), 0);
    assert!(heir.flush(SOON));
    assert!(heir.finish(SOON).drained);
    assert_eq!(database.lines("SELECT ending, count(*) FROM runs GROUP BY 1"), ["exit|2"]);
    assert_eq!(database.lines("SELECT calls, unknown FROM accounting ORDER BY 1"), ["5000|0", "5001|0"]);
    database.assert_balanced();
}

#[test]
fn a_recorder_that_ends_without_the_lease_leaves_its_journal_to_the_one_that_drains() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let settings = Settings::for_db(&db);
    let first = Recorder::start(&settings, &identity()).expect("starts");
    assert_eq!(the_one_that_drains(&[&first]), 0);
    let second = Recorder::start(&settings, &identity()).expect("starts");
    let mut caller = Caller::new(second.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    second.finish(Duration::from_millis(100));
    drop((caller, second));
    let deadline = Instant::now() + SOON;
    let database = loop {
        assert!(first.flush(SOON));
        let database = Database::open(&db);
        if database.one::<i64>("SELECT count(*) FROM runs WHERE ending = 'exit'") == 1 {
            break database;
        }
        assert!(Instant::now() < deadline, "{:?}", database.lines("SELECT * FROM runs"));
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(database.lines("SELECT status, result FROM calls"), ["ok|3"]);
    database.assert_balanced();
}
