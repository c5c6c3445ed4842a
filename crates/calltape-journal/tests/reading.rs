//! What a run says to whoever drains it, whole or with parts of it gone.
//!
//! The risk: damage that is not said, a run that is drained twice or never, counts that are taken for none.

use std::fs::{self, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

use calltape_journal::{Damage, Journal, JournalError, Options, Run, RunIdentity, SegmentState, free_bytes};

/// Two segments a chunk, two chunks.
fn journal(tape: &Path) -> Journal {
    let options =
        Options { limit_bytes: 2048, initial_bytes: 2048, segment_bytes: 512, chunk_bytes: 1024, ..Options::default() };
    Journal::create(tape, &RunIdentity::default(), &options).expect("a journal")
}

fn tape() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

/// The directory of a run with two functions, whose process is gone.
fn dead_run(tape: &Path) -> PathBuf {
    let journal = journal(tape);
    journal.define(b"f").expect("defines");
    journal.define(b"g").expect("defines");
    journal.directory().to_path_buf()
}

fn damage(run: &Run) -> Vec<Damage> {
    run.damage().cloned().collect()
}

fn cut(path: &Path, bytes: u64) {
    OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(bytes)).expect("cuts");
}

#[test]
fn a_run_says_where_it_is_how_it_ended_and_what_it_lost() {
    let tape = tape();
    let journal = journal(tape.path());
    let (own, run) = (journal.open_run().expect("opens"), Run::open(journal.directory()).expect("opens"));
    for run in [&own, &run] {
        assert_eq!((run.id(), run.directory()), (journal.run_id(), journal.directory()));
        assert_eq!((run.ending(), run.lost_error_count()), (None, Some(0)));
        assert!(run.owner_is_alive());
    }
    journal.close(3);
    for line in 0..3 {
        journal.count_lost_error(1, "KeyError", "shop.py", line, "place");
    }
    assert_eq!((run.ending(), run.lost_error_count()), (Some(3), Some(3)));
    journal.abandon();
    assert!(own.owner_is_alive() && !run.owner_is_alive(), "whoever asks itself is alive");
}

#[test]
fn a_run_is_drained_once_an_offset_is_marked_or_a_segment_recycled() {
    let tape = tape();
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    let run = Run::open(journal.directory()).expect("opens");
    let key = run.segments()[0];
    assert_eq!((run.was_drained(), run.drained(key.number, key.epoch)), (false, 128));
    run.mark_drained(key.number, key.epoch, 144);
    assert_eq!((run.was_drained(), run.drained(key.number, key.epoch)), (true, 144));
    run.mark_drained(key.number, key.epoch, 128);
    assert!(!run.was_drained());
    writer.append(2, &[0; 360], 0).expect("room");
    writer.append(2, &[0; 100], 0).expect("room in the next");
    let end = run.read(key.number, key.epoch, 0, |_| ControlFlow::Continue(()));
    run.mark_drained(key.number, key.epoch, end.offset);
    assert!(run.recycle(key.number, key.epoch));
    assert!(run.was_drained(), "its epoch says so");
    assert_eq!(run.drained(key.number, key.epoch), 0, "of that epoch nothing is known any more");
    let nothing = run.read(key.number, key.epoch, 200, |_| ControlFlow::Continue(()));
    assert_eq!((nothing.offset, nothing.finished), (200, false));
}

#[test]
fn a_leased_segment_of_a_dead_run_is_recycled_once_it_is_marked() {
    let tape = tape();
    let journal = journal(tape.path());
    let _writer = journal.lease(b"t").expect("a lease");
    let directory = journal.directory().to_path_buf();
    journal.abandon();
    let run = Run::open(&directory).expect("opens");
    let key = run.segments()[0];
    assert_eq!(key.state, SegmentState::Leased);
    assert!(!run.recycle(key.number, key.epoch), "not marked");
    run.mark_drained(key.number, key.epoch, 144);
    assert!(run.recycle(key.number, key.epoch));
    assert!(!run.recycle(99, 0), "there is no such segment");
}

#[test]
fn a_segment_that_only_looks_free_is_read_when_its_owner_is_dead() {
    let tape = tape();
    let journal = journal(tape.path());
    let _writer = journal.lease(b"t").expect("a lease");
    let chunk = OpenOptions::new().write(true).open(journal.directory().join("000001.seg")).expect("opens");
    chunk.write_all_at(&[0; 8], 48).expect("writes the state");
    let run = Run::open(journal.directory()).expect("opens");
    assert_eq!(run.segments(), []);
    journal.abandon();
    let keys = run.segments();
    assert_eq!(keys.iter().map(|key| (key.number, key.state)).collect::<Vec<_>>(), [(0, SegmentState::Free)]);
    let end = run.read(0, 0, 0, |_| ControlFlow::Continue(()));
    assert_eq!((end.offset, end.damaged_bytes, end.finished), (144, 0, true));
}

