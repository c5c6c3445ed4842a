//! Where the journal beside the database cannot be made, recording begins all the same, with less.
//!
//! The risk: a full disk or a folder without rights at the start switches recording off for the life of the process.

use std::time::Duration;

use calltape_engine::{Recorder, Settings};
use calltape_journal::Options;
use calltape_testkit::{Caller, Database, identity};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_folder_that_cannot_be_made_means_a_journal_in_memory_drained_once_it_can() {
    let room = tempfile::tempdir().expect("a folder");
    let (folder, aside) = (room.path().join("data"), room.path().join("aside"));
    std::fs::write(&folder, b"a file stands where the folder should").expect("writes");
    let db = folder.join("calls.db");
    let recorder = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    assert_eq!(recorder.stats().journal, "memory");
    let lines = recorder.take_messages();
    assert!(lines.iter().any(|(_, line)| line.starts_with("the journal is in memory")), "{lines:?}");

    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!((0..100).all(|call| caller.call(place, 0, call)));
    assert!(!recorder.flush(Duration::from_millis(100)), "there is no database yet");

    std::fs::rename(&folder, &aside).expect("moves");
    assert!(recorder.flush(SOON));
    assert_eq!(recorder.stats().stored, 100);
    drop(caller);
    assert!(recorder.finish(SOON).drained);
    let database = Database::open(&db);
    assert_eq!(database.lines("SELECT calls, stored, dropped, in_flight, unknown FROM accounting"), ["100|100|0|0|0"]);
    assert_eq!(database.lines("SELECT ending FROM runs"), ["exit"]);
    let incident = "SELECT kind, incidents.ended_ns = runs.ended_ns, detail LIKE 'the journal is in memory%'
                    FROM incidents JOIN runs ON runs.id = run_id";
    assert_eq!(database.lines(incident), ["journal in memory|1|1"], "it lasts as long as the run");
}

#[test]
fn options_that_contradict_each_other_are_an_error_and_no_smaller_journal() {
    let room = tempfile::tempdir().expect("a folder");
    let options = Options { segment_bytes: 100, ..Options::default() };
    let settings = Settings::for_db(&room.path().join("calls.db"));
    assert!(Recorder::start_with(&settings, &identity(), &options).is_err());
}
