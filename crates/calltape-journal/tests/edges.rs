//! The last byte of everything: the smallest frame at the end of a segment, the last slot of the counters.
//!
//! The risk: a bound that is off by one costs a record, or a function its counters, once in a long while. These are the
//! places where a changed comparison went unnoticed by the other tests (`make mutants`).

use std::ops::ControlFlow;

use calltape_journal::{Journal, MAXIMUM_SLOTS, Options, Run, RunIdentity, THREAD_KIND, Writer, bump};

/// Four segments of 256 bytes, 128 of them for frames.
fn journal(tape: &std::path::Path) -> Journal {
    let options =
        Options { limit_bytes: 1024, initial_bytes: 1024, segment_bytes: 256, chunk_bytes: 1024, ..Options::default() };
    Journal::create(tape, &RunIdentity::default(), &options).expect("a journal")
}

#[test]
fn the_smallest_frame_in_the_last_word_of_a_segment_is_read() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    let used = Writer::frame_bytes(1);
    writer.append(2, &vec![7; 128 - used - 8 - 8], 0).expect("room");
    writer.append(3, &[], 0).expect("room for one word");
    let run = Run::open(journal.directory()).expect("opens");
    let key = run.segments()[0];
    let mut kinds = Vec::new();
    let end = run.read(key.number, key.epoch, 0, |frame| {
        kinds.push(frame.kind);
        ControlFlow::Continue(())
    });
    assert_eq!(kinds, [THREAD_KIND, 2, 3]);
    assert_eq!((end.offset, end.damaged_bytes), (256, 0));
}

#[test]
fn the_last_slot_has_counters_of_its_own() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let last = MAXIMUM_SLOTS - 1;
    bump(&journal.counters(last).calls);
    assert_eq!(journal.counters(last).values().calls, 1);
    assert_eq!(journal.counters(last - 1).values().calls, 0);
    assert_eq!(journal.counters(0).values().calls, 0, "the last slot is not the one for more functions");
}

#[test]
fn a_frame_takes_its_word_and_its_payload_in_whole_words() {
    let lengths = [(0, 8), (1, 16), (8, 16), (9, 24), (usize::MAX, usize::MAX & !7)];
    for (payload, expected) in lengths {
        assert_eq!(Writer::frame_bytes(payload), expected, "{payload}");
    }
}

#[test]
fn a_threads_name_may_fill_a_segment_and_no_more() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let writer = journal.lease(&[b't'; 120]).expect("a segment that its name fills");
    assert_eq!((writer.room(), writer.run_id()), (0, journal.run_id()));
    assert!(journal.lease(&[b't'; 121]).is_err());
    assert_eq!(journal.stats().leases, 1);
}

#[test]
fn a_frame_that_just_fits_needs_no_other_segment() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    for reserve in [0, 16] {
        let mut writers = [journal.lease(b"t").expect("a lease"), journal.lease(b"t").expect("a lease")];
        let payload = vec![7; writers[0].room() - reserve - 8];
        let leases = journal.stats().leases;
        writers[0].append(2, &payload, reserve).expect("room");
        writers[1].append_error(2, &payload, reserve).expect("room");
        assert_eq!((writers[0].room(), writers[1].room(), journal.stats().leases), (reserve, reserve, leases));
    }
}
