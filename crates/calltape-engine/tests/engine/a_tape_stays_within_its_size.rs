//! The size limit: it holds while a writer goes on, errors outlive successes, the file shrinks when little is left, and
//! the books say what went.
//!
//! However slow the machine is, more is stored only while the tape takes the limit and a sixteenth at most, so it never
//! takes more than that and a batch. It once stood at twice its limit: the WAL that removing had made was cut once a
//! second, and never while calls waited. Now it is cut whenever it is what makes the tape too large.

use std::path::Path;
use std::sync::Arc;

use crate::stage::drain_all;
use calltape_engine::drain::{Drain, tape_directory};
use calltape_engine::retention::{Limits, Retention};
use calltape_journal::{Journal, Options};
use calltape_testkit::{Caller, Database, Raised, identity};

const MIB: u64 = 1 << 20;
const LIMIT: u64 = 8 * MIB;

/// One call in so many raises.
const FAIL_EVERY: i64 = 50;

fn files(db: &Path) -> u64 {
    let wal = std::fs::metadata(db.with_extension("db-wal")).map_or(0, |found| found.len());
    std::fs::metadata(db).map_or(0, |found| found.len()) + wal
}

/// What the limit is about: the bytes of pages in use, and of the WAL.
fn taken(db: &Path) -> u64 {
    let database = Database::open(db);
    let page = database.one::<i64>("PRAGMA page_size");
    let used = database.one::<i64>("PRAGMA page_count") - database.one::<i64>("PRAGMA freelist_count");
    let wal = std::fs::metadata(db.with_extension("db-wal")).map_or(0, |found| found.len());
    (used * page).unsigned_abs() + wal
}

/// Passes until there is nothing left to store or remove.
fn come_to_rest(drain: &mut Drain) {
    loop {
        let steps = drain.pruning().steps;
        let progress = drain.pass(true).expect("a pass");
        if drain.pruning().steps == steps && !progress.committed && !progress.more {
            return;
        }
    }
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
    drain.keep_within(Limits { size: Some(LIMIT), ..Limits::default() });
    // The most that is taken, and the most that a batch adds in pages and WAL.
    let (mut largest, mut batch, mut before) = (0, 0, 0);
    for number in 0..250_000 {
        one_call(&mut caller, place, number);
        if number % 5_000 == 0 {
            while drain.pass(false).expect("a pass").more {}
            let taken = taken(&db);
            largest = largest.max(taken);
            if drain.pruning().removed == 0 {
                batch = batch.max(taken.saturating_sub(before));
            }
            before = taken;
        }
    }
    drain_all(&mut drain);
    let database = Database::open(&db);
    let promised = LIMIT + LIMIT / 16 + batch;
    assert!(largest <= promised, "{} KiB of {}", largest >> 10, promised >> 10);
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
    drain.keep_with(Retention::restless(Limits { size: Some(2 * MIB), ..Limits::default() }));
    come_to_rest(&mut drain);
    let database = Database::open(&db);
    let left: i64 = database.one("SELECT count(*) FROM call WHERE status = 1");
    assert!((1_000..15_000).contains(&left), "{left}");
    assert_eq!(database.one::<i64>("SELECT max(id) FROM call WHERE status = 1"), oldest, "the youngest stays");
    assert_eq!(database.one::<i64>("SELECT id FROM call WHERE status = 5"), running as i64);
    // Removing begins at fifteen sixteenths.
    assert!(taken(&db) <= 2 * MIB * 15 / 16, "{} KiB", taken(&db) >> 10);
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
