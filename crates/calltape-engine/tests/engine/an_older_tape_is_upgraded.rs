//! A tape of version 1 becomes one of this version when the drain opens it, with everything that is on it.

use crate::stage::damage::{set_aside, shell};
use crate::stage::{Stage, drain_all};
use calltape_engine::store::{APPLICATION_ID, SCHEMA, SCHEMA_VERSION};
use calltape_testkit::Raised;
use rusqlite::Connection;

const VERSION_1: &str = include_str!("tapes/version_1.sql");

/// One failed call of an earlier run, and a view of the user's own.
const CONTENT: &str = "
    INSERT INTO tape VALUES (1, 0, 0, 0);
    INSERT INTO run VALUES (5, 1, 'box', 'shop.py', '3.13', 1000, 1000, 2000, 'exit');
    INSERT INTO thread VALUES (1, 5, 1, 1, 'MainThread');
    INSERT INTO function VALUES (1, 'shop.place', '', 'function', 'shop.py', 3, '[\"a\",\"b\"]');
    INSERT INTO run_function VALUES (5, 1, 1, 1, 1, 0, 0, 0);
    INSERT INTO minute VALUES (1, 0, 1, 1, 0, 0, 300, 300, 300, x'01');
    INSERT INTO call (id, function_id, thread_id, status, started_ns, duration_ns) VALUES (9, 1, 1, 1, 1000, 300);
    INSERT INTO error VALUES (4, 1, 'ValueError', 'shop.py', 7, 'place');
    INSERT INTO failure VALUES (9, 4, 'no tea', '[]');
    CREATE VIEW failed AS SELECT id, error_type FROM calls WHERE status = 'error';";

/// What a tape is made of, in one spelling.
fn schema(connection: &Connection) -> Vec<String> {
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name != 'failed' ORDER BY type, name")
        .expect("prepared");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    let plain = |line: &str| line.split("--").next().unwrap_or_default().replace('"', "");
    let words = |sql: String| {
        sql.lines().map(plain).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ").replace(" )", ")")
    };
    rows.map(|row| words(row.expect("a row"))).collect()
}

#[test]
fn a_tape_of_version_1_is_recorded_on_and_keeps_its_errors() {
    let stage = Stage::new();
    let old = Connection::open(&stage.db).expect("opens");
    old.execute_batch(VERSION_1).expect("made");
    old.execute_batch(CONTENT).expect("filled");
    old.pragma_update(None, "application_id", APPLICATION_ID).expect("marked");
    old.pragma_update(None, "user_version", 1).expect("marked");
    drop(old);
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let id = caller.begin(place, None, 1, 2).expect("room");
    caller.raise(id, place, Raised { error_type: "KeyError", message: "milk", line: 8 });
    drain_all(&mut stage.drain());
    let database = stage.database();
    assert_eq!(
        database.lines("SELECT status, error_type, error_message FROM calls ORDER BY id"),
        ["error|ValueError|no tea", "error|KeyError|milk"]
    );
    assert_eq!(database.lines("SELECT error_type FROM failed ORDER BY id"), ["ValueError", "KeyError"]);
    assert_eq!(database.one::<i64>("PRAGMA user_version"), SCHEMA_VERSION);
    assert_eq!(database.one::<String>("PRAGMA integrity_check"), "ok");
    assert_eq!(database.lines("PRAGMA foreign_key_check"), [""; 0]);
    let fresh = Connection::open_in_memory().expect("opens");
    fresh.execute_batch(SCHEMA).expect("made");
    assert_eq!(schema(database.connection()), schema(&fresh));
    database.assert_balanced();
    shell(&format!("touch '{}'", stage.db.display()));
    drain_all(&mut stage.drain());
    assert!(set_aside(&stage.db).is_empty(), "an upgraded tape passes the check of a changed one");
}
