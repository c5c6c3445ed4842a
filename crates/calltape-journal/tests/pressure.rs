//! How a journal behaves as it fills: the levels, the eighth that is kept for errors, the limit.
//!
//! The risk: a journal that loses errors for successes, passes its limit, or stays at a level that is over.

use std::path::Path;
use std::time::Duration;

use calltape_journal::{Full, Journal, Options, Pressure, Run, RunIdentity, Writer};

/// 32 segments in chunks of four.
fn options() -> Options {
    Options {
        limit_bytes: 32 << 10,
        initial_bytes: 4 << 10,
        segment_bytes: 1 << 10,
        chunk_bytes: 4 << 10,
        ..Options::default()
    }
}

fn journal(tape: &Path) -> Journal {
    Journal::create(tape, &RunIdentity::default(), &options()).expect("a journal")
}

/// Fills one segment after the other until `refused`: the level after each lease.
fn levels_while(journal: &Journal, mut append: impl FnMut() -> Result<(), Full>) -> Vec<Pressure> {
    let mut levels = Vec::new();
    let mut leases = journal.stats().leases;
    while append().is_ok() {
        if journal.stats().leases > leases {
            leases = journal.stats().leases;
            levels.push(journal.pressure());
        }
    }
    levels
}

/// Reads, marks and recycles the `most` oldest segments, as a drain does after its commit.
fn drain(run: &mut Run, most: usize) {
    run.refresh().expect("refreshes");
    for key in run.segments().into_iter().take(most) {
        let end = run.read(key.number, key.epoch, 0, |_| std::ops::ControlFlow::Continue(()));
        run.mark_drained(key.number, key.epoch, end.offset);
        run.recycle(key.number, key.epoch);
    }
}

#[test]
fn levels_rise_one_after_the_other_and_the_last_eighth_is_for_errors() {
    use Pressure::{Dropping, ErrorsCounted, None, Sampled, Shortened};
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    let levels = levels_while(&journal, || writer.append(2, &[1; 800], 0));
    let expected = [vec![None; 22], vec![Shortened; 2], vec![Sampled; 2], vec![Dropping; 1]].concat();
    assert_eq!(levels, expected, "the second to the 28th of 32 segments");
    assert_eq!(journal.lease(b"another").err(), Some(Full));
    let levels = levels_while(&journal, || writer.append_error(2, &[2; 800], 0));
    assert_eq!(levels, [Dropping, Dropping, Dropping, ErrorsCounted]);
    assert_eq!(journal.occupancy().bytes_mapped, 32 << 10, "and the limit is kept");
    assert!(journal.lease_for_error(b"another").is_err());
    assert_eq!(journal.pressure_word().load(std::sync::atomic::Ordering::Relaxed), ErrorsCounted as u8);
}

#[test]
fn a_thread_that_begins_with_an_error_gets_a_segment_of_the_reserve() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    levels_while(&journal, || writer.append(2, &[1; 800], 0));
    let mut another = journal.lease_for_error(b"another").expect("a segment of the reserve");
    assert_eq!(another.append_error(2, &[2; 800], 0), Ok(()));
}

#[test]
fn levels_fall_as_segments_are_recycled_and_their_spells_are_kept() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    levels_while(&journal, || writer.append_error(2, &[1; 800], 0));
    assert_eq!(journal.pressure(), Pressure::ErrorsCounted);
    let mut run = journal.open_run().expect("opens");
    let mut seen = vec![journal.pressure()];
    for _ in 0..31 {
        drain(&mut run, 1);
        if seen.last() != Some(&journal.pressure()) {
            seen.push(journal.pressure());
        }
    }
    use Pressure::{Dropping, ErrorsCounted, None, Sampled, Shortened};
    assert_eq!(seen, [ErrorsCounted, Dropping, Sampled, Shortened, None]);
    let spells = run.pressure_spells().expect("known");
    for spell in spells {
        assert_eq!(spell.times, 1);
        assert!(!spell.lasts() && spell.left_unix_ns >= Some(spell.entered_unix_ns) && spell.entered_unix_ns > 0);
    }
    levels_while(&journal, || writer.append(2, &[1; 800], 0));
    let again = run.pressure_spells().expect("known").map(|spell| (spell.times, spell.lasts()));
    assert_eq!(again, [(2, true), (2, true), (2, true), (1, false)]);
}

#[test]
fn a_spell_that_lasts_when_its_process_dies_is_still_to_be_read() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let directory = journal.directory().to_path_buf();
    let mut writer = journal.lease(b"t").expect("a lease");
    levels_while(&journal, || writer.append(2, &[1; 800], 0));
    drop((writer, journal));
    let spells = Run::open(&directory).expect("opens").pressure_spells().expect("known");
    assert_eq!(spells.map(|spell| spell.lasts()), [true, true, true, false]);
    assert_eq!(spells.map(|spell| spell.times), [1, 1, 1, 0]);
}

