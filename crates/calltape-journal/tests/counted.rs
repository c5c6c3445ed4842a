//! What a journal keeps of calls that have no record: tallies, lost errors, spells of pressure. Read as a stranger reads
//! them, after the process that counted is gone.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use calltape_journal::{Damage, Journal, Options, Run, RunIdentity};

fn journal(tape: &Path) -> Journal {
    Journal::create(tape, &RunIdentity::default(), &Options::default()).expect("a journal")
}

/// The directory of a run that counted something and died.
fn dead_run(tape: &Path) -> PathBuf {
    let journal = journal(tape);
    for name in ["f", "g"] {
        journal.define(name.as_bytes()).expect("defines");
    }
    let tally = journal.tally(2).expect("a tally");
    tally.add(7, 7);
    tally.add(7, 7);
    tally.add(1000, 12_345);
    journal.count_lost_error(2, "KeyError", "shop.py", 20, "place");
    journal.count_lost_error(2, "KeyError", "shop.py", 20, "place");
    journal.count_lost_error(1, "ValueError", "shop.py", 30, "pay");
    journal.directory().to_path_buf()
}

#[test]
fn tallies_and_lost_errors_are_there_when_their_process_is_not() {
    let tape = tempfile::tempdir().expect("a directory");
    let run = Run::open(&dead_run(tape.path())).expect("opens");
    assert!(!run.owner_is_alive());
    let tallies = run.tallies();
    let seen: Vec<_> = tallies
        .iter()
        .map(|(slot, tally)| (*slot, tally.calls(), tally.total_ns(), Vec::from_iter(tally.buckets())))
        .collect();
    assert_eq!(seen, [(2, 3, 12_359, vec![(7, 2), (1000, 1)])]);
    let mut lost = run.lost_errors().expect("known");
    lost.sort_by_key(|lost| lost.line);
    let seen: Vec<_> = lost.iter().map(|lost| (lost.slot, lost.error_type.as_str(), lost.line, lost.calls)).collect();
    assert_eq!(seen, [(2, "KeyError", 20, 2), (1, "ValueError", 30, 1)]);
    assert_eq!(run.damage().count(), 0);
}

#[test]
fn a_live_run_shows_what_was_counted_since_and_tallies_made_since() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let (own, mut stranger) = (journal.open_run().expect("opens"), Run::open(journal.directory()).expect("opens"));
    for slot in 0..40 {
        journal.define(b"f").expect("defines");
        journal.tally(slot).expect("a tally").add(1, 1);
    }
    let calls = |run: &Run| run.tallies().iter().map(|(_, tally)| tally.calls()).sum::<u64>();
    assert_eq!((calls(&own), calls(&stranger)), (40, 15), "a stranger has mapped the first step");
    stranger.refresh().expect("refreshes");
    assert_eq!(calls(&stranger), 40);
}

#[test]
fn a_slot_that_does_not_exist_has_the_tally_of_slot_zero() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    journal.tally(u32::MAX).expect("a tally").add(0, 0);
    journal.tally(0).expect("a tally").add(0, 0);
    let run = journal.open_run().expect("opens");
    assert_eq!(run.tallies().iter().map(|(slot, tally)| (*slot, tally.calls())).collect::<Vec<_>>(), [(0, 2)]);
}

/// Makes a run's files what version 1 wrote.
fn make_older(directory: &Path) {
    std::fs::remove_file(directory.join("tallies")).expect("removes");
    for file in ["control", "000001.seg"] {
        let path = directory.join(file);
        let file = OpenOptions::new().read(true).write(true).open(&path).expect("opens");
        let length = file.metadata().expect("metadata").len();
        let step = if path.ends_with("control") { length } else { 128 << 10 };
        for header in (0..length).step_by(step as usize) {
            file.write_all_at(&1_u32.to_le_bytes(), header + 8).expect("writes");
        }
        if path.ends_with("control") {
            file.set_len(4096 + 16_384 * 64).expect("cuts");
        }
    }
}

#[test]
fn a_run_of_the_first_version_is_read_and_has_nothing_counted() {
    let tape = tempfile::tempdir().expect("a directory");
    let directory = dead_run(tape.path());
    make_older(&directory);
    let run = Run::open(&directory).expect("opens");
    assert_eq!(run.damage().collect::<Vec<_>>(), Vec::<&Damage>::new());
    assert_eq!(run.slots_in_use(), 3);
    assert!(run.identity().is_some() && run.counters(2).is_some());
    assert!(run.tallies().is_empty());
    assert_eq!(run.lost_errors(), Some(Vec::new()));
    assert_eq!(run.pressure_spells(), Some(Default::default()));
}

#[test]
fn a_tallies_file_of_something_else_is_damage_and_no_tallies() {
    let tape = tempfile::tempdir().expect("a directory");
    let directory = dead_run(tape.path());
    std::fs::write(directory.join("tallies"), [b'x'; 40_000]).expect("writes");
    let run = Run::open(&directory).expect("opens");
    assert!(run.tallies().is_empty());
    assert_eq!(run.damage().collect::<Vec<_>>(), [&Damage::TalliesUnreadable]);
    assert!(Damage::TalliesUnreadable.to_string().contains("unknown"));
}
