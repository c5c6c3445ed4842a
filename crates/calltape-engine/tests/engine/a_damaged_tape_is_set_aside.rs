//! A tape that is damaged while it is recorded on, or between two runs: within a batch it is set aside whole, a new one is
//! begun, and no call is lost that was not committed, nor in both.

use std::collections::BTreeSet;
use std::path::Path;

use crate::stage::damage::{beside, cut, set_aside, shell, write_at};
use crate::stage::{Stage, drain_all};
use calltape_engine::drain::{Drain, Point};
use calltape_testkit::{Caller, Database};
use rusqlite::{Connection, OpenFlags};

/// Calls before the damage: enough for the database to have pages of every kind.
const BEFORE: i64 = 3_000;
const AFTER: i64 = 500;

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).expect("a file").len()
}

/// Which calls (by their argument `a`) a tape has, as ended.
fn calls(path: &Path) -> BTreeSet<i64> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    let mut rows = database.prepare("SELECT args ->> '$.a' FROM calls WHERE status = 'ok'").expect("prepared");
    let rows = rows.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

type Damage = fn(&Path);

/// Writes other bytes over each place that has these: a page can keep what it held once.
fn replace(db: &Path, old: &[u8], new: &[u8]) {
    let file = std::fs::read(db).expect("read");
    let places: Vec<usize> = (0..file.len()).filter(|at| file[*at..].starts_with(old)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| write_at(db, at as u64, new));
}

struct Scene {
    stage: Stage,
    caller: Caller,
    drain: Drain,
    place: u32,
    open: u64,
}

/// A tape with calls on it, one of them running, and a drain that has it open.
fn recorded() -> Scene {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    for call in 0..BEFORE {
        if !caller.call(place, call, 0) {
            drain_all(&mut drain);
            assert!(caller.call(place, call, 0));
        }
    }
    let open = caller.begin(place, None, BEFORE, 0).expect("room");
    drain_all(&mut drain);
    Scene { stage, caller, drain, place, open }
}

/// The calls after the damage, and what the new tape must look like. True when a tape was set aside.
fn goes_on(scene: Scene, what: &str) -> bool {
    let Scene { stage, mut caller, mut drain, place, open } = scene;
    for call in BEFORE + 1..=BEFORE + AFTER {
        assert!(caller.call(place, call, 0));
    }
    caller.end(open, place, 0);
    caller.sample_out(place);
    drain_all(&mut drain);
    let aside = set_aside(&stage.db);
    let database = stage.database();
    let said = drain.take_errors();
    assert_eq!(database.one::<String>("PRAGMA integrity_check"), "ok", "{what}");
    database.assert_balanced();
    let expected: BTreeSet<i64> = (BEFORE..=BEFORE + AFTER).collect();
    let recorded = calls(&stage.db);
    assert!(recorded.is_superset(&expected), "{what}: {} of {}", recorded.len(), expected.len());
    let books = "SELECT calls, stored, sampled_out, in_flight, unknown FROM accounting";
    if aside.is_empty() {
        assert_eq!(recorded.len() as i64, BEFORE + AFTER + 1, "{what}: healed, and nothing lost");
        assert!(said.is_empty());
        return false;
    }
    assert_eq!(recorded, expected, "{what}: each call is in one file");
    assert_eq!(database.lines(books), [format!("{}|{}|1|0|{BEFORE}", BEFORE + AFTER + 2, AFTER + 1)], "{what}");
    assert_eq!((aside.len(), said.len()), (1, 1), "{what}: {said:?}");
    let name = aside[0].to_string_lossy();
    assert!(said[0].contains(&*name) && said[0].contains("damaged"), "{said:?}");
    assert_eq!(database.lines("SELECT kind, times, ended_ns = began_ns FROM incidents"), ["database set aside|1|1"]);
    assert!(database.one::<String>("SELECT detail FROM incidents").contains(&*name));
    drain.end_own();
    drop(caller);
    drain_all(&mut drain);
    let ended = format!("{}|{}|1|0|{BEFORE}", BEFORE + AFTER + 2, AFTER + 1);
    assert_eq!(database.lines(books), [ended], "{what}: after the end");
    true
}

#[test]
fn a_file_that_was_emptied_is_noticed_before_the_next_batch() {
    let scene = recorded();
    cut(&scene.stage.db, 0);
    assert!(goes_on(scene, "emptied"));
}

#[test]
fn a_file_that_was_cut_is_noticed_before_the_next_batch() {
    for share in [3, 2] {
        let mut scene = recorded();
        // With everything in the file, so that the WAL cannot mend it.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        drain_all(&mut scene.drain);
        let bytes = size(&scene.stage.db);
        cut(&scene.stage.db, bytes * (share - 1) / share);
        goes_on(scene, "cut");
    }
}

