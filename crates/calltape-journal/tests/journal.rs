//! What a journal does for its owner and its drain, one behaviour a test, over real files.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use calltape_journal::{
    Counters, Full, Journal, JournalError, Lease, MAXIMUM_SLOTS, Options, Run, RunIdentity, SegmentState, THREAD_KIND,
    Writer, bump, list_runs, monotonic_ns, unix_ns,
};

/// Two segments a chunk, three chunks: exhaustion is a dozen frames away.
fn small() -> Options {
    Options { limit_bytes: 3072, initial_bytes: 1024, segment_bytes: 512, chunk_bytes: 1024, ..Options::default() }
}

fn journal(tape: &Path, options: &Options) -> Journal {
    Journal::create(tape, &RunIdentity { pid: 7, program: "census.py".into(), ..RunIdentity::default() }, options)
        .expect("a journal")
}

fn tape() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

/// All frames of a run as (kind, payload), read in order of lease from each segment's start.
fn frames(run: &Run) -> Vec<(u8, String)> {
    let mut frames = Vec::new();
    for key in run.segments() {
        let end = run.read(key.number, key.epoch, 0, |frame| {
            frames.push((frame.kind, String::from_utf8_lossy(frame.payload).into_owned()));
            ControlFlow::Continue(())
        });
        assert_eq!((end.damaged_bytes, end.damaged_frames), (0, 0));
    }
    frames
}

/// Reads, marks and recycles everything that can be, as a drain does after its commit.
fn drain(run: &mut Run) -> Vec<String> {
    run.refresh().expect("refreshes");
    let mut payloads = Vec::new();
    for key in run.segments() {
        let end = run.read(key.number, key.epoch, 0, |frame| {
            payloads.push(String::from_utf8_lossy(frame.payload).into_owned());
            ControlFlow::Continue(())
        });
        run.mark_drained(key.number, key.epoch, end.offset);
        if end.finished {
            assert!(run.recycle(key.number, key.epoch));
        }
    }
    payloads
}

fn fill(writer: &mut Writer) -> usize {
    (0..).take_while(|_| writer.append(2, &[b'x'; 100], 0).is_ok()).count()
}

#[test]
fn what_is_appended_is_read_by_another_handle_with_the_thread_named_first() {
    let tape = tape();
    let journal = journal(tape.path(), &Options::default());
    let mut writer = journal.lease(b"main").expect("a lease");
    for n in 0..3 {
        writer.append(2, format!("call {n}").as_bytes(), 0).expect("room");
    }
    let run = Run::open(&list_runs(tape.path()).expect("lists")[0]).expect("opens");
    let read = frames(&run);
    let expected = [(THREAD_KIND, "main"), (2, "call 0"), (2, "call 1"), (2, "call 2")];
    assert_eq!(read, expected.map(|(kind, text)| (kind, text.to_owned())));
}

#[test]
fn every_payload_length_comes_back_as_it_was() {
    let tape = tape();
    let journal = journal(tape.path(), &Options::default());
    let mut writer = journal.lease(b"main").expect("a lease");
    let source: Vec<u8> = (0..5000_u32).map(|n| (n % 251) as u8).collect();
    let lengths: Vec<usize> = (0..300).chain([760, 767, 768, 769, 1000, 4999]).collect();
    for &length in &lengths {
        writer.append(3, &source[..length], 0).expect("room");
    }
    let run = journal.open_run().expect("opens");
    let mut read = Vec::new();
    for key in run.segments() {
        let end = run.read(key.number, key.epoch, 0, |frame| {
            if frame.kind == 3 {
                assert_eq!(frame.payload, &source[..frame.payload.len()]);
                read.push(frame.payload.len());
            }
            ControlFlow::Continue(())
        });
        assert_eq!(end.damaged_frames, 0);
    }
    assert_eq!(read, lengths);
}

