//! What the process that records asks of its journal besides room: ids, definitions, whether it is still there.
//!
//! The risk: two calls of one id, a time that is not the test's, a run that nobody drains because its owner seems alive.

use std::path::Path;

use calltape_journal::{Journal, JournalError, Options, Run, RunIdentity};

fn tape() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn journal(tape: &Path) -> Journal {
    Journal::create(tape, &RunIdentity::default(), &Options::small()).expect("a journal")
}

#[test]
fn raised_ids_are_above_what_the_database_has() {
    let tape = tape();
    let journal = journal(tape.path());
    let least = journal.take_ids().end + 1_000_000_000;
    journal.raise_ids(least);
    assert_eq!(journal.take_ids(), least..least + 256);
}

#[test]
fn a_definition_has_a_megabyte_at_most() {
    let tape = tape();
    let journal = journal(tape.path());
    let longest = 1 << 20;
    assert_eq!(journal.define(&vec![b'x'; longest]).expect("the longest there can be"), 1);
    let refused = journal.define(&vec![b'x'; longest + 1]);
    assert!(matches!(refused, Err(JournalError::DefinitionTooLong(bytes)) if bytes == longest + 1));
    let refused = journal.define(&vec![b'x'; 2 * longest]);
    assert!(matches!(refused, Err(JournalError::DefinitionTooLong(_))));
    assert_eq!(journal.define(b"f").expect("the next slot"), 2);
}

#[test]
fn a_pretended_offset_stays_whatever_the_clocks_say() {
    let tape = tape();
    let journal = journal(tape.path());
    let run = Run::open(journal.directory()).expect("opens");
    journal.pretend_offset(12_345);
    assert_eq!(run.unix_offset_ns(), Some(12_345));
    journal.maintain();
    assert_eq!(run.unix_offset_ns(), Some(12_345));
}

#[test]
fn an_abandoned_run_looks_like_a_dead_ones_to_whoever_drains() {
    let tape = tape();
    let journal = journal(tape.path());
    let run = Run::open(journal.directory()).expect("opens");
    journal.close(1);
    assert!(run.owner_is_alive());
    journal.abandon();
    assert!(!run.owner_is_alive());
    journal.abandon();
}

#[test]
fn a_journal_knows_where_it_is_and_whether_it_is_still_there() {
    let tape = tape();
    let journal = journal(tape.path());
    assert!(!journal.is_in_memory());
    assert_eq!(journal.directory().parent(), Some(tape.path()));
    assert!(journal.is_there());
    std::fs::remove_dir_all(journal.directory()).expect("removes");
    assert!(!journal.is_there());
}
