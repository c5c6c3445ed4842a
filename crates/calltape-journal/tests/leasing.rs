//! Which segment a thread gets, in which order a drain finds them, and what the journal says of itself meanwhile.
//!
//! The risk: a thread's later frames met before its earlier ones, or a thread that is refused for ever.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use calltape_journal::{Full, Journal, JournalStats, Occupancy, Options, Run, RunIdentity, SegmentState, Writer};

/// Two segments a chunk, three chunks.
fn journal(tape: &Path) -> Journal {
    let options =
        Options { limit_bytes: 3072, initial_bytes: 1024, segment_bytes: 512, chunk_bytes: 1024, ..Options::default() };
    Journal::create(tape, &RunIdentity::default(), &options).expect("a journal")
}

fn tape() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn fill(writer: &mut Writer) {
    while writer.append(2, &[b'x'; 100], 0).is_ok() {}
}

/// Drains the `most` oldest segments, as another process does.
fn drain_beside(journal: &Journal, most: usize) {
    let run = Run::open(journal.directory()).expect("opens");
    for key in run.segments().into_iter().take(most) {
        let end = run.read(key.number, key.epoch, 0, |_| ControlFlow::Continue(()));
        run.mark_drained(key.number, key.epoch, end.offset);
        run.recycle(key.number, key.epoch);
    }
}

#[test]
fn segments_are_found_in_the_order_of_their_leases_whatever_their_numbers() {
    let tape = tape();
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    fill(&mut writer);
    drain_beside(&journal, 2);
    std::thread::sleep(Duration::from_millis(2));
    fill(&mut writer);
    let keys = Run::open(journal.directory()).expect("opens").segments();
    let found: Vec<_> = keys.iter().map(|key| (key.number, key.epoch, key.generation)).collect();
    assert_eq!(found, [(2, 0, 3), (3, 0, 4), (4, 0, 5), (5, 0, 6), (0, 1, 7), (1, 1, 8)]);
    let states: Vec<_> = keys.iter().map(|key| key.state).collect();
    assert_eq!(states, [[SegmentState::Sealed; 5].as_slice(), &[SegmentState::Leased]].concat());
}

#[test]
fn a_thread_that_was_refused_is_served_when_another_process_has_made_room() {
    let tape = tape();
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    fill(&mut writer);
    assert_eq!(writer.append(2, &[0; 100], 0), Err(Full));
    drain_beside(&journal, 6);
    // Longer than a refusal lasts for those who come after it.
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(writer.append(2, &[0; 100], 0), Ok(()));
}

#[test]
fn a_journal_says_how_full_it_is_and_what_it_has_done() {
    let tape = tape();
    let journal = journal(tape.path());
    let occupancy = |bytes_mapped, bytes_leased_or_sealed, free_segments| Occupancy {
        bytes_mapped,
        bytes_leased_or_sealed,
        limit_bytes: 3072,
        free_segments,
    };
    assert_eq!((journal.occupancy(), journal.stats()), (occupancy(1024, 0, 2), JournalStats::default()));
    let mut writer = journal.lease(b"t").expect("a lease");
    assert_eq!(journal.occupancy(), occupancy(1024, 512, 1));
    fill(&mut writer);
    let filled = JournalStats { leases: 6, refused_leases: 1, growths: 2, ..JournalStats::default() };
    assert_eq!((journal.occupancy(), journal.stats()), (occupancy(3072, 3072, 0), filled));
    drain_beside(&journal, 4);
    assert_eq!(journal.occupancy(), occupancy(3072, 1024, 4));
}

#[test]
fn an_idle_journal_holds_half_a_mebibyte_ready_and_a_busy_one_as_much_as_is_taken() {
    let tape = tape();
    let journal = Journal::create(tape.path(), &RunIdentity::default(), &Options::default()).expect("a journal");
    let resident_kib = || {
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("reads");
        let chunk = journal.directory().join("000001.seg").canonicalize().expect("a path");
        let of_chunk = maps.split_once(&*chunk.to_string_lossy()).expect("is mapped").1;
        let line = of_chunk.lines().find(|line| line.starts_with("Rss:")).expect("a figure");
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number")
    };
    let segment = Options::default().segment_bytes as u64 >> 10;
    for _ in 0..5 {
        journal.maintain();
    }
    let idle = resident_kib();
    assert!((512..512 + 2 * segment).contains(&idle), "{idle} KiB");
    let writers: Vec<_> = (0..8).map(|_| journal.lease(b"t").expect("a lease")).collect();
    journal.maintain();
    let busy = resident_kib();
    assert!(
        busy >= (4 + 8) * segment,
        "{busy} KiB: eight are taken, four of which were ready, and eight are ready again"
    );
    drop(writers);
}
