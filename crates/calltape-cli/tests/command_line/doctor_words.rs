//! What doctor and stats say of a database that takes no write, of a file that is not calltape's, in a pipe and in few
//! columns.

use std::path::Path;
use std::sync::Arc;

use calltape_engine::drain::tape_directory;
use calltape_journal::{Journal, Options, RunIdentity};
use calltape_testkit::{Caller, identity};

use crate::sample_tape::{CallRow, SampleTape};
use crate::session::{calltape, surroundings};

/// A journal with calls that nobody has drained.
fn waiting(db: &Path, calls: i64) -> Arc<Journal> {
    let options = Options { initial_bytes: 1 << 20, ..Options::default() };
    let identity = RunIdentity { pid: 100, ..identity() };
    let journal = Arc::new(Journal::create(&tape_directory(db), &identity, &options).unwrap());
    let mut caller = Caller::new(&journal, "MainThread");
    let place = caller.define("shop.place");
    (0..calls).for_each(|call| assert!(caller.call(place, call, 1)));
    journal
}

#[test]
fn a_locked_database_is_to_do_and_what_waits_in_journals_is_said() {
    let sample = SampleTape::create();
    sample.call(CallRow::new(sample.function("shop.place"), 0));
    let around = surroundings(sample.folder.path());
    assert!(!calltape("stats", &around).out.contains("wait in journals"));
    let living = waiting(&sample.path(), 2_000);
    assert!(calltape("stats", &around).out.contains("  as of the last commit; "));
    assert!(calltape("stats --json", &around).out.contains("\"waiting_bytes\":"));
    let written = |out: &str| out.lines().any(|line| line == "ok     database     can be written");
    let ran = calltape("doctor", &around);
    assert!(written(&ran.out), "{ran:?}");
    assert!(ran.out.contains(": recording, ") && !ran.out.contains(" 0 KiB wait"), "{ran:?}");
    sample.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ran = calltape("doctor", &around);
    assert!(!written(&ran.out) && ran.out.contains("to do  database     cannot be written now: "), "{ran:?}");
    assert!(ran.out.contains("end the other program's transaction on it"), "{ran:?}");
    drop(living);
}

#[test]
fn a_file_of_somebody_else_is_left_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.txt");
    std::fs::write(&notes, "to do: everything\n".repeat(60)).unwrap();
    drop(waiting(&notes, 3));
    let ran = calltape("doctor --db notes.txt", &surroundings(folder.path()));
    for unsaid in ["see the line itself", "chmod", "recover"] {
        assert!(!ran.out.contains(unsaid), "{unsaid}: {ran:?}");
    }
    assert!(ran.out.contains("-> name the tape with --db PATH or CALLTAPE_DB"), "{ran:?}");
    assert_eq!(ran.code, 1);
}

#[test]
fn nothing_is_wrapped_in_a_pipe() {
    let sample = SampleTape::create();
    sample.call(CallRow::new(sample.function("shop.place"), 0));
    std::fs::write(sample.folder.path().join("calls.db.quarantine-20261014T091200"), "").unwrap();
    let mut around = surroundings(sample.folder.path());
    around.width = 60;
    let wrapped = calltape("doctor", &around).out.lines().count();
    around.terminal = false;
    let ran = calltape("doctor", &around);
    assert!(ran.out.lines().count() < wrapped, "{ran:?}");
    assert!(ran.out.contains(" stats`, then remove it with its -wal and -shm\n"), "{ran:?}");
}

#[test]
fn no_heading_of_stats_breaks_within_a_word() {
    let sample = SampleTape::create();
    let place = sample.function("shop.orders.place_an_order");
    sample.call(CallRow::new(place, 0));
    sample.books(1, place, [1, 1, 0, 0, 0]);
    let mut around = surroundings(sample.folder.path());
    for width in [50, 60] {
        around.width = width;
        let out = calltape("stats", &around).out;
        let words: Vec<&str> = out.split_whitespace().collect();
        for word in ["function", "calls", "stored", "pid", "began", "ending", "unknown", "program"] {
            assert!(words.contains(&word), "{word} in {width}: {out}");
        }
    }
}

#[test]
fn the_help_of_doctor_says_codes_and_fields() {
    let out = calltape("doctor --help", &surroundings(Path::new("."))).out;
    assert!(out.contains("Exit codes: 0 ") && out.contains("area, ok, found, remedy"), "{out}");
}