#[test]
fn a_wal_that_was_cut_is_noticed_before_the_next_batch() {
    for keep in [0, 32, 5000] {
        let scene = recorded();
        let wal = beside(&scene.stage.db, "-wal");
        assert!(size(&wal) > keep);
        cut(&wal, keep);
        assert!(goes_on(scene, "WAL cut"));
    }
}

/// Between the look before a batch and its commit: the commit made the file as long as it should be, and all that was
/// recorded from then on was lost with it once the blank frames were moved into the database.
#[test]
fn a_wal_that_is_cut_under_a_batch_is_noticed_after_it() {
    for keep in [0, 32, 5000] {
        let Scene { stage, mut caller, mut drain, place, .. } = recorded();
        // A batch that is in the WAL alone.
        assert!(caller.call(place, 9_998, 0));
        drain.pass(true).expect("a pass");
        let wal = beside(&stage.db, "-wal");
        let mut has_cut = false;
        drain.observe(move |point| {
            if point == Point::BeforeCommit && !std::mem::replace(&mut has_cut, true) {
                cut(&wal, keep);
            }
            true
        });
        assert!(caller.call(place, 9_999, 0));
        drain_all(&mut drain);
        assert_eq!(set_aside(&stage.db).len(), 1, "cut to {keep}");
        assert_eq!(calls(&stage.db), BTreeSet::from([9_999]), "cut to {keep}");
        stage.database().assert_balanced();
    }
}

#[test]
fn a_wal_whose_bytes_were_changed_is_noticed_before_the_next_batch() {
    for share in [0, 3, 9] {
        let scene = recorded();
        let wal = beside(&scene.stage.db, "-wal");
        let at = size(&wal) * share / 10;
        write_at(&wal, at, b"\xa5\x5a\xa5\x5a");
        assert!(goes_on(scene, &format!("WAL changed at {at}")));
    }
}

#[test]
fn a_header_that_was_overwritten_is_noticed_or_healed_before_the_next_batch() {
    let mut noticed = 0;
    for (offset, bytes) in
        [(0, &b"not a database!!"[..]), (16, b"\xff\xff"), (18, b"\x07\x07"), (52, b"\xff\xff\xff\xff"), (68, b"zzzz")]
    {
        let scene = recorded();
        write_at(&scene.stage.db, offset, bytes);
        noticed += usize::from(goes_on(scene, &format!("header at {offset}")));
    }
    // The WAL has a good copy of the page, which goes back over the bad one.
    assert!(noticed <= 5);
}

#[test]
fn a_tape_damaged_between_two_runs_is_set_aside_by_the_next() {
    let damages: [(&str, Damage); 9] = [
        ("a table's name", |db| replace(db, b"CREATE TABLE run (", b"CREATE TABLE rum (")),
        ("a reference", |db| replace(db, b"NOT NULL REFERENCES error (id)", b"NOT NULL REFERENCES error (ie)")),
        ("a view's condition", |db| replace(db, b"CASE e.status WHEN 1 THEN", b"CASE e.status WHEN 3 THEN")),
        ("header", |db| write_at(db, 0, b"not a database!!")),
        ("marks", |db| write_at(db, 60, b"\x7f\xff\xff\xff\x00\x00\x00\x00")),
        ("write version", |db| write_at(db, 18, b"\x07")),
        ("page", |db| write_at(db, 4096 * 3, &[0xff; 400])),
        ("cut", |db| cut(db, 4096 * 4)),
        ("emptied", |db| cut(db, 0)),
    ];
    for (what, damage) in damages {
        let Scene { stage, mut caller, mut drain, place, .. } = recorded();
        drain_all(&mut drain);
        drop(drain);
        assert!(!beside(&stage.db, "-wal").exists(), "{what}: closed with all in the file");
        damage(&stage.db);
        assert!(caller.call(place, 9_999, 0));
        let mut drain = stage.drain();
        drain_all(&mut drain);
        assert_eq!(set_aside(&stage.db).len(), 1, "{what}");
        assert_eq!(calls(&stage.db), BTreeSet::from([9_999]), "{what}");
        let database = stage.database();
        database.assert_balanced();
        // Another process stored what is elsewhere, so nobody can tell how many of the rest are there.
        assert_eq!(
            database.lines("SELECT calls, stored, unknown IS NULL FROM accounting"),
            [format!("{}|1|1", BEFORE + 2)],
            "{what}"
        );
        drain.end_own();
        drop(caller);
        drain_all(&mut drain);
        assert_eq!(
            database.lines("SELECT calls, stored, in_flight, unknown FROM accounting"),
            [format!("{}|2|0|{BEFORE}", BEFORE + 2)],
            "{what}: the call that ran is interrupted, the others are in the other file"
        );
        database.assert_balanced();
    }
}

