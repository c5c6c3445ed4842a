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
        self.end_of_damage(offset).max(self.known_end.max(offset))
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
