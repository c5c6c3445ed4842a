use super::*;
use crate::query::sample_tape::SampleTape;

fn account(sample: &SampleTape) -> (Vec<FunctionAccount>, Account) {
    Tape::open(&sample.path()).unwrap().accounting().unwrap()
}

#[test]
fn books_add_up_over_runs() {
    let sample = SampleTape::create();
    let (place, cancel) = (sample.function("shop.place"), sample.function("shop.cancel"));
    sample.run(2, 4712, None);
    sample.books(1, place, [10, 8, 1, 1, 1]);
    sample.books(2, place, [5, 3, 0, 0, 0]);
    sample.books(2, cancel, [2, 2, 0, 0, 0]);
    let (functions, total) = account(&sample);
    let names: Vec<_> = functions.iter().map(|row| (row.function.as_str(), row.account.calls)).collect();
    assert_eq!(names, [("shop.place", 15), ("shop.cancel", 2)]);
    let books = Account {
        calls: 17,
        stored: 13,
        sampled_out: 1,
        dropped: 1,
        dropped_errors: 1,
        pruned: 0,
        in_flight: 2,
        unknown: Some(0),
    };
    assert_eq!(total, books);
}

#[test]
fn what_a_lost_journal_held_is_unknown_and_never_zero() {
    let sample = SampleTape::create();
    let (place, cancel) = (sample.function("shop.place"), sample.function("shop.cancel"));
    sample.run(2, 4712, Some("lost"));
    sample.run(3, 4713, Some("died"));
    sample.books(2, place, [10, 8, 0, 0, 0]);
    sample.books(3, cancel, [10, 7, 0, 0, 0]);
    let (functions, total) = account(&sample);
    let unknown: Vec<_> = functions.iter().map(|row| (row.function.as_str(), row.account.unknown)).collect();
    assert_eq!(unknown, [("shop.cancel", Some(3)), ("shop.place", None)]);
    assert_eq!(total.unknown, None);
}

#[test]
fn an_empty_tape_has_empty_books() {
    let sample = SampleTape::create();
    assert_eq!(account(&sample), (vec![], Account::EMPTY));
}

#[test]
fn runs_come_newest_first_with_how_they_ended() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    sample.run(2, 4712, None);
    sample.books(2, place, [5, 3, 0, 0, 0]);
    let tape = Tape::open(&sample.path()).unwrap();
    let (runs, count) = tape.runs(10).unwrap();
    let endings: Vec<_> = runs.iter().map(|run| (run.pid, run.ending.as_str(), run.account.in_flight)).collect();
    assert_eq!((endings, count), (vec![(4712, "running", 2), (4711, "exit", 0)], 2));
    assert_eq!(tape.runs(1).unwrap().0.len(), 1);
}

#[test]
fn the_room_on_disk_counts_log_and_journals() {
    let sample = SampleTape::create();
    let run = sample.folder.path().join("calls.db.tape/0000000000000001");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("000001.seg"), [0; 2048]).unwrap();
    std::fs::write(run.with_file_name("ids"), [0; 64]).unwrap();
    let files = Tape::open(&sample.path()).unwrap().files();
    assert_eq!(files.journal_bytes, 2112);
    assert!(files.database_bytes > 0 && files.wal_bytes > 0);
}
