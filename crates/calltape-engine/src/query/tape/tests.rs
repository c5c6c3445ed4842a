use super::*;
use crate::query::sample_tape::{CallRow, SampleTape};
use crate::query::{CallFilter, OverviewFilter};

fn refusal(path: &Path) -> String {
    Tape::open(path).expect_err("no tape").to_string()
}

#[test]
fn a_missing_tape_says_how_to_make_or_name_one() {
    let folder = tempfile::tempdir().unwrap();
    let message = refusal(&folder.path().join("none.db"));
    assert!(message.contains("no tape at") && message.contains("--db"), "{message}");
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn a_file_of_another_kind_is_not_a_tape() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, but long enough to look at".repeat(100)).unwrap();
    assert!(refusal(&text).contains("no SQLite database"));
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    assert!(refusal(&empty).contains("an empty file"));
    assert!(refusal(folder.path()).contains("a folder"));
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(refusal(&other).contains("an SQLite database of something else"));
}

#[test]
fn a_newer_tape_asks_for_a_newer_calltape() {
    let sample = SampleTape::create();
    sample.connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    let message = refusal(&sample.path());
    assert!(message.contains("newer calltape") && message.contains("upgrade"), "{message}");
    assert!(message.contains(&format!("version {}", SCHEMA_VERSION + 1)), "{message}");
    assert!(matches!(Tape::open(&sample.path()), Err(OpenError::NewerVersion { .. })));
}

#[test]
fn a_tape_that_is_being_written_can_be_read() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let tape = Tape::open(&sample.path()).unwrap();
    sample.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    sample.call(CallRow::new(place, 0));
    assert!(tape.latest(&CallFilter::default(), 10).unwrap().is_empty());
    sample.connection.execute_batch("COMMIT").unwrap();
    assert_eq!(tape.latest(&CallFilter::default(), 10).unwrap().len(), 1);
}

#[test]
fn nothing_can_be_written_through_it() {
    let sample = SampleTape::create();
    let tape = Tape::open(&sample.path()).unwrap();
    let written = tape.read(|connection| connection.execute("DELETE FROM run", []));
    assert!(matches!(written, Err(QueryError::Sqlite(_))), "{written:?}");
}

#[test]
fn a_read_past_its_time_limit_is_stopped_and_the_next_one_works() {
    let sample = SampleTape::create();
    let mut tape = Tape::open(&sample.path()).unwrap();
    tape.set_time_limit(Duration::from_millis(20));
    let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    let answer = tape.read(|connection| connection.query_row(endless, [], |row| row.get::<_, i64>(0)));
    assert!(matches!(answer, Err(QueryError::TooSlow { .. })), "{answer:?}");
    assert!(answer.unwrap_err().to_string().contains("0.02 s"));
    assert!(tape.overview(&OverviewFilter::default()).is_ok());
}

#[test]
fn a_question_ends_when_whoever_asks_has_heard_enough() {
    let sample = SampleTape::create();
    let mut tape = Tape::open(&sample.path()).unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let looks = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&looks);
    tape.set_interrupt(move || counted.fetch_add(1, Ordering::Relaxed) == 2);
    let answer = tape.read(|connection| connection.query_row(endless, [], |row| row.get::<_, i64>(0)));
    assert!(matches!(answer, Err(QueryError::Interrupted)), "{answer:?}");
    assert_eq!(looks.load(Ordering::Relaxed), 3);
    tape.set_time_limit(Duration::from_millis(10));
    tape.set_interrupt(|| false);
    let answer = tape.read(|connection| connection.query_row(endless, [], |row| row.get::<_, i64>(0)));
    assert!(matches!(answer, Err(QueryError::TooSlow { .. })), "{answer:?}");
}

#[test]
fn a_fork_does_not_wait_for_a_long_read_but_the_read_for_the_fork() {
    let sample = SampleTape::create();
    let mut tape = Tape::open(&sample.path()).unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let (began, has_begun) = std::sync::mpsc::channel();
    let ends = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ends);
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    tape.set_interrupt(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = began.send(());
        told.load(Ordering::Relaxed)
    });
    let reader = std::thread::spawn(move || {
        tape.read(|connection| connection.query_row(endless, [], |row| row.get::<_, i64>(0)))
    });
    has_begun.recv().unwrap();
    assert!(crate::hold_readers(Duration::from_secs(5)));
    let at_rest = steps.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(steps.load(Ordering::SeqCst), at_rest);
    crate::release_readers();
    ends.store(true, Ordering::Relaxed);
    assert!(matches!(reader.join().unwrap(), Err(QueryError::Interrupted)));
}
