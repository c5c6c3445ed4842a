//! `calltape export`: a file that is whole or not there, text into a pipe, and no bytes on a terminal.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::sample_tape::SampleTape;
use crate::session::{calltape_until, surroundings};
use crate::shop_tape::ShopTape;

/// The files in a folder that are no tape's.
fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("calls.db")).collect();
    names.sort();
    names
}

#[test]
fn a_file_has_the_format_of_its_extension_and_nothing_else_is_left() {
    let sample = ShopTape::create().sample;
    let folder = sample.folder.path();
    let mut said = String::new();
    for name in ["out.jsonl", "out.csv", "out.parquet", "out.json"] {
        let ran = calltape_until(&format!("export --output {name}"), &surroundings(folder), &|| false);
        said.push_str(&ran.transcript().replace(&folder.display().to_string(), "FOLDER"));
    }
    assert_snapshot!("export_files", said);
    assert_eq!(files(folder), ["out.csv", "out.json", "out.jsonl", "out.parquet"]);
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(read("out.jsonl").starts_with(b"{\"id\":") && read("out.csv").starts_with(b"id,parent_id,"));
    assert!(read("out.parquet").starts_with(b"PAR1") && read("out.json").starts_with(b"{\"traceEvents\":"));
}

#[test]
fn with_json_the_export_of_a_file_is_summed_up_in_an_object() {
    let sample = ShopTape::create().sample;
    let folder = sample.folder.path();
    let ran = calltape_until("export --json -o out.jsonl place", &surroundings(folder), &|| false);
    let object: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let size = fs::metadata(folder.join("out.jsonl")).unwrap().len();
    assert_eq!((object["format"].as_str(), object["bytes"].as_u64()), (Some("jsonl"), Some(size)));
    let lines = fs::read_to_string(folder.join("out.jsonl")).unwrap().lines().count();
    assert_eq!(object["calls"].as_u64(), Some(lines as u64));
}

#[test]
fn without_a_file_it_is_text_on_standard_output() {
    let sample = ShopTape::create().sample;
    let around = surroundings(sample.folder.path());
    let lines = calltape_until("export check", &around, &|| false);
    assert_eq!(lines.code, 0, "{lines:?}");
    assert!(
        lines.out.lines().count() > 0 && lines.out.lines().all(|line| line.contains("shop.orders.check")),
        "{lines:?}"
    );
    assert!(calltape_until("export -f csv", &around, &|| false).out.starts_with("id,parent_id,"));
}

#[test]
fn what_cannot_be_exported_so_is_said_and_leaves_nothing() {
    let sample = ShopTape::create().sample;
    let folder = sample.folder.path();
    fs::create_dir(folder.join("folder.csv")).unwrap();
    let wrong = [
        "export --format parquet",
        "export --output calls.xls",
        "export --format excel",
        "export --output missing/out.csv",
        "export --output folder.csv",
        "export --output out.csv --since tomorrowish",
    ];
    let said: Vec<String> = wrong
        .iter()
        .map(|arguments| {
            let ran = calltape_until(arguments, &surroundings(folder), &|| false);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
            ran.err.replace(&folder.display().to_string(), "FOLDER")
        })
        .collect();
    assert_snapshot!("export_refusals", said.join("\n"));
    assert_eq!(files(folder), ["folder.csv"]);
}

#[test]
fn an_export_that_is_stopped_leaves_no_file_and_the_one_before_as_it_was() {
    let sample = ShopTape::create().sample;
    let folder = sample.folder.path();
    fs::write(folder.join("out.csv"), "before").unwrap();
    for output in ["out.csv", "new.csv"] {
        let ran = calltape_until(&format!("export -o {output}"), &surroundings(folder), &|| true);
        assert_eq!((ran.code, ran.out.as_str()), (130, ""), "{ran:?}");
    }
    assert_eq!(files(folder), ["out.csv"]);
    assert_eq!(fs::read_to_string(folder.join("out.csv")).unwrap(), "before");
}

/// An export once took the place of the tape it read, while a program recorded on it: every call was gone, and that
/// program's books said that all was well.
#[test]
fn no_export_takes_the_place_of_the_tape_or_of_another_database() {
    let sample = ShopTape::create().sample;
    let folder = sample.folder.path();
    let journals = folder.join("calls.db.tape/journals");
    fs::create_dir_all(&journals).unwrap();
    fs::hard_link(folder.join("calls.db"), folder.join("hard.jsonl")).unwrap();
    std::os::unix::fs::symlink("calls.db", folder.join("soft.jsonl")).unwrap();
    std::os::unix::fs::symlink(&journals, folder.join("way")).unwrap();
    let other = rusqlite::Connection::open(folder.join("other.jsonl")).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    let names =
        ["calls.db", "calls.db-wal", "calls.db-shm", "calls.db-journal", "./calls.db", "hard.jsonl", "soft.jsonl"];
    let others = ["calls.db.tape/lease", "calls.db.tape/journals/new.jsonl", "way/new.jsonl", "other.jsonl"];
    let before = fs::read(folder.join("calls.db")).unwrap();
    for name in names.into_iter().chain(others) {
        let ran = calltape_until(&format!("export -f jsonl -o {name}"), &surroundings(folder), &|| false);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{name}: {ran:?}");
        assert!(ran.err.contains("give another name"), "{name}: {ran:?}");
    }
    assert!(fs::read(folder.join("calls.db")).unwrap() == before, "the tape was changed");
    assert_eq!(fs::read_dir(&journals).unwrap().count(), 0);
    let theirs: i64 = other.query_row("SELECT count(*) FROM theirs", [], |row| row.get(0)).unwrap();
    assert_eq!(theirs, 0, "there, and empty as it was");
    let ran = calltape_until("export -f jsonl -o calls.db.jsonl", &surroundings(folder), &|| false);
    assert_eq!(ran.code, 0, "a name that only begins as the tape's does: {ran:?}");
}

#[test]
fn a_link_stays_a_link_and_its_file_is_replaced() {
    let sample = ShopTape::create().sample;
    let folder = sample.folder.path();
    fs::write(folder.join("real.csv"), "before").unwrap();
    std::os::unix::fs::symlink("real.csv", folder.join("link.csv")).unwrap();
    assert_eq!(calltape_until("export -o link.csv", &surroundings(folder), &|| false).code, 0);
    assert!(fs::symlink_metadata(folder.join("link.csv")).unwrap().is_symlink());
    assert!(fs::read_to_string(folder.join("real.csv")).unwrap().starts_with("id,"));
}

#[test]
fn where_no_call_is_like_that_the_exit_code_says_so() {
    let sample = SampleTape::create();
    let ran = calltape_until("export -f csv", &surroundings(sample.folder.path()), &|| false);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.out.lines().count(), 1, "the heading: {ran:?}");
}
