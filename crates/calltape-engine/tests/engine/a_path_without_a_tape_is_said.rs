//! A path that holds something else: nothing of it is touched, one line says what to do, and calls stay in the journal.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::stage::SOON;
use calltape_engine::{Level, Recorder, Settings};
use calltape_testkit::{Caller, identity};
use rusqlite::Connection;

/// Records one call onto `db` and returns what was said about it.
fn said_of(db: &Path) -> (Level, String) {
    let recorder = Recorder::start(&Settings::for_db(db), &identity()).expect("starts all the same");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    let deadline = Instant::now() + SOON;
    let said = loop {
        if let Some(said) = recorder.take_messages().pop() {
            break said;
        }
        assert!(Instant::now() < deadline, "nothing was said");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(recorder.stats().breaker.last_error.is_some());
    assert!(!recorder.finish(Duration::ZERO).drained);
    said
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("notes.txt");
    let text = "what I had for dinner, at length, and what I think of it\n".repeat(50);
    std::fs::write(&db, &text).expect("written");
    let (level, line) = said_of(&db);
    assert_eq!(level, Level::Error);
    assert!(line.contains("is not a SQLite database; move it away or set db to another path"), "{line}");
    assert_eq!(std::fs::read_to_string(&db).expect("read"), text);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("accounts.db");
    Connection::open(&db).expect("opens").execute_batch("CREATE TABLE account (id)").expect("made");
    let before = std::fs::read(&db).expect("read");
    let (_, line) = said_of(&db);
    assert!(line.contains("is a database but not a tape; set db to another path"), "{line}");
    assert_eq!(std::fs::read(&db).expect("read"), before);
}

#[test]
fn a_tape_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    assert!(Recorder::start(&Settings::for_db(&db), &identity()).expect("starts").finish(SOON).drained);
    Connection::open(&db).expect("opens").execute_batch("PRAGMA user_version = 99").expect("raised");
    let (_, line) = said_of(&db);
    assert!(line.contains("is a tape of version 99") && line.contains("upgrade calltape"), "{line}");
}

#[test]
fn a_folder_is_no_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls");
    std::fs::create_dir(&db).expect("made");
    let (_, line) = said_of(&db);
    assert!(line.contains("is not a file; set db to a file's path"), "{line}");
}
