//! The folder of a journal is deleted while its process records. The failure: the drain read its own run by its path, and
//! the lease had no name, so that functions lost theirs, calls stayed in flight for good, a second process took a second
//! lease and ended the living run as lost. Now the process drains what is mapped, says so, and takes the lease anew.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::stage::{SOON, Stage, drain_all, stranger};
use calltape_engine::drain::tape_directory;
use calltape_engine::{Level, Recorder, Settings};
use calltape_journal::{Journal, Lease, Options, RunIdentity};
use calltape_testkit::{Caller, Database, identity};

/// This process as the tape names it, on this host.
fn alive() -> RunIdentity {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    RunIdentity { host: host.trim().to_owned(), ..identity() }
}

fn quick(db: &Path) -> Settings {
    let mut settings = Settings::for_db(db);
    settings.flush_interval = Duration::from_millis(2);
    settings
}

fn until(recorder: &Recorder, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < deadline, "{:?}", recorder.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn records_on(delete: impl Fn(&Path, &Path), is_new_tape: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("calltape");
    let db = place.join("calls.db");
    let recorder = Recorder::start(&quick(&db), &alive()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let slot = caller.define("shop.place");
    for call in 0..100 {
        assert!(caller.call(slot, call, 1));
    }
    assert!(recorder.flush(SOON));
    delete(&place, &db);
    for call in 0..50 {
        assert!(caller.call(slot, call, 1));
    }
    let late = caller.define("shop.late");
    assert!(caller.call(late, 1, 1));
    let mut said = Vec::new();
    until(&recorder, || {
        said.extend(recorder.take_messages());
        said.iter()
            .any(|(level, line)| *level == Level::Error && line.contains("was deleted or moved while it records"))
    });
    until(&recorder, || recorder.flush(SOON) && recorder.stats().in_flight == 0);
    until(&recorder, || {
        db.exists() && Database::open(&db).lines("SELECT kind FROM incidents").contains(&"journal deleted".to_owned())
    });
    said.extend(recorder.take_messages());
    assert_eq!(said.iter().filter(|(_, line)| line.contains("was deleted or moved while it records")).count(), 1);
    let database = Database::open(&db);
    let rows = if is_new_tape { 50 } else { 150 };
    assert_eq!(
        database.lines("SELECT function, count(*) FROM calls GROUP BY 1"),
        ["shop.late|1".to_owned(), format!("shop.place|{rows}")]
    );
    assert_eq!(database.lines("SELECT pid, ending FROM runs"), [format!("{}|running", std::process::id())]);
    drop(caller);
    assert!(recorder.finish(SOON).drained);
    assert_eq!(database.lines("SELECT ending FROM runs"), ["exit"]);
    assert_eq!(
        database.lines("SELECT sum(calls), sum(unknown) FROM accounting"),
        [format!("151|{}", if is_new_tape { 100 } else { 0 })],
        "a deleted tape's are in no other"
    );
    database.assert_balanced();
}

#[test]
fn a_process_without_its_folder_stores_on() {
    records_on(|_, db| std::fs::remove_dir_all(tape_directory(db)).expect("removed"), false);
}

#[test]
fn a_process_without_its_runs_folder_stores_on() {
    records_on(
        |_, db| {
            let runs = calltape_journal::list_runs(&tape_directory(db)).expect("lists");
            std::fs::remove_dir_all(&runs[0]).expect("removed");
        },
        false,
    );
}

#[test]
fn a_process_without_tape_and_folder_stores_into_a_new_one() {
    records_on(|place, _| std::fs::remove_dir_all(place).expect("removed"), true);
}

#[test]
fn a_lease_without_its_file_is_taken_anew_at_the_path() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    drain_all(&mut drain);
    let lock = tape_directory(&stage.db).join("writer.lock");
    std::fs::remove_file(&lock).expect("removed");
    assert!(caller.call(place, 1, 2));
    drain_all(&mut drain);
    assert!(Lease::try_acquire(&tape_directory(&stage.db)).expect("a lease file").is_none(), "it is held at the path");
    std::fs::remove_file(&lock).expect("removed");
    let other = Lease::try_acquire(&tape_directory(&stage.db)).expect("a lease file").expect("free");
    assert!(caller.call(place, 2, 2));
    assert!(drain.pass(true).is_err() && !drain.has_lease(), "another process has it now");
    drop(other);
    assert!(drain.take_lease().expect("a lease file"));
    drain_all(&mut drain);
    assert_eq!(stage.database().lines("SELECT count(*) FROM calls"), ["2"]);
    stage.database().assert_balanced();
}

#[test]
fn a_run_without_a_journal_is_lost_only_when_its_process_is() {
    for (who, ending) in [(alive(), "running"), (RunIdentity { pid: u32::MAX, ..alive() }, "lost")] {
        let folder = tempfile::tempdir().expect("a folder");
        let db = folder.path().join("calls.db");
        let journal = Journal::create(&tape_directory(&db), &who, &Options::default()).expect("a journal");
        let journal = std::sync::Arc::new(journal);
        let mut caller = Caller::new(&journal, "MainThread");
        let place = caller.define("shop.place");
        assert!(caller.call(place, 1, 2));
        drain_all(&mut stranger(&db));
        std::fs::remove_dir_all(tape_directory(&db)).expect("removed");
        calltape_engine::recover::recover(&db, &mut |_| true).expect("recovers");
        let database = Database::open(&db);
        assert_eq!(database.lines("SELECT coalesce(ending, 'running') FROM runs"), [ending]);
    }
}

#[test]
fn two_processes_without_their_folders_store_each_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let recorders: Vec<Recorder> = (0..2).map(|_| Recorder::start(&quick(&db), &alive()).expect("starts")).collect();
    let mut callers: Vec<Caller> = recorders.iter().map(|it| Caller::new(it.journal(), "MainThread")).collect();
    let slots: Vec<u32> = callers.iter_mut().map(|caller| caller.define("shop.place")).collect();
    std::fs::remove_dir_all(tape_directory(&db)).expect("removed");
    for (caller, slot) in callers.iter_mut().zip(&slots) {
        for call in 0..100 {
            assert!(caller.call(*slot, call, 1));
        }
    }
    for recorder in &recorders {
        assert!(recorder.flush(SOON), "{:?}", recorder.stats());
        until(recorder, || recorder.stats().in_flight == 0);
    }
    assert_eq!(Database::open(&db).lines("SELECT count(*), count(DISTINCT run_id) FROM calls"), ["200|2"]);
    drop(callers);
    for recorder in &recorders {
        assert!(recorder.finish(SOON).drained, "{:?}", recorder.stats());
    }
    let database = Database::open(&db);
    assert_eq!(database.lines("SELECT ending, count(*) FROM runs GROUP BY 1"), ["exit|2"]);
    database.assert_balanced();
}
