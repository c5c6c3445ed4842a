//! The drain checkpoints by itself: with many batches the WAL stays near the checkpoint's worth, and after a quiet second
//! everything is in the database file.

use std::time::{Duration, Instant};

use crate::stage::SOON;
use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};

#[test]
fn three_hundred_thousand_calls_leave_a_wal_of_less_than_32_mib() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let recorder = Recorder::start(&Settings::for_db(&db), &identity()).expect("starts");
    let mut caller = Caller::new(recorder.journal(), "MainThread");
    let functions: Vec<u32> = (0..20).map(|number| caller.define(&format!("f{number}"))).collect();
    for call in 0..300_000 {
        while !caller.call(functions[call as usize % 20], call, 1) {
            assert!(recorder.journal().wait_for_space(SOON), "{:?}", recorder.stats());
        }
    }
    assert!(recorder.flush(2 * SOON));
    let wal = std::fs::metadata(folder.path().join("calls.db-wal")).expect("a WAL").len();
    let file = || std::fs::metadata(&db).expect("a database").len();
    assert!(wal < 32 << 20, "{} MiB", wal >> 20);
    let deadline = Instant::now() + SOON;
    let database = Database::open(&db);
    let pages: u64 = database.one::<i64>("PRAGMA page_count").unsigned_abs();
    while file() < pages * 4096 {
        assert!(Instant::now() < deadline, "{} of {pages} pages", file() / 4096);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(file() / 300_000 < 120, "{} bytes a call", file() / 300_000);
    assert_eq!(database.one::<i64>("SELECT count(*) FROM calls WHERE status = 'ok'"), 300_000);
}