#[test]
fn what_a_sibling_drains_is_noticed_at_the_next_look() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    levels_while(&journal, || writer.append(2, &[1; 800], 0));
    drain(&mut Run::open(journal.directory()).expect("opens"), 32);
    assert_eq!(journal.pressure(), Pressure::Dropping, "nobody has looked");
    journal.reconsider_pressure();
    assert_eq!(journal.pressure(), Pressure::None);
    assert_eq!(writer.append(2, &[1; 800], 0), Ok(()));
}

/// Threads that keep a segment each, all drained.
fn idle_threads(journal: &Journal, count: usize) -> Vec<Writer> {
    // New ones get no segment for calls once seven eighths hold something that is not drained.
    let writers = (0..count).map(|_| journal.lease_for_error(b"idle").expect("a lease")).collect();
    drain(&mut journal.open_run().expect("opens"), count);
    journal.maintain();
    writers
}

#[test]
fn threads_that_hold_drained_segments_make_no_pressure() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let _writers = idle_threads(&journal, 28);
    assert_eq!(journal.pressure(), Pressure::None);
    assert!(journal.lease(b"one more").is_ok());
}

/// There, calls were refused for good once seven eighths of the segments were leased, drained or not, while the pressure
/// said "none": each thread lost every call after its first segment.
#[test]
fn threads_that_hold_drained_segments_leave_the_others_their_calls() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writers = idle_threads(&journal, 29);
    let mut run = journal.open_run().expect("opens");
    for _ in 0..200 {
        assert!(journal.wait_for_space(Duration::ZERO));
        assert_eq!(writers[0].append(2, &[1; 800], 0), Ok(()));
        drain(&mut run, 32);
    }
    assert_eq!((journal.stats().refused_leases, journal.pressure()), (0, Pressure::None));
}

#[test]
fn what_idle_threads_leave_is_shared_by_calls_and_errors() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writers = idle_threads(&journal, 16);
    let busy = &mut writers[0];
    let kept = (0..100).take_while(|_| busy.append(2, &[1; 800], 0).is_ok()).count();
    assert_eq!(kept, 15, "its own segment, and 14 of 16");
    assert!(!journal.wait_for_space(Duration::ZERO));
    let kept = (0..100).take_while(|_| busy.append_error(2, &[1; 800], 0).is_ok()).count();
    assert_eq!(kept, 2);
}

#[test]
fn nobody_is_told_of_room_when_each_segment_is_a_threads_own() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let _writers = idle_threads(&journal, 32);
    assert!(!journal.wait_for_space(Duration::ZERO));
}

#[test]
fn a_full_segment_that_its_thread_gives_up_serves_another_once_it_is_drained() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writers = idle_threads(&journal, 32);
    let mut full = writers.pop().expect("a writer");
    while full.append(2, &[1; 200], 0).is_ok() {}
    let mut run = journal.open_run().expect("opens");
    drain(&mut run, 32);
    assert!(journal.lease(b"another").is_err(), "each segment is a thread's own");
    journal.give_up(full);
    drain(&mut run, 32);
    assert!(journal.wait_for_space(Duration::ZERO));
    assert!(journal.lease(b"another").is_ok());
}

#[test]
fn who_waits_for_space_waits_until_no_success_would_be_dropped() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = journal(tape.path());
    let mut writer = journal.lease(b"t").expect("a lease");
    levels_while(&journal, || writer.append(2, &[1; 800], 0));
    let mut run = journal.open_run().expect("opens");
    let wait = || journal.wait_for_space(Duration::from_millis(3));
    assert!(!wait());
    drain(&mut run, 2);
    assert!(!wait(), "one below the reserve, and still dropping");
    drain(&mut run, 1);
    assert!(wait());
    assert_eq!(journal.pressure(), Pressure::Sampled);
}

#[test]
fn a_journal_at_its_default_limit_holds_sixty_thousand_calls_of_usual_size_and_never_more_than_its_limit() {
    let tape = tempfile::tempdir().expect("a directory");
    let journal = Journal::create(tape.path(), &RunIdentity::default(), &Options::default()).expect("a journal");
    let mut writer = journal.lease(b"MainThread").expect("a lease");
    let mut before_pressure = 0;
    // A START with half a kilobyte of arguments and an END with a quarter of a kilobyte of result.
    let calls = (0..1_000_000).take_while(|_| {
        let stored = writer.append(2, &[1; 512], 64).and_then(|()| writer.append_error(3, &[2; 256], 0));
        before_pressure += u64::from(journal.pressure() == Pressure::None);
        stored.is_ok()
    });
    let calls = calls.count();
    assert!(calls >= 60_000, "{calls} calls before a success is dropped");
    assert!(before_pressure >= 60_000, "{before_pressure} calls before anything is shortened");
    while writer.append_error(2, &[1; 512], 0).is_ok() {}
    assert_eq!(journal.occupancy().bytes_mapped, 64 << 20);
    let files = std::fs::read_dir(journal.directory()).expect("lists");
    let of_segments = files.flatten().filter(|file| file.path().extension().is_some_and(|suffix| suffix == "seg"));
    assert_eq!(of_segments.map(|file| file.metadata().expect("metadata").len()).sum::<u64>(), 64 << 20);
}
