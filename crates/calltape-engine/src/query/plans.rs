//! How SQLite answers each question: by a seek, never by reading all calls. Guards against an index that is dropped, or
//! a condition it no longer serves.

use rusqlite::Connection;

use super::{SCHEMA, accounting, calls, errors, follow, overview, tree};

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
        ("latest", calls::LATEST),
        ("latest of a function", calls::LATEST_OF_FUNCTION),
        ("one call", calls::BY_ID),
        ("recent", follow::RECENT),
        ("recent of a function", follow::RECENT_OF_FUNCTION),
        ("running", follow::RUNNING),
        ("parent", tree::PARENT),
        ("children", tree::CHILDREN),
        ("child count", tree::CHILD_COUNT),
        ("errors", errors::COUNT),
        ("overview", overview::BY_FUNCTION),
    ];
    for (name, sql) in questions {
        for step in plan(sql) {
            assert!(!step.contains("TEMP B-TREE"), "{name} sorts: {step}");
            // The overview walks the functions, of which there are few, and seeks into the minutes of each.
            let walks = step.starts_with("SCAN") && !step.contains("CONSTANT ROW");
            let allowed = step == "SCAN f" && name == "overview" || step.starts_with("SCAN (subquery");
            assert!(!walks || allowed, "{name} scans: {step}");
        }
    }
}

#[test]
fn each_index_serves_its_question() {
    let uses = |sql, index: &str| plan(sql).iter().any(|step| step.contains(index));
    assert!(uses(calls::LATEST, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
    assert!(uses(calls::LATEST_OF_FUNCTION, "call_by_function (function_id=? AND rowid>? AND rowid<?)"));
    assert!(uses(follow::RECENT_OF_FUNCTION, "call_by_function (function_id=? AND rowid>?)"));
    assert!(uses(follow::RUNNING, "call_unfinished (status=?)"));
    assert!(uses(tree::CHILDREN, "COVERING INDEX call_by_parent (parent_id=?)"));
    assert!(uses(tree::CHILD_COUNT, "COVERING INDEX call_by_parent (parent_id=?)"));
    assert!(uses(errors::COUNT, "COVERING INDEX failure_by_error (error_id=? AND rowid>?)"));
    assert!(uses(overview::BY_FUNCTION, "PRIMARY KEY (function_id=? AND minute>?)"));
    assert!(uses(accounting::RUN_BOOKS, "PRIMARY KEY (run_id=?)"));
}
