//! How SQLite answers each question: by a seek, never by reading all calls. Guards against an index that is dropped, or
//! a condition it no longer serves.

use rusqlite::Connection;

use super::scan::{self, Columns, Direction, Source};
use super::{SCHEMA, accounting, cells, errors, failure, follow, minutes, overview, tree};

/// The steps of the plan for `sql`.
fn plan(sql: &str) -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = vec![0; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3)).unwrap();
    steps.collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn no_question_reads_all_calls_or_sorts_them() {
    let questions = [
        ("one call", scan::BY_ID),
        ("traceback", failure::TRACEBACK),
        ("recent", follow::RECENT),
        ("recent of a function", follow::RECENT_OF_FUNCTION),
        ("running", follow::RUNNING),
        ("parent", tree::PARENT),
        ("children", tree::CHILDREN),
        ("child count", tree::CHILD_COUNT),
        ("errors", errors::COUNT),
        ("overview", overview::BY_FUNCTION),
        ("overview by hours", overview::BY_HOUR),
        ("minutes", minutes::CELLS),
        ("minutes of the slowest", cells::CELLS),
        ("first minute", cells::FIRST_MINUTE),
        ("first call", cells::FIRST_CALL),
        ("last call", cells::LAST_CALL),
    ];
    for (name, sql) in questions {
        for step in plan(sql) {
            assert!(!step.contains("TEMP B-TREE"), "{name} sorts: {step}");
            // The overview walks the functions, of which there are few, and seeks into the minutes of each.
            let walks = step.starts_with("SCAN") && !step.contains("CONSTANT ROW");
            let allowed = step == "SCAN f" && ["overview", "overview by hours", "minutes"].contains(&name)
                || step.starts_with("SCAN (subquery");
            assert!(!walks || allowed, "{name} scans: {step}");
        }
    }
}

#[test]
fn each_index_serves_its_question() {
    let uses = |sql, index: &str| plan(sql).iter().any(|step| step.contains(index));
    assert!(uses(follow::RECENT_OF_FUNCTION, "call_by_function (function_id=? AND rowid>?)"));
    assert!(uses(follow::RUNNING, "call_unfinished (status=?)"));
    assert!(uses(tree::CHILDREN, "COVERING INDEX call_by_parent (parent_id=?)"));
    assert!(uses(tree::CHILD_COUNT, "COVERING INDEX call_by_parent (parent_id=?)"));
    assert!(uses(errors::COUNT, "COVERING INDEX failure_by_error (error_id=? AND rowid>? AND rowid<?)"));
    assert!(uses(overview::BY_FUNCTION, "PRIMARY KEY (function_id=? AND minute>? AND minute<?)"));
    assert!(uses(overview::BY_HOUR, "PRIMARY KEY (function_id=? AND hour>? AND hour<?)"));
    for (sql, key) in [(overview::BY_FUNCTION, "minute"), (overview::BY_HOUR, "hour")] {
        let of_one = plan(&format!("{sql}{}", overview::OF_ONE));
        let seeks = [
            "SEARCH f USING INTEGER PRIMARY KEY (rowid=?)".to_owned(),
            format!("SEARCH m USING PRIMARY KEY (function_id=? AND {key}>? AND {key}<?)"),
        ];
        assert_eq!(of_one, seeks);
    }
    let greatest = plan("SELECT max(hour) FROM hour");
    assert_eq!(greatest, ["SEARCH hour USING COVERING INDEX hour_by_time"]);
    assert!(uses(accounting::RUN_BOOKS, "PRIMARY KEY (run_id=?)"));
}

#[test]
fn each_walk_seeks_and_sorts_nothing() {
    let walks = [
        (Source::All, "SEARCH c USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (Source::Function, "SEARCH c USING INDEX call_by_function (function_id=? AND rowid>? AND rowid<?)"),
        (Source::Parent, "SEARCH c USING INDEX call_by_parent (parent_id=? AND rowid>? AND rowid<?)"),
        (Source::Unfinished, "SEARCH c USING INDEX call_unfinished (status=? AND rowid>? AND rowid<?)"),
        (Source::Error, "SEARCH x USING COVERING INDEX failure_by_error (error_id=? AND rowid>? AND rowid<?)"),
    ];
    for (source, expected) in walks {
        for direction in [Direction::Down, Direction::Up] {
            for columns in [Columns::DURATION, Columns::ALL] {
                let steps = plan(&scan::sql(source, direction, columns));
                let by_id = "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)";
                let first = steps.first().map(String::as_str);
                assert_eq!(first, Some(expected), "{source:?} {direction:?}");
                assert!(steps[1..].iter().all(|step| step == by_id), "{source:?} {direction:?}: {steps:?}");
            }
        }
    }
}