#[test]
fn without_its_control_file_a_run_is_dead_and_its_counts_are_unknown() {
    let tape = tape();
    let directory = dead_run(tape.path());
    assert_eq!(Run::open(&directory).expect("opens").slots_in_use(), 3);
    fs::remove_file(directory.join("control")).expect("removes");
    let run = Run::open(&directory).expect("opens");
    assert_eq!(damage(&run), [Damage::ControlMissing]);
    assert!(!run.owner_is_alive());
    assert_eq!((run.slots_in_use(), run.functions().len()), (3, 2), "as many as are defined, and slot 0");
    assert_eq!((run.counters(1), run.lost_error_count(), run.ending()), (None, None, None));
    assert!(run.lost_errors().is_none() && run.pressure_spells().is_none() && run.identity().is_none());
    fs::remove_file(directory.join("functions")).expect("removes");
    let run = Run::open(&directory).expect("opens");
    assert_eq!(damage(&run), [Damage::ControlMissing, Damage::FunctionsMissing]);
    assert_eq!(run.slots_in_use(), 1);
}

#[test]
fn what_is_there_and_cannot_be_opened_is_an_error_and_not_taken_for_missing() {
    for name in ["control", "functions"] {
        let tape = tape();
        let directory = dead_run(tape.path());
        fs::remove_file(directory.join(name)).expect("removes");
        symlink(name, directory.join(name)).expect("a link to itself");
        let refused = Run::open(&directory).err();
        assert!(matches!(refused, Some(JournalError::Io { action: "open", .. })), "{name}: {refused:?}");
    }
}

#[test]
fn a_torn_definition_is_damage_only_when_its_writer_is_dead() {
    let tape = tape();
    let journal = journal(tape.path());
    journal.define(b"f").expect("defines");
    cut(&journal.directory().join("functions"), 12);
    assert_eq!(damage(&Run::open(journal.directory()).expect("opens")), []);
    journal.abandon();
    assert_eq!(damage(&Run::open(journal.directory()).expect("opens")), [Damage::Definition { slot: 1 }]);
}

#[test]
fn chunks_that_come_go_and_change_are_noticed_at_the_next_look() {
    let tape = tape();
    let directory = dead_run(tape.path());
    let mut run = Run::open(&directory).expect("opens");
    assert_eq!(damage(&run), []);
    symlink("nowhere", directory.join("000009.seg")).expect("one that its owner removes just now");
    run.refresh().expect("refreshes");
    assert_eq!(damage(&run), []);
    fs::create_dir(directory.join("000008.seg")).expect("makes");
    cut(&directory.join("000002.seg"), 1000);
    cut(&directory.join("000001.seg"), 100);
    run.refresh().expect("refreshes");
    let expected = [
        Damage::ChunkUnreadable { number: 1 },
        Damage::ChunkUnreadable { number: 8 },
        Damage::ChunkShort { number: 2, missing_bytes: 24 },
    ];
    assert_eq!(damage(&run), expected);
}

#[test]
fn a_header_that_is_not_its_segments_is_said() {
    let tape = tape();
    let directory = dead_run(tape.path());
    fs::copy(directory.join("000001.seg"), directory.join("000002.seg")).expect("copies");
    let expected = [2, 3].map(|number| Damage::SegmentHeader { number });
    assert_eq!(damage(&Run::open(&directory).expect("opens")), expected);
}

#[test]
fn positions_are_passed_when_their_segments_are_leased_again() {
    let tape = tape();
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    while writer.append(2, &[b'x'; 100], 0).is_ok() {}
    let before = journal.positions();
    assert!(!journal.drained_past(&before));
    let run = journal.open_run().expect("opens");
    for key in run.segments() {
        let end = run.read(key.number, key.epoch, 0, |_| ControlFlow::Continue(()));
        run.mark_drained(key.number, key.epoch, end.offset);
        run.recycle(key.number, key.epoch);
    }
    assert!(journal.drained_past(&before), "free again");
    while writer.append(2, &[b'x'; 100], 0).is_ok() {}
    assert!(journal.drained_past(&before), "leased again");
    assert!(!journal.drained_past(&journal.positions()));
}

#[test]
fn the_room_on_a_disk_is_asked_by_a_path_that_exists() {
    let tape = tape();
    assert!(free_bytes(tape.path()).expect("a disk") > 1 << 10);
    assert!(free_bytes(&tape.path().join("missing")).is_err());
}
