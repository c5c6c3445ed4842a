use super::*;
use crate::query::sample_tape::{CallRow, SampleTape};

fn shop() -> SampleTape {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    for n in 0..5 {
        sample.call(CallRow::new(place, n * 1_000_000));
    }
    sample
}

fn refusal(text: &str) -> StatementError {
    let sample = shop();
    match Tape::open(&sample.path()).unwrap().sql(text, 10) {
        Err(QueryError::Statement(error)) => error,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_statement_answers_with_its_columns_and_at_most_so_many_rows() {
    let sample = shop();
    let tape = Tape::open(&sample.path()).unwrap();
    let text = "SELECT function, count(*) AS calls, sum(duration_ns) / 1e6, NULL, x'00ff' FROM calls GROUP BY 1;";
    let answer = tape.sql(text, 10).unwrap();
    assert_eq!(answer.columns[..2], ["function", "calls"]);
    let row = [
        SqlValue::Text("shop.place".to_owned()),
        SqlValue::Integer(5),
        SqlValue::Real(6.2),
        SqlValue::Null,
        SqlValue::Blob(vec![0, 255]),
    ];
    assert_eq!((answer.rows, answer.cut), (vec![row.to_vec()], false));
    let answer = tape.sql("SELECT id FROM calls -- the newest\n ORDER BY id DESC", 2).unwrap();
    assert_eq!((answer.rows.len(), answer.cut), (2, true));
    assert!(!tape.sql("SELECT id FROM calls", 5).unwrap().cut);
}

#[test]
fn only_reading_is_allowed() {
    let writes = [
        "DELETE FROM call",
        "DELETE FROM calls",
        "DELETE FROM sqlite_schema",
        "UPDATE calls SET args = ''",
        "INSERT INTO thread VALUES (9, 1, 1, 1, 'x')",
        "CREATE TEMP TABLE x (y)",
        "CREATE TEMP VIEW x AS SELECT 1",
        "ATTACH 'other.db' AS other",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "PRAGMA query_only = 0",
        "PRAGMA journal_mode = delete",
        "PRAGMA wal_checkpoint",
        "PRAGMA user_version = 1",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT x",
        "REINDEX",
        "ANALYZE",
    ];
    for text in writes {
        assert!(refusal(text).message.contains("only reading"), "{text}: {}", refusal(text));
    }
    assert_eq!(refusal("SELECT load_extension('x')").message, "not authorized to use function: load_extension");
    assert_eq!(refusal("VACUUM INTO 'copy.db'").message, "cannot VACUUM from within a transaction");
}

#[test]
fn what_tells_of_the_tape_is_allowed() {
    let sample = shop();
    let tape = Tape::open(&sample.path()).unwrap();
    let reads = [
        "PRAGMA table_info(calls)",
        "SELECT name FROM pragma_table_info('calls')",
        "PRAGMA user_version",
        "EXPLAIN QUERY PLAN SELECT * FROM calls WHERE id = 3",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT * FROM n",
        "SELECT value FROM calls, json_each(calls.args)",
        "VALUES (1), (2)",
    ];
    for text in reads {
        assert!(tape.sql(text, 100).is_ok(), "{text}: {:?}", tape.sql(text, 100));
    }
}

#[test]
fn after_a_statement_the_tape_answers_as_before() {
    let sample = shop();
    let tape = Tape::open(&sample.path()).unwrap();
    assert!(tape.sql("DELETE FROM call", 1).is_err());
    assert_eq!(tape.latest(&crate::query::CallFilter::default(), 10).unwrap().len(), 5);
}

#[test]
fn a_refusal_shows_the_place() {
    let shown = refusal("SELECT function\nFROM calls WHERE durationns > 5").to_string();
    assert_eq!(shown, "no such column: durationns\n  FROM calls WHERE durationns > 5\n                   ^");
    assert_eq!(refusal("SELEC 1").at, Some(0));
    assert_eq!(refusal("SELECT 1; SELECT 2").message, "give one statement at a time");
    assert_eq!(refusal("SELECT ?1").message, "a statement here has no parameters");
    for text in ["", "  -- nothing\n", ";"] {
        assert_eq!(refusal(text).message, "there is no statement", "{text:?}");
    }
}

#[test]
fn a_statement_that_takes_too_long_is_stopped() {
    let sample = shop();
    let mut tape = Tape::open(&sample.path()).unwrap();
    tape.set_time_limit(std::time::Duration::from_millis(20));
    let text = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    assert!(matches!(tape.sql(text, 1), Err(QueryError::TooSlow { .. })));
}

#[test]
fn an_answer_is_cut_where_it_grows_too_large() {
    let sample = shop();
    let tape = Tape::open(&sample.path()).unwrap();
    let text = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
                SELECT zeroblob(10000000) FROM n";
    let answer = tape.sql(text, 100).unwrap();
    assert_eq!((answer.rows.len(), answer.cut), (6, true));
}

#[test]
fn a_value_is_not_made_longer_than_an_answer() {
    for text in [
        "SELECT length(zeroblob(70000000))",
        "SELECT length(printf('%*s', 70000000, 'x'))",
        "SELECT length(group_concat(zeroblob(20000000), '')) FROM calls",
    ] {
        assert_eq!(
            refusal(text).message,
            "a value or a row of it is longer than 64 MiB: ask for less, as with substr()"
        );
    }
}

#[test]
fn a_fault_of_the_machine_is_not_said_to_be_the_statements() {
    let failed = |code: i32| {
        let code = rusqlite::ffi::Error::new(code);
        refused(
            QueryError::Sqlite(rusqlite::Error::SqliteFailure(code, Some("what SQLite says".to_owned()))),
            "SELECT 1",
        )
    };
    for code in [rusqlite::ffi::SQLITE_IOERR, rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_NOMEM] {
        assert!(matches!(failed(code), QueryError::Sqlite(_)), "{:?}", failed(code));
    }
    for code in [rusqlite::ffi::SQLITE_ERROR, rusqlite::ffi::SQLITE_TOOBIG, rusqlite::ffi::SQLITE_MISMATCH] {
        assert!(matches!(failed(code), QueryError::Statement(_)), "{:?}", failed(code));
    }
}
