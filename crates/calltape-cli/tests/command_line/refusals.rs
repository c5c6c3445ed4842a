//! What cannot be read or understood gets one line that says what it is and what to do, and exit code 2.

use std::path::Path;

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::sample_tape::SampleTape;
use crate::session::{Ran, calltape, surroundings};

/// What a refused command says, with the folder's path replaced.
fn refusal(arguments: &str, folder: &Path) -> String {
    let ran = calltape(arguments, &surroundings(folder));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
    ran.err.replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn what_is_no_tape_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("notes.txt"), "to do: everything\n".repeat(60)).unwrap();
    std::fs::write(path.join("empty.db"), "").unwrap();
    Connection::open(path.join("other.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let names = ["missing.db", "notes.txt", "empty.db", "other.db", "."];
    let said: Vec<String> = names.iter().map(|name| refusal(&format!("top --db {name}"), path)).collect();
    assert!(said.iter().all(|text| text.lines().count() == 1));
    assert_snapshot!("no_tape", said.concat());
}

#[test]
fn a_newer_tape_is_refused() {
    let sample = SampleTape::create();
    sample.connection.pragma_update(None, "user_version", 99).unwrap();
    assert_snapshot!("newer_tape", refusal("tail", sample.folder.path()));
}

#[test]
fn wrong_usage_names_what_is_wrong() {
    let sample = SampleTape::create();
    let folder = sample.folder.path();
    let wrong = ["top --since 10x", "errors --since tomorrow", "top --sort price", "top --limit 0", "frobnicate"];
    let said: Vec<String> = wrong.iter().map(|arguments| refusal(arguments, folder)).collect();
    assert_snapshot!("wrong_usage", said.join("\n"));
}

#[test]
fn the_tape_is_found_where_the_settings_say() {
    let sample = SampleTape::create();
    let folder = sample.folder.path();
    let mut around = surroundings(folder);
    let missing = |ran: &Ran, name: &str| ran.err.contains(&format!("{name}: run a program"));
    assert_eq!(calltape("stats", &around).code, 0);
    assert!(missing(&calltape("stats --db other/place.db", &around), "other/place.db"));
    around.environment.clear();
    assert!(missing(&calltape("stats", &around), ".calltape/calls.db"));
    std::fs::write(folder.join("pyproject.toml"), "[tool.calltape]\ndb = \"calls.db\"\n").unwrap();
    assert_eq!(calltape("stats", &around).code, 0);
}
