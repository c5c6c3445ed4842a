//! When recording was less than it should be, the tape says so as incidents, with their times, once things are well again.

use std::time::{Duration, Instant};

use crate::stage::damage::shell;
use crate::stage::{SOON, Stage, drain_all};
use calltape_engine::{Level, Recorder, Settings};
use calltape_journal::{Options, unix_ns};
use calltape_testkit::{Caller, Database, identity};

fn patient(db: &std::path::Path) -> Settings {
    let mut settings = Settings::for_db(db);
    settings.breaker_timeout = Duration::from_millis(50);
    settings.flush_interval = Duration::from_millis(2);
    settings
}

fn until(recorder: &Recorder, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < deadline, "{:?}", recorder.stats());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_database_that_could_not_be_reached_is_an_incident_with_its_times() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    std::fs::create_dir(&db).expect("a folder in its place");
    let before = unix_ns();
    let recorder = Recorder::start(&patient(&db), &identity()).expect("starts");
    until(&recorder, || recorder.stats().breaker.opens == 1);
    let opened = unix_ns();
    std::fs::remove_dir(&db).expect("removed");
    assert!(recorder.flush(SOON));
    let database = Database::open(&db);
    let times =
        "SELECT kind, times, run_id IS NULL, began_ns BETWEEN ?1 AND ?2, ended_ns >= began_ns, detail FROM incidents"
            .replace("?1", &before.to_string())
            .replace("?2", &opened.to_string());
    let [line] = &database.lines(&times)[..] else { panic!("{:?}", database.lines(&times)) };
    assert!(line.starts_with("database unreachable|1|1|1|1|") && line.contains("is not a file"), "{line}");
}

#[test]
fn one_that_comes_back_for_the_end_only_is_one_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    std::fs::create_dir(&db).expect("a folder in its place");
    let mut settings = patient(&db);
    settings.breaker_timeout = Duration::from_secs(600);
    let recorder = Recorder::start(&settings, &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    until(&recorder, || recorder.stats().breaker.opens == 1);
    drop(caller);
    std::fs::remove_dir(&db).expect("removed");
    assert!(recorder.finish(SOON).drained);
    assert_eq!(Database::open(&db).lines("SELECT kind FROM incidents"), ["database unreachable"]);
}

#[test]
fn a_journal_that_filled_up_is_an_incident_of_its_run_and_said_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let options = Options {
        limit_bytes: 256 << 10,
        initial_bytes: 16 << 10,
        segment_bytes: 4 << 10,
        chunk_bytes: 16 << 10,
        ..Options::default()
    };
    let recorder = Recorder::start_with(&patient(&db), &identity(), &options).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 0, 0) && recorder.flush(SOON));
    let locker = Database::open(&db);
    locker.connection().execute_batch("BEGIN EXCLUSIVE").expect("locks");
    until(&recorder, || {
        caller.call(place, 1, 2);
        recorder.stats().pressure != "none"
    });
    // A poll of the background thread's, which then says so.
    std::thread::sleep(Duration::from_millis(50));
    locker.connection().execute_batch("COMMIT").expect("unlocks");
    assert!(recorder.flush(SOON));
    until(&recorder, || recorder.stats().pressure == "none" && recorder.flush(SOON));
    let rows = "SELECT kind, run_id IS NULL, times >= 1, ended_ns >= began_ns FROM incidents ORDER BY kind";
    until(&recorder, || locker.lines(rows).contains(&"payloads shortened|0|1|1".to_owned()));
    let said = recorder.take_messages();
    let of = |level| said.iter().filter(|(found, text)| *found == level && text.contains("journal")).count();
    assert!(of(Level::Warning) + of(Level::Error) >= 1 && of(Level::Info) == 1, "{said:?}");
}

#[test]
fn records_that_cannot_be_read_are_counted_as_an_incident_of_their_run() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    for round in 1..=2 {
        assert!(caller.call(place, 1, 2));
        caller.append(63, b"no such kind of record");
        caller.append(calltape_record::kind::START, b"no START");
        drain_all(&mut drain);
        let incidents = "SELECT kind, run_id IS NULL, times, ended_ns >= began_ns FROM incidents";
        assert_eq!(stage.database().lines(incidents), [format!("records unreadable|0|{}|1", 2 * round)]);
    }
    drop(drain);
    let mut drain = stage.drain();
    drain_all(&mut drain);
    assert_eq!(drain.own_figures().map(|(_, damaged)| damaged), Some(4), "the next drain knows it from the tape");
    assert_eq!(stage.database().one::<i64>("SELECT sum(times) FROM incidents"), 4);
}

#[test]
fn a_database_that_comes_and_goes_fills_no_table() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    for round in 0..20 {
        assert!(caller.call(place, round, 2));
        drain_all(&mut drain);
        shell(&format!("mv '{0}' '{0}.moved'; mv '{0}-wal' '{0}-gone'; true", stage.db.display()));
        assert!(caller.call(place, round, 3));
        drain_all(&mut drain);
        shell(&format!("mv '{0}.moved' '{0}'", stage.db.display()));
    }
    drain_all(&mut drain);
    let rows: i64 = stage.database().one("SELECT count(*) FROM incidents");
    assert!((1..=2).contains(&rows), "{rows} rows");
    stage.database().assert_balanced();
}
