//! Reading a segment's frames, whatever state its bytes are in.
//!
//! `run.rs` calls it for every segment it drains. A frame is delivered only when the checksum of a private copy
//! fits; what does not fit is counted. The books hold: bytes of frames delivered plus damaged bytes is exactly the
//! way from the start offset to the end offset.

use std::ops::ControlFlow;

use crate::checksum;
use crate::layout::frame;
use crate::segment::{Segment, SegmentState};

/// A committed frame, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the writer called it: 1..=63.
    pub kind: u8,
    /// The writer's bytes.
    pub payload: &'a [u8],
    /// Where the next frame starts: the cursor to keep once this frame is stored.
    pub end_offset: usize,
}

/// Where a reading ended and what it could not deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadEnd {
    /// The cursor: everything before it was delivered or counted.
    pub offset: usize,
    /// Bytes between the start and `offset` that belong to no valid frame.
    pub damaged_bytes: u64,
    /// Stretches of damage, each at least one frame.
    pub damaged_frames: u64,
    /// True when nothing can follow: the segment is sealed (or its owner dead) and was read to its end.
    pub finished: bool,
}

/// How many bytes a search for the next valid frame may checksum, as a multiple of the segment's size. A healthy
/// neighbourhood needs one; hostile bytes could ask for the square of the size.
const SEARCH_WORK_SEGMENTS: usize = 64;

/// Reads frames from `from` until the first word that is not committed, or until `visit` breaks.
///
/// `owner_is_dead` says that nobody appends any more, so that what lies beyond a hole is searched too.
pub fn read(
    segment: &Segment,
    from: usize,
    owner_is_dead: bool,
    mut visit: impl FnMut(Frame<'_>) -> ControlFlow<()>,
) -> ReadEnd {
    // Acquire, before any commit word is read: SEALED means that every frame is visible.
    let sealed = segment.state() == SegmentState::Sealed;
    let mut reading = Reading::new(segment, segment.committed());
    let mut end = ReadEnd {
        offset: segment.clamp(from as u64),
        damaged_bytes: 0,
        damaged_frames: 0,
        finished: sealed || owner_is_dead,
    };
    loop {
        if let Some((kind, length)) = reading.frame_at(end.offset) {
            end.offset += frame::bytes(length);
            let payload = &reading.copy[..length];
            if visit(Frame { kind, payload, end_offset: end.offset }).is_break() {
                end.finished = false;
                return end;
            }
            continue;
        }
        let resumed = reading.past_damage(end.offset, owner_is_dead);
        if resumed > end.offset {
            end.damaged_bytes += (resumed - end.offset) as u64;
            end.damaged_frames += 1;
            end.offset = resumed;
        } else {
            return end;
        }
    }
}

/// One pass over one segment.
struct Reading<'a> {
    segment: &'a Segment,
    seed: u32,
    /// Where memory ends: a truncated file ends early.
    limit: usize,
    /// Up to here the writer said it had committed, so a hole before it is damage.
    known_end: usize,
    /// The private copy that is checked and lent out.
    copy: Vec<u8>,
    /// Bytes that searches may still checksum.
    work: usize,
}

