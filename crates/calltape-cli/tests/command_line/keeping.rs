//! The commands that look after a tape: `prune`, `recover` and `doctor`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use calltape_cli::Surroundings;
use calltape_engine::drain::tape_directory;
use calltape_journal::{Journal, Lease, Options, RunIdentity};
use calltape_testkit::{Caller, Database, identity};
use insta::assert_snapshot;

use crate::sample_tape::{CallRow, Raised, START_NS, SampleTape};
use crate::session::{Ran, calltape, calltape_until, surroundings};

const MINUTE_NS: i64 = 60_000_000_000;

const RAISED: Raised<'_> = Raised {
    error_type: "ValueError",
    message: "no such sku",
    file: "shop.py",
    line: 7,
    place: "place",
    traceback: "[]",
};

/// The output with what differs from one place and moment to the next replaced: the folder, ids of runs, sizes.
fn anywhere(ran: &Ran, folder: &Path) -> String {
    let version = calltape_engine::query::Tape::sqlite_version();
    let text = ran.transcript().replace(&folder.display().to_string(), "FOLDER").replace(version, "X.Y.Z");
    let pid = std::process::id().to_string();
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches([',', ':']);
        let is_run = bare.len() == 16 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        let rest = &word[bare.len()..];
        if is_run {
            format!("RUN{rest}")
        } else if bare == pid {
            format!("PID{rest}")
        } else {
            word.to_owned()
        }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    let sizes = ["B", "KiB", "MiB", "GiB"];
    let mut out: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let unit = word.trim_end_matches(|c: char| !c.is_alphabetic()).lines().next().unwrap_or_default();
        if sizes.contains(&unit) && out.last().is_some_and(|last| last.ends_with(|c: char| c.is_ascii_digit())) {
            out.pop();
            out.push("N".to_owned());
        }
        out.push(word.to_owned());
    }
    out.join(" ")
}

/// Six calls over five minutes: four that returned, one that raised, one that runs; with their books.
fn some_calls() -> SampleTape {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    for minutes in [-300, -200, -100, -1] {
        sample.call(CallRow::new(place, minutes * MINUTE_NS));
    }
    sample.failed_call(CallRow::new(place, -250 * MINUTE_NS), &RAISED);
    sample.call(CallRow { status: 5, duration_ns: None, ..CallRow::new(place, -400 * MINUTE_NS) });
    sample.books(1, place, [6, 5, 0, 0, 0]);
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(sample.path(), private).unwrap();
    sample
}

/// Runs to the end.
fn whole(arguments: &str, around: &Surroundings) -> Ran {
    calltape_until(arguments, around, &|| false)
}

fn left(sample: &SampleTape) -> Vec<String> {
    Database::open(&sample.path())
        .lines(&format!("SELECT status, (started_ns - {START_NS}) / {MINUTE_NS} FROM calls ORDER BY id"))
}

#[test]
fn prune_removes_by_age_and_counts_what_it_removed() {
    let sample = some_calls();
    let folder = sample.folder.path();
    let around = surroundings(folder);
    let prune = |options: &str| anywhere(&whole(&format!("prune {options}"), &around), folder);
    assert_snapshot!("prune_dry_run", prune("--older-than 150m --errors-older-than 30d --dry-run"));
    assert_eq!(left(&sample).len(), 6);
    assert_snapshot!("prune", prune("--older-than 150m --errors-older-than 30d"));
    assert_eq!(left(&sample), ["running|-400", "error|-250", "ok|-100", "ok|-1"]);
    assert_snapshot!("prune_errors_too", prune("--older-than 150m --errors-older-than 150m"));
    assert_eq!(left(&sample), ["running|-400", "ok|-100", "ok|-1"]);
    let books = Database::open(&sample.path()).lines("SELECT calls, stored, pruned, in_flight FROM accounting");
    assert_eq!(books, ["6|5|3|0"], "the run of the sample has ended");
    assert!(calltape("stats", &around).out.contains("of the stored, retention has removed 3"));
}

#[test]
fn prune_by_size_and_by_the_settings() {
    let sample = some_calls();
    let mut around = surroundings(sample.folder.path());
    assert!(whole("prune --larger-than 1GiB --json", &around).out.contains("\"successes\":0,\"errors\":0"));
    around.environment.insert("CALLTAPE_RETENTION_AGE".to_owned(), "150m".to_owned());
    assert!(whole("prune --json", &around).out.starts_with("{\"successes\":2,\"errors\":0,"), "settings");
    assert!(whole("prune --larger-than 1k --json", &around).out.starts_with("{\"successes\":2,\"errors\":1,"));
    assert_eq!(left(&sample), ["running|-400"]);
}

#[test]
fn prune_that_is_stopped_says_so() {
    let sample = some_calls();
    let ran = calltape("prune --older-than 150m", &surroundings(sample.folder.path()));
    assert_eq!((ran.code, ran.err.as_str()), (0, "calltape: stopped before everything was removed\n"), "{ran:?}");
}

