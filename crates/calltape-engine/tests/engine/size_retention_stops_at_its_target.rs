//! Retention by size removes what has to go and no more, successes first, and a dry run says about how many.
//!
//! It once counted the WAL that its own deletes made as room the tape takes: of 5 MiB a limit of 3 MiB left 1.3 MiB, every
//! success went, and a third of the errors with them. Now rows go only while the pages in use are too many, a step ends
//! where they are not, and the WAL is cut instead.

use std::path::Path;
use std::sync::Arc;

use crate::stage::drain_all;
use calltape_engine::drain::{Drain, tape_directory};
use calltape_engine::prune::{Pruned, prune};
use calltape_engine::query::Tape;
use calltape_engine::retention::{Limits, Retention};
use calltape_journal::{Journal, Options, unix_ns};
use calltape_testkit::{Caller, Database, Raised, identity};

const KIB: u64 = 1 << 10;

/// A tape of `calls` calls of which one in `fail_every` raised; 0: none.
fn record(db: &Path, calls: i64, fail_every: i64, prepare: impl Fn(&mut Drain)) {
    let options = Options::default();
    let journal = Arc::new(Journal::create(&tape_directory(db), &identity(), &options).expect("a journal"));
    let mut caller = Caller::new(&journal, "MainThread");
    let place = caller.define("shop.place");
    let mut drain = Drain::new(db, Some(Arc::clone(&journal)));
    assert!(drain.take_lease().expect("a lease"));
    prepare(&mut drain);
    for number in 0..calls {
        let id = caller.begin(place, None, number, 2).expect("room");
        if fail_every > 0 && number % fail_every == 0 {
            caller.raise(id, place, Raised { error_type: "ValueError", message: "no such sku", line: 7 });
        } else {
            caller.end(id, place, number);
        }
        if number % 5_000 == 0 {
            while drain.pass(false).expect("a pass").more {}
        }
    }
    drain_all(&mut drain);
    for _ in 0..50 {
        drain.pass(true).expect("a pass");
    }
}

/// Prunes to `size`; what went, and about how much a dry run had said.
fn pruned_to(db: &Path, size: u64) -> (Pruned, u64) {
    let limits = Limits { size: Some(size), ..Limits::default() };
    let estimate = Tape::open(db).expect("a tape").beyond(&limits, unix_ns()).expect("counted").by_size;
    (prune(db, limits, unix_ns(), &mut |_| true).expect("pruned"), estimate)
}

/// Asserts that the tape is as large as it may be, but for an eighth, and that the estimate was near.
fn assert_stopped((pruned, estimate): (Pruned, u64), size: u64) {
    let left = pruned.after.used + pruned.after.wal;
    assert!(left <= size, "{} KiB of {}", left / KIB, size / KIB);
    assert!(left >= size - size / 8, "more than had to be: {} KiB of {}: {pruned:?}", left / KIB, size / KIB);
    let removed = pruned.successes + pruned.errors;
    assert!(estimate.abs_diff(removed) <= removed / 3, "{estimate} said, {removed} removed");
}

#[test]
fn prune_stops_at_the_size_and_takes_no_error_while_there_are_successes() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    record(&db, 60_000, 10, |_| ());
    let outcome = pruned_to(&db, 3072 * KIB);
    assert_eq!(outcome.0.errors, 0, "{outcome:?}");
    assert_stopped(outcome, 3072 * KIB);
    Database::open(&db).assert_balanced();
}

#[test]
fn a_small_tape_of_successes_keeps_what_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    record(&db, 3_000, 0, |_| ());
    let used = Tape::open(&db).expect("a tape").beyond(&Limits::default(), unix_ns()).expect("counted").room.used;
    let size = used * 3 / 4;
    assert_stopped(pruned_to(&db, size), size);
}

#[test]
fn the_drain_stops_at_seven_eighths_and_takes_no_error_while_there_are_successes() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let size = 3072 * KIB;
    let limits = Limits { size: Some(size), ..Limits::default() };
    record(&db, 60_000, 10, |drain| drain.keep_with(Retention::restless(limits)));
    let database = Database::open(&db);
    let used = database.one::<i64>("PRAGMA page_count") - database.one::<i64>("PRAGMA freelist_count");
    let used = used.unsigned_abs() * 4096;
    assert!(used <= size && used >= size * 3 / 4, "{} KiB of {}", used / KIB, size / KIB);
    assert_eq!(database.one::<i64>("SELECT count(*) FROM call WHERE status = 1"), 6_000);
    assert!(database.one::<i64>("SELECT count(*) FROM call WHERE status = 0") > 5_000);
    database.assert_balanced();
}
