//! One thread's append handle: the hot path of the whole recorder.
//!
//! Made by [`Journal::lease`](crate::Journal::lease), kept in a thread-local by the python crate. [`Writer::append`]
//! takes no lock, allocates nothing and makes no system call while the segment has room; everything else is out of
//! line.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Full;
use crate::journal::Shared;
use crate::layout::{THREAD_KIND, frame};
use crate::pool::Purpose;
use crate::tail::Tail;

/// One thread's end of the journal.
///
/// Give it back with [`Journal::give_back`](crate::Journal::give_back) when the thread ends. Dropped instead, it
/// does nothing at all, which is what a forked child needs; its segment then stays leased until the process ends.
pub struct Writer {
    tail: Tail,
    /// The THREAD frame's payload, to begin each further segment with.
    thread: Box<[u8]>,
    shared: Arc<Shared>,
    /// One thread at a time.
    _not_sync: PhantomData<Cell<()>>,
}

impl Writer {
    /// Continues a segment for a thread, naming the thread first.
    pub(crate) fn begin(shared: &Arc<Shared>, thread: &[u8], purpose: Purpose) -> Result<Writer, Full> {
        let bytes = frame::bytes(thread.len());
        if bytes > shared.capacity() {
            return Err(Full);
        }
        let mut tail = match shared.pool().take_open(bytes) {
            Some(tail) => tail,
            None => shared.pool().lease(purpose)?,
        };
        tail.put(THREAD_KIND, thread);
        Ok(Writer { tail, thread: thread.into(), shared: Arc::clone(shared), _not_sync: PhantomData })
    }

    pub(crate) fn into_tail(self) -> Tail {
        self.tail
    }

    /// The run this appends to.
    pub fn run_id(&self) -> u64 {
        self.shared.run_id()
    }

    /// Appends a frame of `kind` (1..=63; [`THREAD_KIND`] is the journal's own) and leaves at least `keep_free` bytes
    /// in the segment, which the caller may fill with later frames that then cannot fail. Ask [`Writer::frame_bytes`]
    /// what a frame takes.
    ///
    /// # Errors
    ///
    /// [`Full`] when the segment has no room, none is free but those kept for errors, and none can be made; the segment
    /// and what is kept free in it stay as they are. Also when the frame with its reserve is larger than any segment.
    #[inline]
    pub fn append(&mut self, kind: u8, payload: &[u8], keep_free: usize) -> Result<(), Full> {
        debug_assert!((1..=63).contains(&kind));
        if frame::bytes(payload.len()).saturating_add(keep_free) > self.tail.room() {
            return self.append_elsewhere(kind, payload, keep_free, Purpose::Calls);
        }
        self.tail.put(kind, payload);
        Ok(())
    }

    /// Like [`Writer::append`], with a segment of the reserve where no other is left: for the records of a call that
    /// raised, and for the ENDs of calls that have begun. An eighth of the segments is kept for these.
    ///
    /// # Errors
    ///
    /// [`Full`] when the reserve is used up too: count the error with
    /// [`Journal::count_lost_error`](crate::Journal::count_lost_error).
    pub fn append_error(&mut self, kind: u8, payload: &[u8], keep_free: usize) -> Result<(), Full> {
        debug_assert!((1..=63).contains(&kind));
        if frame::bytes(payload.len()).saturating_add(keep_free) > self.tail.room() {
            return self.append_elsewhere(kind, payload, keep_free, Purpose::Errors);
        }
        self.tail.put(kind, payload);
        Ok(())
    }

    /// Whether an empty segment has room for a frame with a payload of this length and `keep_free` bytes more; where it
    /// has not, waiting for room does not help.
    pub fn could_fit(&self, payload: usize, keep_free: usize) -> bool {
        let frames = frame::bytes(self.thread.len()).saturating_add(frame::bytes(payload));
        frames.saturating_add(keep_free) <= self.shared.capacity()
    }

    /// Bytes a frame with a payload of this length takes in a segment.
    #[inline]
    pub const fn frame_bytes(payload: usize) -> usize {
        frame::bytes(payload)
    }

    /// Bytes left in the current segment.
    #[inline]
    pub fn room(&self) -> usize {
        self.tail.room()
    }

    /// Goes on in a new segment. The new one is leased before the old one is sealed: without a new one the old one
    /// stays, and a drain that lists segments by generation meets all frames of the old one before those of the new.
    #[cold]
    #[inline(never)]
    fn append_elsewhere(&mut self, kind: u8, payload: &[u8], keep_free: usize, purpose: Purpose) -> Result<(), Full> {
        if !self.could_fit(payload.len(), keep_free) {
            return Err(Full);
        }
        let mut next = self.shared.pool().lease(purpose)?;
        next.put(THREAD_KIND, &self.thread);
        std::mem::replace(&mut self.tail, next).seal();
        self.tail.put(kind, payload);
        self.shared.wake();
        Ok(())
    }
}