#[test]
fn a_schema_that_makes_no_sense_any_more_is_damage_though_the_file_looks_as_it_was_left() {
    let Scene { stage, mut caller, mut drain, place, .. } = recorded();
    drain_all(&mut drain);
    drop(drain);
    let (db, time) = (stage.db.display(), stage.folder.path().join("time"));
    shell(&format!("touch -r '{db}' '{}'", time.display()));
    replace(&stage.db, b"NOT NULL REFERENCES error (id)", b"NOT NULL REFERENCES error (ie)");
    shell(&format!("touch -r '{}' '{db}'", time.display()));
    let mut drain = stage.drain();
    assert!(caller.call(place, 9_998, 0));
    drain_all(&mut drain);
    assert_eq!(set_aside(&stage.db).len(), 1);
    assert!(drain.take_errors()[0].contains("damaged"));
    assert_eq!(calls(&stage.db), BTreeSet::from([9_998]));
}

#[test]
fn a_tape_is_known_again_where_one_memory_of_it_is_damaged_too() {
    let damages: [(&str, Damage); 3] = [
        ("other bytes", |memory| write_at(memory, 10, b"\xcf")),
        ("another number", |memory| write_at(memory, 19, b"7")),
        ("gone", |memory| shell(&format!("rm '{}'", memory.display()))),
    ];
    for (what, damage) in damages {
        for memory in ["database", "database.copy"] {
            let Scene { stage, mut caller, mut drain, place, .. } = recorded();
            drain_all(&mut drain);
            drop(drain);
            cut(&stage.db, 4096 * 4);
            damage(&beside(&stage.db, ".tape").join(memory));
            assert!(caller.call(place, 9_999, 0));
            drain_all(&mut stage.drain());
            assert_eq!(set_aside(&stage.db).len(), 1, "{memory}: {what}");
            assert_eq!(calls(&stage.db), BTreeSet::from([9_999]), "{memory}: {what}");
        }
    }
}

#[test]
fn a_tape_that_was_only_touched_is_recorded_on() {
    let scene = recorded();
    shell(&format!("touch '{0}' '{0}-wal'", scene.stage.db.display()));
    assert!(!goes_on(scene, "touched"));
}

#[test]
fn a_users_own_table_that_only_the_users_program_can_read_is_no_damage() {
    let Scene { stage, mut caller, mut drain, place, .. } = recorded();
    drain_all(&mut drain);
    drop(drain);
    let other = Connection::open(&stage.db).expect("opens");
    // As a program leaves it that has a collation of its own.
    let notes = "CREATE TABLE notes (text); CREATE INDEX by_text ON notes (text);
        INSERT INTO notes VALUES ('black'), ('green');
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE TABLE notes (text COLLATE tea)' WHERE name = 'notes'";
    other.execute_batch(notes).expect("written");
    drop(other);
    shell(&format!("touch '{}'", stage.db.display()));
    assert!(caller.call(place, 9_999, 0));
    drain_all(&mut stage.drain());
    assert_eq!(set_aside(&stage.db).len(), 0);
    assert!(calls(&stage.db).contains(&9_999));
}

#[test]
fn a_trigger_that_fails_is_its_users_and_no_damage() {
    let Scene { stage, mut caller, mut drain, place, .. } = recorded();
    drain_all(&mut drain);
    drop(drain);
    let other = Connection::open(&stage.db).expect("opens");
    let trigger =
        "CREATE TABLE mine (id); CREATE TRIGGER t AFTER INSERT ON call BEGIN INSERT INTO mine VALUES (1); END;
        DROP TABLE mine";
    other.execute_batch(trigger).expect("written");
    assert!(caller.call(place, 9_999, 0));
    let mut drain = stage.drain();
    for _ in 0..3 {
        assert!(drain.pass(true).is_err());
    }
    assert_eq!(set_aside(&stage.db).len(), 0);
    other.execute_batch("DROP TRIGGER t").expect("dropped");
    drain_all(&mut drain);
    assert!(calls(&stage.db).contains(&9_999));
}

#[test]
fn a_tape_that_another_program_wrote_to_is_recorded_on() {
    let scene = recorded();
    let other = Database::open(&scene.stage.db);
    other.connection().execute_batch("CREATE TABLE notes (text); INSERT INTO notes VALUES ('tea')").expect("written");
    other.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
    let Scene { stage, mut caller, mut drain, place, .. } = scene;
    assert!(caller.call(place, BEFORE + 1, 0));
    drain_all(&mut drain);
    assert_eq!(set_aside(&stage.db).len(), 0);
    assert_eq!(calls(&stage.db).len() as i64, BEFORE + 1);
    assert_eq!(other.lines("SELECT text FROM notes"), ["tea"]);
}
