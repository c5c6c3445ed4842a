//! Recovery as a person asks for it: every record of every dead run, however many batches that takes, with patience for a
//! locked database, and an end when told to.

use std::path::PathBuf;

use calltape_engine::drain::tape_directory;
use calltape_engine::recover::{RecoverError, Recovery, is_there, recover, waiting_bytes};
use calltape_testkit::Database;

use crate::stage::{Stage, drain_all, journal_at};

const CALLS: i64 = 300;

/// A run that died with all its calls in its journal, and no database yet.
fn dead_run() -> (tempfile::TempDir, PathBuf) {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    for number in 0..CALLS {
        assert!(caller.call(place, number, 2));
    }
    drop(caller);
    stage.die()
}

#[test]
fn all_of_it_is_stored_and_said() {
    let (_folder, db) = dead_run();
    assert!(is_there(&db), "a journal is something of a tape");
    let mut batches = Vec::new();
    let recovery = recover(&db, &mut |so_far| {
        batches.push(so_far.calls);
        true
    });
    let Ok(Recovery::Done { runs, warnings, errors }) = recovery else { panic!("{recovery:?}") };
    assert_eq!((warnings, errors), (vec![], vec![]));
    let [run] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!((run.stored_now, run.interrupted, run.damaged), (CALLS.unsigned_abs(), 0, 0));
    assert_eq!(batches.last(), Some(&CALLS.unsigned_abs()), "{batches:?}");
    let again = recover(&db, &mut |_| true);
    assert!(matches!(&again, Ok(Recovery::Done { runs, .. }) if runs.is_empty()), "{again:?}");
    let database = Database::open(&db);
    assert_eq!(database.lines("SELECT calls, stored, run FROM accounting"), ["300|300|died"]);
    let ended = "SELECT ended_ns >= (SELECT max(started_ns) FROM call) FROM run";
    assert_eq!(database.lines(ended), ["1"], "it ended with its last event");
    database.assert_balanced();
}

#[test]
fn of_a_run_that_was_stored_in_part_the_rest_is_stored_now() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    assert!(caller.call(place, 1, 2));
    drain_all(&mut stage.drain());
    assert!(caller.call(place, 3, 4) && caller.call(place, 5, 6));
    let begun = caller.begin(place, None, 7, 8).expect("room");
    drop(caller);
    let (_folder, db) = stage.die();
    let recovery = recover(&db, &mut |_| true);
    let Ok(Recovery::Done { runs, .. }) = recovery else { panic!("{recovery:?}") };
    let [run] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!((run.run.account.stored, run.stored_now, run.interrupted), (4, 3, 1));
    let interrupted = Database::open(&db).lines("SELECT id, args FROM calls WHERE status = 'interrupted'");
    assert_eq!(interrupted, [format!(r#"{begun}|{{"a":7,"b":8}}"#)]);
}

#[test]
fn where_nothing_is_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    assert!(!is_there(&db));
    let recovery = recover(&db, &mut |_| true);
    assert!(matches!(&recovery, Err(RecoverError::NoTape(path)) if *path == db), "{recovery:?}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    // The folder of journals alone is nothing either.
    std::fs::create_dir(tape_directory(&db)).expect("a folder");
    let recovery = recover(&db, &mut |_| true);
    assert!(matches!(recovery, Err(RecoverError::NoTape(_))), "{recovery:?}");
    assert!(!db.exists());
}

#[test]
fn what_waits_is_counted_in_bytes() {
    let (_folder, db) = dead_run();
    // 300 records of a few dozen bytes.
    assert!((300 * 16..300 * 128).contains(&waiting_bytes(&db)), "{}", waiting_bytes(&db));
    recover(&db, &mut |_| true).expect("recovered");
    assert_eq!(waiting_bytes(&db), 0);
}

#[test]
fn while_another_process_drains_the_dead_that_wait_for_it_are_counted() {
    let stage = Stage::new();
    drop((journal_at(&stage.db), journal_at(&stage.db)));
    let _drain = stage.drain();
    let recovery = recover(&stage.db, &mut |_| true);
    assert!(matches!(recovery, Ok(Recovery::Elsewhere { waiting: 2, .. })), "{recovery:?}");
}

#[test]
fn a_file_that_is_no_database_ends_it_at_once_and_the_journal_keeps_what_it_has() {
    let (_folder, db) = dead_run();
    std::fs::write(&db, "my precious notes, ".repeat(100)).expect("a file");
    let recovery = recover(&db, &mut |so_far| {
        assert!(!so_far.is_locked, "nothing to wait for");
        true
    });
    let Err(fault) = recovery else { panic!("{recovery:?}") };
    let said = fault.to_string();
    assert!(said.starts_with(&format!("{} is not a SQLite database; move it away", db.display())), "{said}");
    assert!(said.ends_with("; what is not stored yet stays in the journals"), "{said}");
    std::fs::remove_file(&db).expect("moved away");
    assert!(matches!(recover(&db, &mut |_| true), Ok(Recovery::Done { runs, .. }) if runs.len() == 1));
}

/// A dead run beside a tape that another program has locked.
fn locked_beside_a_dead_run() -> (tempfile::TempDir, PathBuf, Database) {
    let (_folder, made) = dead_run();
    assert!(matches!(recover(&made, &mut |_| true), Ok(Recovery::Done { .. })));
    let (folder, db) = dead_run();
    std::fs::copy(&made, &db).expect("a tape");
    let holder = Database::open(&db);
    holder.connection().execute_batch("BEGIN IMMEDIATE").expect("locked");
    (folder, db, holder)
}

#[test]
fn a_locked_database_is_waited_for() {
    let (_folder, db, holder) = locked_beside_a_dead_run();
    let mut waits = 0;
    let recovery = recover(&db, &mut |so_far| {
        waits += u32::from(so_far.is_locked);
        if so_far.is_locked && waits == 2 {
            holder.connection().execute_batch("ROLLBACK").expect("unlocked");
        }
        true
    });
    assert!(matches!(&recovery, Ok(Recovery::Done { runs, .. }) if runs.len() == 1), "{recovery:?}");
    assert_eq!(waits, 2);
}

#[test]
fn told_to_end_while_it_waits_it_ends_and_the_journal_keeps_what_it_has() {
    let (_folder, db, holder) = locked_beside_a_dead_run();
    let recovery = recover(&db, &mut |so_far| !so_far.is_locked);
    assert!(matches!(recovery, Err(RecoverError::Stopped)), "{recovery:?}");
    drop(holder);
    let recovery = recover(&db, &mut |_| true);
    let Ok(Recovery::Done { runs, .. }) = recovery else { panic!("{recovery:?}") };
    assert_eq!(runs.iter().map(|run| run.stored_now).sum::<u64>(), CALLS.unsigned_abs());
}
