//! The tape that reading is measured on is one as the drain would have written it: its books balance, its minutes hold
//! every call, its trees are whole, and the same seed makes the same.

use std::path::Path;

use calltape_engine::query::{ErrorFilter, Tape};
use calltape_engine::rollup::Latency;
use calltape_testkit::Database;

#[path = "../../examples/big_tape/shop/mod.rs"]
mod shop;

const CALLS: u64 = 30_000;

fn generated(folder: &Path, name: &str, seed: u64) -> Database {
    let path = folder.join(name);
    shop::write(&path, CALLS, seed).expect("written");
    Database::open(&path)
}

#[test]
fn its_books_minutes_and_trees_are_those_of_its_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = generated(folder.path(), "calls.db", 1);
    assert_eq!(database.one::<i64>("SELECT count(*) FROM call"), CALLS as i64);
    assert_eq!(database.one::<String>("PRAGMA integrity_check"), "ok");
    assert_eq!(database.one::<String>("PRAGMA journal_mode"), "wal");
    database.assert_balanced();
    let nothing: [&str; 0] = [];
    assert_eq!(
        database.lines(
            "SELECT c.id FROM call c LEFT JOIN call p ON p.id = c.parent_id LEFT JOIN call r ON r.id = c.root_id
             WHERE c.parent_id IS NOT NULL AND (p.id IS NULL OR r.parent_id IS NOT NULL OR p.started_ns > c.started_ns
                OR coalesce(p.root_id, p.id) != c.root_id)"
        ),
        nothing
    );
    assert_eq!(database.one::<i64>("SELECT count(DISTINCT function_id) FROM call"), shop::FUNCTIONS.len() as i64);
    let depth = "WITH RECURSIVE d (id, depth) AS (SELECT id, 1 FROM call WHERE parent_id IS NULL
        UNION ALL SELECT c.id, depth + 1 FROM d JOIN call c ON c.parent_id = d.id) SELECT max(depth) FROM d";
    assert!(database.one::<i64>(depth) >= 4);
    let some = "SELECT count(DISTINCT weight) > 1 AND count(DISTINCT task) > 1 AND count(DISTINCT thread_id) > 20
        AND sum(status = 1) > 100 AND sum(status = 2) > 0 FROM call";
    assert!(database.one::<bool>(some), "weights, tasks, threads, errors and cancelled calls");
    assert_eq!(
        database.lines("SELECT id FROM call WHERE NOT json_valid(args) OR NOT json_valid(coalesce(result, '1'))"),
        nothing
    );
    assert_eq!(database.lines("SELECT call_id FROM failure WHERE NOT json_valid(traceback)"), nothing);
}

#[test]
fn its_histograms_hold_every_call_and_its_errors_are_grouped() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = generated(folder.path(), "calls.db", 1);
    let mut statement = database.connection().prepare("SELECT calls, latency FROM function_minutes").expect("prepared");
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).expect("rows");
    for row in rows {
        let (calls, latency) = row.expect("a row");
        assert_eq!(Latency::decode(&latency).expect("a histogram").count() as i64, calls);
    }
    let tape = Tape::open(&folder.path().join("calls.db")).expect("a tape");
    let groups = tape.errors(&ErrorFilter::default()).expect("errors");
    let counted = groups.iter().map(|group| group.count).sum::<u64>() as i64;
    assert_eq!(counted, database.one::<i64>("SELECT count(*) FROM call WHERE status = 1"));
    assert_eq!(database.one::<i64>("SELECT sum(errors) FROM function_minutes"), counted);
    assert!(groups.iter().any(|group| group.message_form.contains("<n>") && group.count > 1));
}

#[test]
fn the_same_seed_makes_the_same_tape_and_another_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let [one, same, other] = [("one", 7), ("same", 7), ("other", 8)].map(|(name, seed)| {
        generated(folder.path(), name, seed)
            .lines("SELECT id, args, result, duration_ns, error_message FROM calls ORDER BY id")
    });
    assert!(one == same && one != other);
}
