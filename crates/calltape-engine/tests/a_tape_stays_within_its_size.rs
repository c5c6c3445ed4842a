//! The size limit: it holds while a writer goes on, errors outlive successes, the file shrinks when little is left, and
//! the books say what went.

mod stage;

use std::path::Path;
use std::sync::Arc;

use calltape_engine::drain::{Drain, tape_directory};
use calltape_engine::retention::{Limits, Retention};
use calltape_journal::{Journal, Options};
use calltape_testkit::{Caller, Database, Raised, identity};
use stage::drain_all;

const MIB: u64 = 1 << 20;
const LIMIT: u64 = 8 * MIB;

/// One call in so many raises.
const FAIL_EVERY: i64 = 50;

fn files(db: &Path) -> u64 {
    let wal = std::fs::metadata(db.with_extension("db-wal")).map_or(0, |found| found.len());
    std::fs::metadata(db).map_or(0, |found| found.len()) + wal
}

fn journal(db: &Path) -> Arc<Journal> {
    Arc::new(Journal::create(&tape_directory(db), &identity(), &Options::default()).expect("a journal"))
}

fn one_call(caller: &mut Caller, place: u32, number: i64) {
    let id = caller.begin(place, None, number, 2).expect("room");
    if number % FAIL_EVERY == 0 {
        caller.raise(id, place, Raised { error_type: "ValueError", message: "no such sku", line: 7 });
    } else {
        caller.end(id, place, number);
    }
}

#[test]
fn the_limit_holds_while_a_writer_goes_on_and_errors_outlive_successes() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let journal = journal(&db);
    let mut caller = Caller::new(&journal, "MainThread");
    let place = caller.define("shop.place");
    let mut drain = Drain::new(&db, Some(Arc::clone(&journal)));
    assert!(drain.take_lease().expect("a lease"));
    drain.limit_wal(MIB as i64);
    drain.keep_within(Limits { size: Some(LIMIT), ..Limits::default() });
    let mut largest = 0;
    for number in 0..250_000 {
        one_call(&mut caller, place, number);
        if number % 5_000 == 0 {
            while drain.pass(false).expect("a pass").more {}
            largest = largest.max(files(&db));
        }
    }
    drain_all(&mut drain);
    let database = Database::open(&db);
    // A batch of 5,000 calls comes in between two looks, and the WAL is cut at a megabyte.
    assert!(largest < LIMIT + 2 * MIB, "{} MiB", largest / MIB);
    assert!(files(&db) > LIMIT / 2, "no more is removed than has to be: {} KiB", files(&db) >> 10);
    let pruned: i64 = database.one("SELECT sum(pruned) FROM accounting");
    assert!(pruned > 100_000, "{pruned}");
    let errors: i64 = database.one("SELECT count(*) FROM call WHERE status = 1");
    assert_eq!(errors, 250_000 / FAIL_EVERY, "an error went while successes were there");
    assert_eq!(database.lines("SELECT calls, stored, in_flight FROM accounting"), ["250000|250000|0"]);
    assert_eq!(database.one::<i64>("SELECT sum(stored) FROM function_minutes"), 250_000, "the rollup knows them all");
    database.assert_balanced();
    assert_eq!(database.one::<String>("PRAGMA integrity_check"), "ok");
}

#[test]
fn where_successes_are_not_enough_the_oldest_errors_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let journal = journal(&db);
    let mut caller = Caller::new(&journal, "MainThread");
    let place = caller.define("shop.place");
    let mut drain = Drain::new(&db, Some(Arc::clone(&journal)));
    assert!(drain.take_lease().expect("a lease"));
    for number in 0..30_000 {
        let id = caller.begin(place, None, number, 2).expect("room");
        caller.raise(id, place, Raised { error_type: "ValueError", message: "no such sku", line: 7 });
    }
    let running = caller.begin(place, None, 0, 0).expect("room");
    drain_all(&mut drain);
    let oldest: i64 = Database::open(&db).one("SELECT max(id) FROM call WHERE status = 1");
    drain.limit_wal(MIB as i64);
    drain.keep_with(Retention::restless(Limits { size: Some(2 * MIB), ..Limits::default() }));
    for _ in 0..400 {
        drain.pass(true).expect("a pass");
    }
    let database = Database::open(&db);
    let left: i64 = database.one("SELECT count(*) FROM call WHERE status = 1");
    assert!((1_000..15_000).contains(&left), "{left}");
    assert_eq!(database.one::<i64>("SELECT max(id) FROM call WHERE status = 1"), oldest, "the youngest stays");
    assert_eq!(database.one::<i64>("SELECT id FROM call WHERE status = 5"), running as i64);
    assert!(files(&db) < 3 * MIB + MIB / 2, "{} KiB", files(&db) >> 10);
    database.assert_balanced();
}

#[test]
fn a_file_whose_calls_went_shrinks() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let journal = journal(&db);
    let mut caller = Caller::new(&journal, "MainThread");
    let place = caller.define("shop.place");
    let mut drain = Drain::new(&db, Some(Arc::clone(&journal)));
    assert!(drain.take_lease().expect("a lease"));
    drain.limit_wal(MIB as i64);
    for number in 0..150_000 {
        one_call(&mut caller, place, number);
    }
    drain_all(&mut drain);
    let before = std::fs::metadata(&db).expect("a database").len();
    let day = std::time::Duration::from_secs(86_400);
    drain.keep_with(Retention::restless(Limits { age: Some(day), errors: Some(day), ..Limits::default() }));
    drain.pretend_time(calltape_journal::unix_ns() + 2 * day.as_nanos() as i64);
    for _ in 0..400 {
        drain.pass(true).expect("a pass");
    }
    let database = Database::open(&db);
    assert_eq!(database.one::<i64>("SELECT count(*) FROM call"), 0);
    assert_eq!(database.lines("SELECT calls, stored, pruned FROM accounting"), ["150000|150000|150000"]);
    drop(drain);
    let after = std::fs::metadata(&db).expect("a database").len();
    assert!(after < before / 2 && after < 5 * MIB, "{} KiB of {}", after >> 10, before >> 10);
    database.assert_balanced();
    // What was removed does not come back: the next drain reads the same journal.
    drop(caller);
    let mut again = Drain::new(&db, Some(Arc::clone(&journal)));
    assert!(again.take_lease().expect("a lease"));
    drain_all(&mut again);
    assert_eq!(database.one::<i64>("SELECT count(*) FROM call"), 0);
    database.assert_balanced();
}
