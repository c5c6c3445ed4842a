//! A recorder from start to finish: what is called is in the database, and nothing is left beside it.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, Raised, identity};

const SOON: Duration = Duration::from_secs(5);

#[test]
fn calls_are_rows_after_a_flush_and_the_journal_is_gone_after_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join(".calltape").join("calls.db");
    let recorder = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let place = caller.define("shop.place");
    let outer = caller.begin(place, None, 1, 2).expect("room");
    let inner = caller.begin(place, Some((outer, outer)), 3, 4).expect("room");
    caller.raise(inner, place, Raised { error_type: "ValueError", message: "no tea", line: 12 });
    caller.end(outer, place, 3);
    caller.sample_out(place);
    assert!(recorder.flush(SOON), "{:?} {:?}", recorder.stats(), recorder.take_messages());

    let database = Database::open(&db);
    assert_eq!(
        database.lines("SELECT function, status, args, result, error_type, error_message, traceback, thread, weight FROM calls ORDER BY id"),
        [
            r#"shop.place|ok|{"a":1,"b":2}|3||||MainThread|1"#,
            r#"shop.place|error|{"a":3,"b":4}||ValueError|no tea|["no tea"]|MainThread|1"#
        ]
    );
    assert_eq!(
        database.lines("SELECT function, run, calls, stored, sampled_out, in_flight FROM accounting"),
        ["shop.place|running|3|2|1|0"]
    );
    let stats = recorder.stats();
    assert_eq!((stats.recorded, stats.stored, stats.sampled_out, stats.in_flight), (3, 2, 1, 0));
    assert_eq!((stats.breaker.state, stats.drains, stats.damaged), ("closed", true, 0));

    let report = recorder.finish(SOON);
    assert!(report.drained);
    assert_eq!(report.left_bytes, 0);
    assert_eq!(database.lines("SELECT ending FROM runs"), ["exit"]);
    database.assert_balanced();
    let left = std::fs::read_dir(folder.path().join(".calltape/calls.db.tape")).expect("a tape directory");
    let mut left: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
    left.sort();
    assert_eq!(left, ["database", "database.copy", "ids", "writer.lock"]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!((mode(&db), mode(&folder.path().join(".calltape"))), (0o600, 0o700));
    let ignore = folder.path().join(".calltape/.gitignore");
    assert_eq!(std::fs::read_to_string(ignore).expect("a .gitignore"), "*\n");
    drop(recorder.take_messages());
}