#[test]
fn a_full_journal_refuses_and_keeps_what_it_has() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    let stored = fill(&mut writer);
    assert_eq!(stored, 6 * 3, "six segments of 512 bytes hold a thread's name and three frames of 108 each");
    assert_eq!(writer.append(2, &[0; 100], 0), Err(Full));
    assert_eq!(journal.occupancy().free_segments, 0);
    assert_eq!(journal.occupancy().bytes_mapped, 3072);
    let run = journal.open_run().expect("opens");
    let read = frames(&run);
    assert_eq!(read.iter().filter(|(kind, _)| *kind == 2).count(), stored);
    assert_eq!(
        read.iter().filter(|frame| **frame == (THREAD_KIND, "t".to_owned())).count(),
        6,
        "each names its thread"
    );
}

#[test]
fn the_reserve_that_was_kept_free_takes_its_frames_when_the_journal_is_full() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    let reserve = Writer::frame_bytes(40);
    while writer.append(2, &[1; 60], reserve).is_ok() {}
    assert_eq!(writer.append(3, &[2; 40], 0), Ok(()), "the END frame that was promised room has it");
}

#[test]
fn a_frame_larger_than_a_segment_is_refused_and_the_segment_goes_on() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    assert_eq!(writer.append(2, &[0; 600], 0), Err(Full));
    assert_eq!(writer.append(2, &[0; 10], usize::MAX), Err(Full));
    // A segment's 384 bytes, less 16 for the thread's name.
    assert!(writer.could_fit(360, 0) && !writer.could_fit(361, 0) && !writer.could_fit(10, usize::MAX));
    assert_eq!(writer.append(2, &[0; 10], 0), Ok(()));
    assert_eq!(journal.stats().leases, 1);
}

#[test]
fn recycling_makes_room_again_for_own_and_sibling_drains() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    let own = journal.open_run().expect("opens");
    let sibling = Run::open(journal.directory()).expect("opens");
    for mut run in [own, sibling] {
        fill(&mut writer);
        assert!(!journal.wait_for_space(Duration::from_millis(3)));
        assert!(!drain(&mut run).is_empty());
        assert!(journal.wait_for_space(Duration::from_secs(1)));
        assert_eq!(writer.append(2, b"again", 0), Ok(()));
    }
}

#[test]
fn a_waiting_caller_is_woken_when_a_segment_is_recycled() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    fill(&mut writer);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| journal.wait_for_space(Duration::from_secs(20)));
        drain(&mut journal.open_run().expect("opens"));
        assert!(waiter.join().expect("no panic"));
    });
}

#[test]
fn a_segment_still_leased_is_not_recycled() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let _writer = journal.lease(b"t").expect("a lease");
    let run = journal.open_run().expect("opens");
    let key = run.segments()[0];
    assert_eq!(key.state, SegmentState::Leased);
    let end = run.read(key.number, key.epoch, 0, |_| ControlFlow::Continue(()));
    assert!(!end.finished);
    run.mark_drained(key.number, key.epoch, end.offset);
    assert!(!run.recycle(key.number, key.epoch));
}

#[test]
fn a_sealed_segment_is_not_recycled_before_it_is_marked_drained() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    fill(&mut writer);
    let run = journal.open_run().expect("opens");
    let key = run.segments()[0];
    let end = run.read(key.number, key.epoch, 0, |_| ControlFlow::Continue(()));
    run.mark_drained(key.number, key.epoch, end.offset - 8);
    assert!(!run.recycle(key.number, key.epoch));
    run.mark_drained(key.number, key.epoch, end.offset);
    assert!(run.recycle(key.number, key.epoch));
    assert!(!run.recycle(key.number, key.epoch), "that epoch is over");
}

#[test]
fn an_open_segment_without_room_for_a_threads_name_is_sealed_for_the_drain() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    writer.append(2, &[0; 340], 0).expect("room");
    journal.give_back(writer);
    let _next = journal.lease(b"the next thread").expect("a lease");
    let states: Vec<SegmentState> = journal.open_run().expect("opens").segments().iter().map(|key| key.state).collect();
    assert_eq!(states, [SegmentState::Sealed, SegmentState::Leased]);
}

