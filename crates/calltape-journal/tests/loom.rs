//! The segment protocol under every interleaving loom can find: append, seal, recycle, lease, read, and the reserve that
//! calls leave to errors.
//!
//! The risk: a wrong ordering that no x86 test shows, delivering a stale, torn or missing frame. Run with
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test -p calltape-journal --test loom --release`.

#![cfg(loom)]

use std::ops::ControlFlow;

use calltape_journal::SegmentState;
use calltape_journal::model::{Geometry, Memory, Segment, Tail, in_lease_order, read};
use loom::sync::{Arc, Mutex};
use loom::thread;

const RUN: u64 = 5;
/// A frame of one word.
const FRAME_BYTES: usize = 16;
const HEADER_BYTES: usize = 128;
const KIND: u8 = 2;

/// Segments with room for so few frames that they change often.
fn segments(count: u32, frames: usize) -> Vec<Segment> {
    let bytes = HEADER_BYTES + frames * FRAME_BYTES;
    let geometry = Geometry { segment_bytes: bytes, chunk_segments: count as usize };
    (0..count)
        .map(|number| {
            let segment = Segment::new(Memory::zeroed(bytes), RUN, number);
            segment.format(geometry, 0);
            segment
        })
        .collect()
}

/// The owner's thread: appends numbers from 0 until it has appended `most` or no segment is free. Gives how many.
fn append_numbers(segments: &[Segment], most: u64) -> u64 {
    let mut generation = 0;
    let mut lease = || {
        generation += 1;
        segments.iter().find(|segment| segment.try_lease(generation)).cloned().map(Tail::of_leased)
    };
    let mut tail = lease().expect("all are free at the start");
    for number in 0..most {
        if tail.room() < FRAME_BYTES {
            let Some(next) = lease() else { return number };
            std::mem::replace(&mut tail, next).seal();
        }
        tail.put(KIND, &number.to_le_bytes());
    }
    most
}

/// What a drain keeps between passes: the cursor of each segment's epoch, and all it was delivered.
struct Drain {
    cursors: Vec<(u32, usize)>,
    delivered: Vec<u64>,
}

impl Drain {
    fn new(segments: &[Segment]) -> Drain {
        Drain { cursors: segments.iter().map(|_| (u32::MAX, 0)).collect(), delivered: Vec::new() }
    }

    /// One pass: list, read in order of lease, mark, recycle what is finished.
    fn pass(&mut self, segments: &[Segment]) {
        for key in in_lease_order(segments.iter(), false) {
            let segment = &segments[key.number as usize];
            let cursor = &mut self.cursors[key.number as usize];
            if cursor.0 != key.epoch {
                *cursor = (key.epoch, 0);
            }
            let end = read(segment, cursor.1, false, |frame| {
                let bytes = frame.payload.try_into().expect("a number");
                self.delivered.push(u64::from_le_bytes(bytes));
                ControlFlow::Continue(())
            });
            assert_eq!((end.damaged_bytes, end.damaged_frames), (0, 0), "a frame was seen that was not whole");
            cursor.1 = end.offset;
            segment.mark_drained(end.offset);
            if end.finished {
                segment.recycle();
            }
        }
    }
}

fn every_frame_is_delivered_once_in_order(count: u32, frames: usize, most: u64, passes: usize) {
    loom::model(move || {
        let segments = segments(count, frames);
        let writing = segments.clone();
        let writer = thread::spawn(move || append_numbers(&writing, most));
        let draining = segments.clone();
        let drain = thread::spawn(move || {
            let mut drain = Drain::new(&draining);
            for _ in 0..passes {
                drain.pass(&draining);
            }
            drain
        });
        let appended = writer.join().expect("the writer does not panic");
        let mut drain = drain.join().expect("the drain does not panic");
        drain.pass(&segments);
        assert_eq!(drain.delivered, (0..appended).collect::<Vec<_>>());
    });
}

#[test]
fn a_reader_beside_a_writer_gets_each_frame_once() {
    every_frame_is_delivered_once_in_order(1, 2, 2, 2);
}

#[test]
fn frames_keep_their_order_when_the_writer_changes_segments() {
    every_frame_is_delivered_once_in_order(2, 1, 2, 2);
}

#[test]
fn a_recycled_segment_delivers_no_stale_frame_when_it_is_leased_again() {
    every_frame_is_delivered_once_in_order(2, 1, 3, 2);
}

/// A flush: what was committed before the positions are taken is drained once `drained` has passed them.
#[test]
fn a_drained_offset_is_never_ahead_of_what_was_delivered() {
    loom::model(|| {
        let segments = segments(1, 2);
        let segment = segments[0].clone();
        let writer = thread::spawn(move || append_numbers(&segments, 2));
        let draining = segment.clone();
        let drain = thread::spawn(move || {
            let one = [draining];
            let mut drain = Drain::new(&one);
            drain.pass(&one);
            drain.delivered.len()
        });
        let committed = segment.committed();
        let drained = segment.drained();
        let delivered = drain.join().expect("the drain does not panic");
        assert!(drained <= HEADER_BYTES + delivered * FRAME_BYTES);
        assert!(committed <= HEADER_BYTES + 2 * FRAME_BYTES);
        assert_eq!(writer.join().expect("the writer does not panic"), 2);
    });
}

/// The pool's rule in the model: under one lock, a lease for calls leaves a segment to errors.
fn lease_leaving(segments: &[Segment], lock: &Mutex<u64>, reserve: usize) -> Option<Tail> {
    let mut generation = lock.lock().expect("no panic under the lock");
    let free: Vec<&Segment> = segments.iter().filter(|segment| segment.state() == SegmentState::Free).collect();
    if free.len() <= reserve {
        return None;
    }
    *generation += 1;
    // What was free stays so: only this lock's holder leases, and a drain only adds.
    assert!(free[0].try_lease(*generation));
    Some(Tail::of_leased(free[0].clone()))
}

/// Two threads of a process lease, one of them for an error, while a drain recycles beside them without the lock.
#[test]
fn calls_leave_the_reserve_to_an_error_while_a_drain_recycles() {
    const ERROR: u64 = 100;
    loom::model(|| {
        let segments = segments(2, 1);
        let lock = Arc::new(Mutex::new(0));
        let (writing, leasing) = (segments.clone(), Arc::clone(&lock));
        let calls = thread::spawn(move || {
            let mut appended = Vec::new();
            for number in 0..2_u64 {
                let Some(mut tail) = lease_leaving(&writing, &leasing, 1) else { continue };
                tail.put(KIND, &number.to_le_bytes());
                tail.seal();
                appended.push(number);
            }
            appended
        });
        let (erring, leasing) = (segments.clone(), lock);
        let error = thread::spawn(move || {
            let mut tail = lease_leaving(&erring, &leasing, 0).expect("calls have left a segment to errors");
            tail.put(KIND, &ERROR.to_le_bytes());
            tail.seal();
        });
        let mut drain = Drain::new(&segments);
        drain.pass(&segments);
        let mut appended = calls.join().expect("the writer does not panic");
        error.join().expect("an error finds room");
        drain.pass(&segments);
        appended.push(ERROR);
        drain.delivered.sort_unstable();
        assert_eq!(drain.delivered, appended);
    });
}