impl<'a> Reading<'a> {
    fn new(segment: &'a Segment, known_end: usize) -> Reading<'a> {
        let limit = segment.memory().bytes() & !7;
        let work = limit.saturating_mul(SEARCH_WORK_SEGMENTS);
        Reading { segment, seed: segment.seed(), limit, known_end, copy: Vec::new(), work }
    }

    /// The valid frame at `offset`, its padded payload in `copy`: kind and payload length.
    fn frame_at(&mut self, offset: usize) -> Option<(u8, usize)> {
        if offset.checked_add(frame::WORD_BYTES)? > self.limit {
            return None;
        }
        // Acquire; its partner is the Release store that ends `Memory::commit`.
        let word = self.segment.memory().load(offset);
        let head = word as u32;
        let kind = ((head >> frame::KIND_SHIFT) & frame::KIND_MASK) as u8;
        let length = (head & frame::LENGTH_MASK) as usize;
        if kind == 0 || frame::bytes(length) > self.limit - offset {
            return None;
        }
        let padded = frame::bytes(length) - frame::WORD_BYTES;
        if self.copy.len() < padded {
            self.copy.resize(padded, 0);
        }
        self.segment.memory().copy_out(offset + frame::WORD_BYTES, &mut self.copy[..padded]);
        self.work = self.work.saturating_sub(padded);
        let sum = checksum::append(checksum::place(self.seed, offset, head), &self.copy[..padded]);
        (u64::from(sum) == word >> frame::CHECKSUM_SHIFT).then_some((kind, length))
    }

    /// Where reading goes on after `offset`, at which no valid frame stands; `offset` itself when it does not.
    #[cold]
    fn past_damage(&mut self, offset: usize, owner_is_dead: bool) -> usize {
        if offset >= self.limit || (offset >= self.known_end && !owner_is_dead) {
            return offset;
        }
        let end = if owner_is_dead { self.limit } else { self.known_end };
        let mut at = offset + 8;
        while at < end && self.work > 0 {
            if self.segment.memory().load(at) != 0 && self.frame_at(at).is_some() {
                return at;
            }
            at += 8;
        }
        // What a live writer commits beyond the end it has published is read after this.
        if owner_is_dead { self.end_of_damage(offset).max(self.known_end.max(offset)) } else { self.known_end }
    }

    /// With no valid frame left: the end of what a committed word at `offset` claims, as far as bytes stand there.
    /// A zero word was never committed: what a killed writer had begun behind it is no damage.
    fn end_of_damage(&self, offset: usize) -> usize {
        if self.segment.memory().load(offset) == 0 {
            return offset;
        }
        let mut end = self.limit;
        while end > offset && self.segment.memory().load(end - 8) == 0 {
            end -= 8;
        }
        end
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::layout::segment::HEADER_BYTES;
    use crate::mapping::Mapping;
    use crate::memory::Memory;
    use crate::segment::Geometry;
    use crate::tail::Tail;

    /// A word that no writer commits: its kind is 0.
    const JUNK: u64 = 0x77;

    /// A leased segment that holds these payloads as frames of kind 2.
    fn written(bytes: usize, payloads: &[&[u8]]) -> Segment {
        let mapping = Arc::new(Mapping::in_memory(bytes).expect("memory"));
        let segment = Segment::new(Memory::part(&mapping, 0, bytes), 7, 1);
        segment.format(Geometry { segment_bytes: bytes, chunk_segments: 1 }, 0);
        assert!(segment.try_lease(1));
        let mut tail = Tail::of_leased(segment.clone());
        for payload in payloads {
            tail.put(2, payload);
        }
        segment
    }

    /// What a reading from the start delivers, and how it ends.
    fn reading(segment: &Segment, owner_is_dead: bool) -> (Vec<Vec<u8>>, ReadEnd) {
        let mut payloads = Vec::new();
        let end = read(segment, 0, owner_is_dead, |frame| {
            payloads.push(frame.payload.to_vec());
            ControlFlow::Continue(())
        });
        (payloads, end)
    }

    fn ends(offset: usize, damaged_bytes: u64, owner_is_dead: bool) -> ReadEnd {
        ReadEnd { offset, damaged_bytes, damaged_frames: u64::from(damaged_bytes > 0), finished: owner_is_dead }
    }

    /// The frame before the hole is the smallest, so that the word before the hole is a frame too.
    #[test]
    fn a_hole_that_a_live_writer_has_passed_is_damage_and_what_follows_is_read() {
        let segment = written(256, &[b"", b"lost", b"kept"]);
        segment.memory().store(136, 0);
        assert_eq!(reading(&segment, false), (vec![b"".to_vec(), b"kept".to_vec()], ends(168, 16, false)));
    }

    /// The search for what follows once took all up to the segment's end for damage, the frames committed meanwhile too.
    #[test]
    fn damage_before_the_end_a_live_writer_has_published_ends_there() {
        let segment = written(256, &[b"one", b"two", b"three"]);
        segment.memory().store(144, JUNK);
        segment.publish(160);
        assert_eq!(reading(&segment, false), (vec![b"one".to_vec(), b"three".to_vec()], ends(176, 16, false)));
    }

    #[test]
    fn what_stands_beyond_the_end_a_live_writer_has_published_is_no_damage() {
        let segment = written(256, &[b"kept"]);
        segment.memory().store(144, JUNK);
        assert_eq!(reading(&segment, false), (vec![b"kept".to_vec()], ends(144, 0, false)));
    }

    #[test]
    fn a_dead_writers_frames_beyond_a_hole_and_its_published_end_are_read() {
        let segment = written(256, &[b"", b"lost", b"kept"]);
        segment.memory().store(136, 0);
        segment.publish(HEADER_BYTES);
        assert_eq!(reading(&segment, true), (vec![b"".to_vec(), b"kept".to_vec()], ends(168, 16, true)));
    }

    #[test]
    fn a_full_segment_of_a_dead_writer_ends_with_its_last_frame() {
        let segment = written(256, &[&[9; 120]]);
        assert_eq!(reading(&segment, true), (vec![vec![9; 120]], ends(256, 0, true)));
    }

    #[test]
    fn the_damage_a_dead_writer_leaves_ends_where_its_bytes_do() {
        // Where junk stands, how far the writer said it had committed, and where reading ends.
        let cases: [(&[usize], usize, usize); 7] = [
            (&[], 128, 128),
            (&[128], 128, 136),
            (&[128, 200], 128, 208),
            (&[128, 248], 128, 256),
            (&[128, 200], 240, 240),
            // A zero word was never committed, so what stands behind it was only begun.
            (&[136, 200], 128, 128),
            (&[136, 200], 240, 240),
        ];
        for (junk, committed, expected) in cases {
            let segment = written(256, &[]);
            junk.iter().for_each(|&offset| segment.memory().store(offset, JUNK));
            segment.publish(committed);
            let damage = (expected - HEADER_BYTES) as u64;
            assert_eq!(reading(&segment, true), (vec![], ends(expected, damage, true)), "{junk:?}, {committed}");
        }
    }

    #[test]
    fn a_frame_that_claims_more_bytes_than_are_left_is_damage() {
        for length in [121, 200, 255, frame::LENGTH_MASK as usize] {
            let segment = written(256, &[]);
            segment.memory().store(HEADER_BYTES, u64::from(frame::head(2, length)));
            assert_eq!(reading(&segment, true), (vec![], ends(136, 8, true)), "{length}");
        }
    }

    /// Each word claims all bytes behind it: to check every claim would take the square of the segment's size.
    #[test]
    fn a_search_that_would_cost_too_much_is_given_up() {
        let bytes = 4096;
        let segment = written(bytes, &[]);
        let claim = |at: usize| u64::from(frame::head(2, bytes - at - frame::WORD_BYTES));
        (HEADER_BYTES..bytes - 16).step_by(8).for_each(|at| segment.memory().store(at, claim(at)));
        segment.memory().commit(bytes - 16, frame::head(2, 8), b"too late", segment.seed());
        assert_eq!(reading(&segment, true), (vec![], ends(bytes, (bytes - HEADER_BYTES) as u64, true)));
    }

    #[test]
    fn a_frame_of_another_run_segment_or_epoch_is_not_delivered() {
        let segment = written(256, &[b"mine"]);
        let other = |run_id, number| Segment::new(segment.memory().clone(), run_id, number);
        assert_eq!(reading(&other(7, 1), false).0, [b"mine"]);
        assert_eq!(reading(&other(8, 1), false).0, Vec::<Vec<u8>>::new());
        assert_eq!(reading(&other(7, 2), false).0, Vec::<Vec<u8>>::new());
        segment.format(Geometry { segment_bytes: 256, chunk_segments: 1 }, 1);
        assert_eq!(reading(&segment, false).0, Vec::<Vec<u8>>::new());
    }
}
