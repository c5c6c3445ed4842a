//! What each step removes, counts and leaves, and where it stops.

use super::*;
use crate::store::{Store, WAL_LIMIT_BYTES};

/// One run with two threads, whose function 1 has three slots in the books: 3, 5 and 2 rows. Calls with odd ids failed.
const BOOKS: &str = "
    INSERT INTO run VALUES (1, 11, 'host', 'program', '3.11', 0, 0, NULL, NULL);
    INSERT INTO thread VALUES (1, 1, 1, 1, 'one'), (2, 1, 2, 2, 'two');
    INSERT INTO function VALUES (1, 'f', '', 'function', 'f.py', 1, '[]'), (2, 'g', '', 'function', 'f.py', 9, '[]');
    INSERT INTO error VALUES (1, 1, 'ValueError', 'f.py', 2, 'f', 1, 'no');
    INSERT INTO run_function VALUES (1, 0, 1, 3, 3, 0, 0, 0, 0), (1, 1, 1, 5, 5, 0, 0, 0, 0), (1, 2, 1, 2, 2, 0, 0, 0, 0),
        (1, 3, 2, 1000, 1000, 0, 0, 0, 0);";

fn filled(statements: &str) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("calls.db"), WAL_LIMIT_BYTES, false, || ()).expect("made");
    store.connection.execute_batch(statements).expect("filled");
    (folder, store)
}

/// So many calls of a function that ended 5 ns after they began, at 100 ns and later, with ids from 1 on.
fn calls(count: usize, function: usize) -> String {
    format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {count})
         INSERT INTO call SELECT n, {function}, 1 + n % 2, n % 2, 100 + n, 5, hex(zeroblob(1000)), '', NULL, NULL, NULL, NULL, NULL, NULL
         FROM n;
         INSERT INTO failure SELECT id, 1, 'no', '[]' FROM call WHERE status = 1;"
    )
}

fn number(store: &Store, sql: &str) -> i64 {
    store.connection.query_row(sql, [], |row| row.get(0)).expect("a number")
}

fn pruned_by_slot(store: &Store) -> Vec<i64> {
    let mut statement = store.connection.prepare("SELECT pruned FROM run_function ORDER BY slot").expect("prepared");
    let rows = statement.query_map([], |row| row.get(0)).expect("asked");
    rows.collect::<Result<_, _>>().expect("read")
}

fn in_one_step(store: &mut Store, step: impl FnOnce(&Transaction<'_>) -> Result<Removed, StoreError>) -> Removed {
    let transaction = store.begin().expect("begun");
    let removed = step(&transaction).expect("removed");
    transaction.commit().expect("committed");
    removed
}

fn all_calls() -> CallSpan {
    CallSpan { successes_before_ns: Some(i64::MAX), errors_before_ns: Some(i64::MAX), ..CallSpan::default() }
}

#[test]
fn calls_go_with_their_failures_and_are_counted() {
    let (_folder, mut store) = filled(&format!("{BOOKS} {}", calls(200, 2)));
    let removed = in_one_step(&mut store, |transaction| transaction.prune_calls(&all_calls(), &mut || false));
    assert_eq!(removed, Removed { rows: 200, errors: 100, reached_id: 200, finished: true });
    assert_eq!(number(&store, "SELECT (SELECT count(*) FROM call) + (SELECT count(*) FROM failure)"), 0);
    assert_eq!(pruned_by_slot(&store), [0, 0, 0, 200]);
}

#[test]
fn a_step_that_is_late_ends_with_what_it_has() {
    let (_folder, mut store) = filled(&format!("{BOOKS} {}", calls(200, 2)));
    let removed = in_one_step(&mut store, |transaction| transaction.prune_calls(&all_calls(), &mut || true));
    assert_eq!(removed, Removed { rows: 64, errors: 32, reached_id: 64, finished: false });
    assert_eq!(number(&store, "SELECT count(*) FROM call"), 136);
    assert_eq!(pruned_by_slot(&store), [0, 0, 0, 64]);
}

#[test]
fn a_span_is_between_its_two_ends() {
    let (_folder, mut store) = filled(&format!("{BOOKS} {}", calls(200, 2)));
    let span = CallSpan { after_id: 90, before_id: 111, ..all_calls() };
    let removed = in_one_step(&mut store, |transaction| transaction.prune_calls(&span, &mut || false));
    assert_eq!(removed, Removed { rows: 20, errors: 10, reached_id: 110, finished: true });
    assert_eq!(number(&store, "SELECT count(*) FROM call WHERE id BETWEEN 91 AND 110"), 0);
}

#[test]
fn by_size_it_goes_on_until_there_is_room_and_no_further() {
    let (_folder, mut store) = filled(&format!("{BOOKS} {}", calls(1000, 2)));
    let (before, _) = pages(&store.connection).expect("its size");
    let enough = CallSpan { down_to: before, ..all_calls() };
    let removed = in_one_step(&mut store, |transaction| transaction.prune_calls(&enough, &mut || false));
    assert_eq!((removed.rows, removed.finished), (64, false), "there was room at the first look");

    let half = CallSpan { down_to: before / 2, ..all_calls() };
    let removed = in_one_step(&mut store, |transaction| transaction.prune_calls(&half, &mut || false));
    assert!((400..600).contains(&removed.rows) && !removed.finished, "{removed:?}");
    assert!(pages(&store.connection).expect("its size").0 <= before / 2);
}

#[test]
fn no_slot_loses_more_rows_than_it_stored() {
    for (count, expected) in [(3, [3, 0, 0, 0]), (5, [3, 2, 0, 0]), (9, [3, 5, 1, 0]), (10, [3, 5, 2, 0])] {
        let (_folder, mut store) = filled(&format!("{BOOKS} {}", calls(count, 1)));
        in_one_step(&mut store, |transaction| transaction.prune_calls(&all_calls(), &mut || false));
        assert_eq!(pruned_by_slot(&store), expected, "{count} of ten rows");
    }
}

#[test]
fn rows_that_no_book_counts_are_the_last_slots() {
    let (_folder, mut store) = filled(&format!("{BOOKS} {}", calls(12, 1)));
    in_one_step(&mut store, |transaction| transaction.prune_calls(&all_calls(), &mut || false));
    assert_eq!(pruned_by_slot(&store), [3, 5, 4, 0]);
}

#[test]
fn a_function_of_many_minutes_loses_all_that_are_old() {
    let minutes = format!(
        "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT {FEW} + 1)
         INSERT INTO minute SELECT 1, n, 1, 0, 0, 0, 5, 5, 5, x'' FROM n;"
    );
    let (_folder, mut store) = filled(&minutes);
    let removed = in_one_step(&mut store, |transaction| transaction.prune_minutes(600_000, &mut || false));
    assert_eq!(removed, Removed { rows: 65, finished: true, ..Removed::default() });
    assert_eq!(number(&store, "SELECT count(*) FROM minute"), 0);
}

/// So many runs that ended at 10 ns, all of them empty but the first.
fn runs(count: usize) -> String {
    format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {count})
         INSERT INTO run SELECT n, n, 'host', 'program', '3.11', 0, 10, 10, 'exit' FROM n;
         INSERT INTO function VALUES (1, 'f', '', 'function', 'f.py', 1, '[]');
         INSERT INTO run_function SELECT id, 0, 1, 3, 3, 0, 0, 0, iif(id = 1, 2, 3) FROM run;
         INSERT INTO thread SELECT id, id, 1, 1, 'one' FROM run;"
    )
}