#[test]
fn a_thread_that_ends_leaves_its_segment_to_the_next_one() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    for n in 0..4 {
        let mut writer = journal.lease(format!("thread {n}").as_bytes()).expect("a lease");
        writer.append(2, b"call", 0).expect("room");
        journal.give_back(writer);
    }
    assert_eq!(journal.stats().leases, 1);
    let names: Vec<String> = frames(&journal.open_run().expect("opens")).into_iter().map(|(_, text)| text).collect();
    assert_eq!(names, ["thread 0", "call", "thread 1", "call", "thread 2", "call", "thread 3", "call"]);
}

#[test]
fn flush_positions_are_passed_once_everything_before_them_is_marked() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    for _ in 0..5 {
        writer.append(2, &[0; 100], 0).expect("room");
    }
    let before = journal.positions();
    assert!(!journal.drained_past(&before));
    writer.append(2, b"later", 0).expect("room");
    let mut sibling = Run::open(journal.directory()).expect("opens");
    drain(&mut sibling);
    assert!(journal.drained_past(&before));
    writer.append(2, b"even later", 0).expect("room");
    assert!(!journal.drained_past(&journal.positions()));
}

#[test]
fn definitions_get_slots_in_order_and_counters_are_shared_with_every_reader() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    assert_eq!(journal.define(b"f").expect("defines"), 1);
    assert_eq!(journal.define(b"g").expect("defines"), 2);
    bump(&journal.counters(2).calls);
    bump(&journal.counters(2).calls);
    bump(&journal.counters(MAXIMUM_SLOTS + 5).dropped);
    let run = Run::open(journal.directory()).expect("opens");
    assert_eq!(run.functions(), [b"f".to_vec(), b"g".to_vec()]);
    assert_eq!(run.slots_in_use(), 3);
    assert_eq!(run.counters(2).map(|values| values.calls), Some(2));
    assert_eq!(run.counters(0).map(|values| values.dropped), Some(1), "a slot that does not exist counts as slot 0");
    assert_eq!(size_of::<Counters>(), 64);
}

#[test]
fn a_run_knows_who_recorded_and_when_and_how_it_ended() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let run = Run::open(journal.directory()).expect("opens");
    assert_eq!(run.id(), journal.run_id());
    assert_eq!(run.identity().map(|identity| (identity.pid, identity.program)), Some((7, "census.py".to_owned())));
    let error_ns = monotonic_ns() as i64 + run.unix_offset_ns().expect("an offset") - unix_ns();
    assert!(error_ns.abs() < 50_000_000, "{error_ns}");
    assert_eq!(run.ending(), None);
    journal.close(1);
    assert_eq!(run.ending(), Some(1));
}

#[test]
fn an_owner_is_alive_until_its_journal_and_writers_are_gone() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let writer = journal.lease(b"t").expect("a lease");
    let run = Run::open(journal.directory()).expect("opens");
    assert!(run.owner_is_alive());
    drop(journal);
    assert!(run.owner_is_alive(), "a writer may still append");
    drop(writer);
    assert!(!run.owner_is_alive());
}

#[test]
fn a_dead_run_is_read_to_its_end_recycled_and_removed() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let mut writer = journal.lease(b"t").expect("a lease");
    writer.append(2, b"last words", 0).expect("room");
    let dir = journal.directory().to_path_buf();
    drop((writer, journal));
    let mut run = Run::open(&dir).expect("opens");
    assert_eq!(drain(&mut run), ["t", "last words"]);
    assert!(run.segments().is_empty());
    run.remove().expect("removes");
    assert!(list_runs(tape.path()).expect("lists").is_empty());
    let left: Vec<_> =
        std::fs::read_dir(tape.path()).expect("lists").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["ids"]);
}

#[test]
fn one_process_at_a_time_holds_the_lease() {
    let tape = tape();
    let first = Lease::try_acquire(tape.path()).expect("works").expect("is free");
    assert!(Lease::try_acquire(tape.path()).expect("works").is_none());
    drop(first);
    assert!(Lease::try_acquire(tape.path()).expect("works").is_some());
    assert!(Lease::try_acquire(&tape.path().join("missing")).is_err());
}

