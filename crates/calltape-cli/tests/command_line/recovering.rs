//! `recover` on a tape that is locked, or damaged: it says so, can be stopped, and ends with a code that tells.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use calltape_engine::drain::tape_directory;
use calltape_journal::{Journal, Options, RunIdentity};
use calltape_testkit::{Caller, identity};
use rusqlite::Connection;

use crate::session::{calltape, calltape_until, surroundings};

/// A process that makes `calls` calls and ends.
fn ended(db: &Path, pid: u32, calls: i64) {
    let options = Options { initial_bytes: 1 << 20, ..Options::default() };
    let identity = RunIdentity { pid, ..identity() };
    let journal = Arc::new(Journal::create(&tape_directory(db), &identity, &options).unwrap());
    let mut caller = Caller::new(&journal, "MainThread");
    let place = caller.define("shop.place");
    (0..calls).for_each(|call| assert!(caller.call(place, call, 1)));
}

/// A tape with `calls` calls of a process that is gone.
fn tape(calls: i64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("calls.db");
    ended(&db, 101, calls);
    assert_eq!(calltape_until("recover", &surroundings(folder.path()), &|| false).code, 0);
    (folder, db)
}

#[test]
fn a_locked_tape_is_waited_for_aloud_and_a_stop_ends_it_quietly() {
    let (folder, db) = tape(10);
    ended(&db, 102, 10);
    let other = Connection::open(&db).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ran = calltape("recover", &surroundings(folder.path()));
    let line = format!("calltape: waiting for another program's transaction on {}\n", db.display());
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (130, "", line.as_str()));
    other.execute_batch("ROLLBACK").unwrap();
    let ran = calltape_until("recover", &surroundings(folder.path()), &|| false);
    assert!(ran.code == 0 && ran.out.contains("10 calls stored, 10 of them now"), "{ran:?}");
}

#[test]
fn a_damaged_tape_that_is_set_aside_is_said_and_is_exit_code_1() {
    let (folder, db) = tape(3_000);
    let mut bytes = std::fs::read(&db).unwrap();
    let pages = bytes.len() / 4096;
    bytes[4096..4096 * (pages - 2)].fill(0x5a);
    std::fs::write(&db, bytes).unwrap();
    let around = surroundings(folder.path());
    let doctor = calltape("doctor", &around);
    assert!(doctor.out.contains("its -wal and -shm"), "{doctor:?}");
    assert!(!doctor.out.contains("less busy"), "{doctor:?}");
    let ran = calltape_until("recover", &around, &|| false);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in ["is damaged", "; set aside as ", "calls.db.quarantine-", "` shows what can be read of the old one"] {
        assert!(ran.err.contains(said), "{said}: {ran:?}");
    }
    assert!(!ran.err.contains("nothing of the dead is left"), "{ran:?}");
    assert_eq!(calltape_until("recover", &around, &|| false).code, 0, "a new tape");
}

#[test]
fn prune_on_a_damaged_tape_says_which_and_what_to_do() {
    let (folder, db) = tape(3_000);
    let mut bytes = std::fs::read(&db).unwrap();
    let pages = bytes.len() / 4096;
    bytes[4096..4096 * (pages - 2)].fill(0x5a);
    std::fs::write(&db, bytes).unwrap();
    let ran = calltape("prune --older-than 1s", &surroundings(folder.path()));
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains(&db.display().to_string()), "{ran:?}");
    assert!(ran.err.contains("`calltape recover` sets it aside and begins a new one"), "{ran:?}");
}

/// Damage to a tape, and what is then said of it.
type Damage = (&'static str, fn(&mut Vec<u8>));

#[test]
fn what_is_said_of_a_damaged_tape_can_be_done() {
    let damages: [Damage; 3] = [
        ("cut to half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("another header", |bytes| bytes[..16].fill(b'x')),
        ("no schema", |bytes| bytes[100..4096].fill(0x5a)),
    ];
    for (how, damage) in damages {
        let (folder, db) = tape(3_000);
        let mut bytes = std::fs::read(&db).unwrap();
        damage(&mut bytes);
        let copy = folder.path().join("copy.db");
        std::fs::write(&copy, &bytes).unwrap();
        std::fs::write(&db, &bytes).unwrap();
        let around = surroundings(folder.path());
        for command in ["top", "doctor", "prune --older-than 1s"] {
            let ran = calltape(command, &around);
            let said = format!("{}{}", ran.out, ran.err).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                ran.code > 0 && (said.contains("is damaged") || said.contains("malformed")),
                "{how}: {command}: {ran:?}"
            );
            assert!(
                said.contains("or `calltape recover` sets it aside and begins a new one"),
                "{how}: {command}: {ran:?}"
            );
            // Nothing was ever recorded to a copy, and it is never set aside.
            let ran = calltape(&format!("{command} --db copy.db"), &around);
            let said = format!("{}{}", ran.out, ran.err).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(ran.code > 0 && !said.contains("calltape recover"), "{how}: {command}: {ran:?}");
            let is_tape = how != "another header";
            assert_eq!(said.contains("`sqlite3 FILE .recover`"), is_tape, "{how}: {command}: {ran:?}");
        }
        let ran = calltape_until("recover", &around, &|| false);
        assert!(ran.code < 2 && ran.err.contains("set aside"), "{how}: {ran:?}");
        assert_eq!(
            calltape_until("doctor", &around, &|| false).code,
            1,
            "{how}: what was set aside is still to be seen to"
        );
    }
}

/// Nothing of the file's time and length shows a page that went bad on the disk.
#[test]
fn a_tape_with_a_bad_page_is_set_aside_though_its_file_looks_as_it_was_left() {
    let (folder, db) = tape(3_000);
    let modified = std::fs::metadata(&db).unwrap().modified().unwrap();
    let mut bytes = std::fs::read(&db).unwrap();
    let middle = bytes.len() / 8192 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&db, bytes).unwrap();
    std::fs::File::options().write(true).open(&db).unwrap().set_modified(modified).unwrap();
    let around = surroundings(folder.path());
    let doctor = calltape("doctor", &around);
    assert!(doctor.out.contains("is damaged"), "{doctor:?}");
    let ran = calltape_until("recover", &around, &|| false);
    assert!(ran.code == 1 && ran.err.contains("set aside"), "{ran:?}");
}

#[test]
fn a_folder_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tapes")).unwrap();
    for command in ["top", "recover", "prune", "doctor"] {
        let ran = calltape(&format!("{command} --db tapes"), &surroundings(folder.path()));
        assert!(
            ran.code > 0 && format!("{}{}", ran.out, ran.err).contains("is not a tape but a folder"),
            "{command}: {ran:?}"
        );
    }
    assert!(!folder.path().join("tapes.tape").exists());
}

#[test]
fn a_file_that_is_no_tape_is_refused_and_gets_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "to do: everything\n".repeat(60)).unwrap();
    for command in ["recover", "prune", "prune --dry-run"] {
        let ran = calltape(&format!("{command} --db notes.txt"), &surroundings(folder.path()));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{command}: {ran:?}");
        assert!(
            ran.err.contains("notes.txt is not a tape but a file that is no SQLite database: name the tape"),
            "{ran:?}"
        );
    }
    assert!(!folder.path().join("notes.txt.tape").exists());
}

#[test]
fn without_a_database_the_journal_s_way_into_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    ended(&folder.path().join("calls.db"), 101, 3);
    let ran = calltape("stats", &surroundings(folder.path()));
    assert!(ran.code == 2 && ran.err.contains("run `calltape recover`, or the program that records there"), "{ran:?}");
}