#[test]
fn prune_names_the_process_that_has_the_tape() {
    let sample = some_calls();
    let folder = sample.folder.path();
    std::fs::create_dir(tape_directory(&sample.path())).unwrap();
    let lease = Lease::try_acquire(&tape_directory(&sample.path())).unwrap();
    assert!(lease.is_some());
    let ran = whole("prune --older-than 1m", &surroundings(folder));
    assert_snapshot!("prune_held", anywhere(&ran, folder));
    assert_eq!((ran.code, left(&sample).len()), (2, 6));
}

fn journal_of(db: &Path, pid: u32) -> Arc<Journal> {
    let options = Options { initial_bytes: 1 << 20, ..Options::default() };
    let identity = RunIdentity { pid, ..identity() };
    Arc::new(Journal::create(&tape_directory(db), &identity, &options).unwrap())
}

/// A process that makes `calls` calls and dies in the middle of another.
fn died(db: &Path, pid: u32, calls: i64) {
    let journal = journal_of(db, pid);
    let mut caller = Caller::new(&journal, "MainThread");
    let place = caller.define("shop.place");
    (0..calls).for_each(|call| assert!(caller.call(place, call, 1)));
    caller.begin(place, None, 1, 1).unwrap();
}

#[test]
fn recover_stores_what_the_dead_left_and_says_so_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("calls.db");
    died(&db, 101, 30);
    died(&db, 102, 1_200);
    let around = surroundings(folder.path());
    assert!(!db.exists());
    assert_snapshot!("recover", anywhere(&calltape_until("recover", &around, &|| false), folder.path()));
    let database = Database::open(&db);
    assert_eq!(
        database.lines("SELECT pid, status, count(*) FROM calls GROUP BY 1, 2"),
        ["101|interrupted|1", "101|ok|30", "102|interrupted|1", "102|ok|1200"]
    );
    database.assert_balanced();
    assert_snapshot!("recover_nothing", anywhere(&calltape_until("recover", &around, &|| false), folder.path()));
    died(&db, 103, 2);
    let json: serde_json::Value =
        serde_json::from_str(&calltape_until("recover --json", &around, &|| false).out).unwrap();
    let figures = ["pid", "stored", "stored_now", "interrupted", "unknown", "damaged"].map(|name| json[name].as_u64());
    assert_eq!(figures, [103, 3, 3, 1, 0, 0].map(Some), "{json}");
}

#[test]
fn recover_leaves_it_to_the_process_that_has_the_lease() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("calls.db");
    died(&db, 101, 3);
    let lease = Lease::try_acquire(&tape_directory(&db)).unwrap();
    let around = surroundings(folder.path());
    let ran = calltape_until("recover", &around, &|| false);
    assert_snapshot!("recover_elsewhere", anywhere(&ran, folder.path()));
    assert_eq!(ran.code, 0);
    let waiting = std::thread::spawn({
        let around = around.clone();
        move || whole("recover --wait", &around)
    });
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(!waiting.is_finished());
    drop(lease);
    let ran = waiting.join().unwrap();
    assert!(ran.out.contains("4 calls stored, 4 of them now; 1 interrupted"), "{ran:?}");
}

#[test]
fn recover_without_a_tape_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let ran = calltape_until("recover", &surroundings(folder.path()), &|| false);
    assert_snapshot!("recover_no_tape", anywhere(&ran, folder.path()));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is made where nothing was");
}

/// The doctor's lines but for the disk's, whose verdict the machine decides.
fn without_disk(text: &str) -> String {
    let mut lines = text.lines().peekable();
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        if line.contains("  disk  ") || line.contains("\"disk\"") {
            while lines.peek().is_some_and(|line| line.starts_with("        ")) {
                lines.next();
            }
        } else {
            kept.push(line);
        }
    }
    kept.join("\n")
}

#[test]
fn the_doctor_finds_a_sound_tape_well() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("calls.db");
    died(&db, 101, 3);
    let around = surroundings(folder.path());
    calltape_until("recover", &around, &|| false);
    let ran = calltape("doctor", &around);
    assert_snapshot!("doctor_well", without_disk(&anywhere(&ran, folder.path())));
}