#[test]
fn the_journal_grows_ahead_of_need_and_shrinks_when_idle() {
    let tape = tape();
    let options = Options {
        limit_bytes: 8192,
        initial_bytes: 1024,
        segment_bytes: 512,
        chunk_bytes: 1024,
        idle: Duration::from_millis(30),
    };
    let journal = journal(tape.path(), &options);
    let mut writer = journal.lease(b"t").expect("a lease");
    writer.append(2, &[0; 300], 0).expect("room");
    writer.append(2, &[0; 300], 0).expect("room");
    journal.maintain();
    assert_eq!(journal.occupancy().bytes_mapped, 2048, "with nothing free it doubles");
    fill(&mut writer);
    assert_eq!(journal.occupancy().bytes_mapped, 8192, "a caller grows it up to the limit");
    drain(&mut journal.open_run().expect("opens"));
    std::thread::sleep(Duration::from_millis(40));
    journal.maintain();
    let occupancy = journal.occupancy();
    assert!(occupancy.bytes_mapped <= 2048, "{occupancy:?}: the chunk of the leased segment and the first may stay");
    let chunks = std::fs::read_dir(journal.directory()).expect("lists").count() - 3;
    assert_eq!(chunks as u64, occupancy.bytes_mapped / 1024);
    assert!(fill(&mut writer) > 0, "and it grows again");
}

#[test]
fn a_chunk_made_again_under_an_old_number_has_later_epochs() {
    let tape = tape();
    let journal = journal(tape.path(), &Options { idle: Duration::ZERO, ..small() });
    let mut seen = std::collections::HashSet::new();
    for _ in 0..4 {
        let mut writer = journal.lease(b"t").expect("a lease");
        fill(&mut writer);
        let mut run = journal.open_run().expect("opens");
        for key in run.segments().into_iter().filter(|key| key.state == SegmentState::Sealed) {
            assert!(seen.insert((key.number, key.epoch)), "{key:?} stood for other frames before");
        }
        journal.give_back(writer);
        drain(&mut run);
        journal.maintain();
        drain(&mut run);
        journal.maintain();
        assert_eq!(journal.occupancy().bytes_mapped, 1024);
    }
}

#[test]
fn sealing_a_segment_wakes_the_drain() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let (sender, receiver) = std::sync::mpsc::channel();
    assert!(journal.set_wake(move || sender.send(()).expect("a receiver")));
    assert!(!journal.set_wake(|| ()));
    let mut writer = journal.lease(b"t").expect("a lease");
    fill(&mut writer);
    assert_eq!(receiver.try_iter().count(), 5);
}

#[test]
fn a_later_format_is_refused_by_name() {
    let tape = tape();
    let journal = journal(tape.path(), &small());
    let control = std::fs::OpenOptions::new().write(true).open(journal.directory().join("control")).expect("opens");
    std::os::unix::fs::FileExt::write_all_at(&control, &[9], 8).expect("writes");
    let error = Run::open(journal.directory()).err().expect("refused");
    assert!(matches!(error, JournalError::NewerFormat { found: 9, .. }), "{error}");
    assert!(error.to_string().contains("use a newer calltape"));
}

#[test]
fn several_starting_at_once_get_runs_of_their_own() {
    let tape = tape();
    let parent = tape.path().join("deep").join("calls.db.tape");
    let journals: Vec<Journal> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| journal(&parent, &small()))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut ids: Vec<u64> = journals.iter().map(Journal::run_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 8);
    assert_eq!(list_runs(&parent).expect("lists").len(), 8);
}

#[test]
fn refusals_of_a_full_journal_are_quick() {
    let tape = tape();
    let options = Options {
        limit_bytes: 1 << 20,
        initial_bytes: 1 << 20,
        segment_bytes: 4096,
        chunk_bytes: 1 << 16,
        ..Options::default()
    };
    let journal = journal(tape.path(), &options);
    let mut writer = journal.lease(b"t").expect("a lease");
    fill(&mut writer);
    let start = Instant::now();
    for _ in 0..10_000 {
        assert_eq!(writer.append(2, &[0; 100], 0), Err(Full));
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?} for 10000 refusals", start.elapsed());
}