fn incidents(count: usize) -> String {
    format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {count})
         INSERT INTO incident SELECT n, NULL, 'overload', 0, 10, 1, '' FROM n;"
    )
}

#[test]
fn empty_runs_go_with_their_books_however_many() {
    let (_folder, mut store) = filled(&runs(66));
    let removed = in_one_step(&mut store, |transaction| transaction.prune_runs(11, &mut || false));
    assert_eq!(removed, Removed { rows: 65, finished: true, ..Removed::default() });
    for table in ["run", "run_function", "thread"] {
        assert_eq!(number(&store, &format!("SELECT count(*) FROM {table}")), 1, "of {table} what has a row stays");
    }
}

#[test]
fn runs_and_incidents_that_ended_later_stay() {
    let (_folder, mut store) = filled(&format!("{} {}", runs(3), incidents(3)));
    let removed = in_one_step(&mut store, |transaction| transaction.prune_runs(10, &mut || false));
    assert_eq!(removed, Removed { finished: true, ..Removed::default() });
}

#[test]
fn old_incidents_go_however_many() {
    let (_folder, mut store) = filled(&format!("{} {}", runs(2), incidents(65)));
    let removed = in_one_step(&mut store, |transaction| transaction.prune_runs(11, &mut || false));
    assert_eq!(removed, Removed { rows: 66, finished: true, ..Removed::default() });
    assert_eq!(number(&store, "SELECT count(*) FROM incident"), 0);
}

#[test]
fn a_late_step_removes_one_run() {
    let (_folder, mut store) = filled(&format!("{} {}", runs(5), incidents(5)));
    let removed = in_one_step(&mut store, |transaction| transaction.prune_runs(11, &mut || true));
    assert_eq!(removed, Removed { rows: 1, ..Removed::default() });
    assert_eq!(number(&store, "SELECT count(*) FROM run"), 4);
}

/// Hours once stayed for ever, and `top` counted them, where a step ended with the last of a function's minutes.
#[test]
fn no_hour_outlives_the_minutes_it_adds_up_however_short_the_steps() {
    let minutes = format!(
        "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT {FEW})
         INSERT INTO minute SELECT f.column1, n, 1, 0, 0, 0, 5, 5, 5, x'' FROM n, (VALUES (1), (2), (3)) f;
         INSERT INTO hour SELECT function_id, minute / 60, count(*), 0, 0, 0, 5, 5, 5, x'' FROM minute GROUP BY 1, 2;
         INSERT INTO minute VALUES (3, 1000000, 1, 0, 0, 0, 5, 5, 5, x'')"
    );
    let (_folder, mut store) = filled(&minutes);
    // Each step is a little longer than the one before.
    let mut steps = 0;
    loop {
        steps += 1;
        assert!(steps < 100, "it does not come to its end");
        let mut left = steps;
        let mut late = || {
            left -= 1;
            left == 0
        };
        if in_one_step(&mut store, |transaction| transaction.prune_minutes(600_000, &mut late)).finished {
            break;
        }
    }
    let left = |table: &str| number(&store, &format!("SELECT count(*) FROM {table}"));
    assert_eq!((left("minute"), left("hour")), (1, 0), "after {steps} steps");
}