#[test]
fn the_doctor_says_what_to_do_about_each_thing() {
    let sample = some_calls();
    let (folder, db) = (sample.folder.path(), sample.path());
    sample
        .connection
        .execute("DELETE FROM call WHERE status = 0 AND id IN (SELECT min(id) FROM call WHERE status = 0)", [])
        .unwrap();
    let incident = "INSERT INTO incident VALUES (1, NULL, 'database unreachable', 1, NULL, 1, 'disk full')";
    sample.connection.execute(incident, []).unwrap();
    std::fs::write(folder.join("calls.db.quarantine-20261014T091200"), "").unwrap();
    std::fs::write(folder.join("calls.db.quarantine-20261014T091200-wal"), "").unwrap();
    died(&db, 101, 1);
    std::fs::set_permissions(tape_directory(&db), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut around = surroundings(folder);
    around.environment.insert("CALLTAPE_JOURNAL_LIMIT".to_owned(), "plenty".to_owned());
    let ran = calltape("doctor", &around);
    assert_snapshot!("doctor_ill", without_disk(&anywhere(&ran, folder)));
    assert_eq!(ran.code, 1);
    for line in calltape("doctor --json", &around).out.lines() {
        let finding: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(finding["ok"].as_bool(), Some(finding["remedy"].is_null()), "{line}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(calltape("doctor", &surroundings(empty.path())).code, 2);
}

#[test]
fn the_doctor_recognises_a_damaged_database() {
    let sample = some_calls();
    let (folder, db) = (sample.folder.path().to_owned(), sample.path());
    let pages = 3 * 4096;
    sample.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
    let mut bytes = std::fs::read(&db).unwrap();
    bytes[pages..pages + 4096].fill(0x5a);
    std::fs::write(&db, bytes).unwrap();
    let ran = calltape("doctor", &surroundings(&folder));
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("to do  database"), "{ran:?}");
}

#[test]
fn the_doctor_recognises_a_view_that_asks_for_something_else() {
    let sample = some_calls();
    sample
        .connection
        .execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'WHEN 1', 'WHEN 3') WHERE name = 'errors'",
        )
        .unwrap();
    let ran = calltape("doctor", &surroundings(sample.folder.path()));
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("is damaged: the view errors is not as it was made"), "{ran:?}");
}

#[test]
fn a_users_own_collation_is_no_damage_to_the_doctor() {
    let sample = some_calls();
    sample
        .connection
        .execute_batch(
            "CREATE TABLE notes (text); CREATE INDEX by_text ON notes (text);
             INSERT INTO notes VALUES ('black'), ('green');
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE TABLE notes (text COLLATE tea)' WHERE name = 'notes'",
        )
        .unwrap();
    let ran = calltape("doctor", &surroundings(sample.folder.path()));
    assert!(ran.out.contains("sound; tape version") && !ran.out.contains("collation"), "{ran:?}");
}

#[test]
fn incidents_and_errors_that_were_only_counted_are_in_stats() {
    let sample = some_calls();
    let folder = sample.folder.path();
    sample
        .connection
        .execute_batch(&format!(
            "INSERT INTO incident VALUES (1, 1, 'successes dropped', {START_NS}, {START_NS} + 2500000000, 3, '');
             INSERT INTO incident VALUES (2, NULL, 'database unreachable', {START_NS} + 5000000000, NULL, 1, 'disk full');
             INSERT INTO lost_error VALUES (1, 0, 1, 'KeyError', 'shop.py', 12, 'place', 17, {START_NS}, {START_NS} + 9);
             UPDATE run_function SET pruned = 2"
        ))
        .unwrap();
    std::fs::write(folder.join("calls.db.quarantine-20261014T091200"), "").unwrap();
    let around = surroundings(folder);
    let shown = |arguments: &str| {
        let text = anywhere(&calltape(arguments, &around), folder);
        text.lines().filter(|line| !line.contains("write-ahead log")).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!("stats_incidents", shown("stats"));
    let json = shown("stats --json");
    let json: Vec<&str> = json.lines().filter(|line| !line.contains("\"kind\":\"tape\"")).collect();
    assert_snapshot!("stats_incidents_json", json.join("\n"));
}

#[test]
fn runs_minutes_and_names_go_when_they_are_old_and_no_row_is_left() {
    let sample = SampleTape::create();
    let (place, cancel) = (sample.function("shop.place"), sample.function("shop.cancel"));
    sample.failed_call(CallRow::new(place, -100 * MINUTE_NS), &RAISED);
    sample.books(1, place, [1, 1, 0, 0, 0]);
    sample.minute(place, -100, [1, 1, 0, 0, 5, 5, 5], &[]);
    sample.run(2, 4712, Some("died"));
    sample.thread(2, 2, "MainThread");
    sample.call(CallRow { thread: 2, ..CallRow::new(cancel, MINUTE_NS) });
    sample.books(2, cancel, [2, 1, 0, 0, 0]);
    sample.minute(cancel, 1, [1, 0, 0, 0, 5, 5, 5], &[]);
    sample.run(3, 4713, None);
    sample.connection.execute("INSERT INTO incident VALUES (1, NULL, 'x', 1, 2, 1, '')", []).unwrap();
    let mut around = surroundings(sample.folder.path());
    for (name, value) in [("AGE", "2m"), ("ERRORS", "2m"), ("MINUTES", "115s")] {
        around.environment.insert(format!("CALLTAPE_RETENTION_{name}"), value.to_owned());
    }
    let out = whole("prune --json", &around).out;
    assert!(out.starts_with(r#"{"successes":0,"errors":1,"minutes":1,"runs":2,"names":2,"#), "{out}");
    let database = Database::open(&sample.path());
    assert_eq!(database.lines("SELECT id, ending FROM runs"), ["2|died", "3|running"]);
    assert_eq!(database.lines("SELECT name FROM functions"), ["shop.cancel"]);
    assert_eq!(database.lines("SELECT calls, stored, unknown FROM accounting"), ["2|1|1"]);
    assert_eq!(database.lines("SELECT count(*) FROM thread UNION ALL SELECT count(*) FROM incidents"), ["1", "0"]);
}
