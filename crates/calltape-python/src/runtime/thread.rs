//! What a thread keeps between its calls: its journal writer, ids, the current call, a scratch buffer.
//!
//! Only the owning thread touches it, with the interpreter lock held; the thread's end gives the writer back.

use std::cell::UnsafeCell;
use std::sync::Arc;

use calltape_journal::Writer;
use calltape_record::kind;
use pyo3::ffi::PyObject;

use super::clock::Clock;
use super::{NEVER, Running, monotonic_ns};
use crate::capture::Policy;

/// Bytes a journal frame of an END without outcome takes, frame header included: kept free for each call begun, so that
/// every begun call can be ended.
pub(crate) const END_ROOM: usize = 32;

/// How long a thread uses a block of ids: ids are call times to within this.
const IDS_KEPT_NS: u64 = 250_000_000;

/// The scratch a thread begins with: a call's captured bytes and its head.
const SCRATCH_BYTES: usize = 8 * 1024;

/// Whether a frame is in the journal.
#[derive(Clone, Copy)]
pub(crate) enum Appended {
    Yes,
    Full,
}

/// A place in the tree of calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The innermost call; 0 for none.
    pub(crate) call: u64,
    /// The outermost call of its tree.
    pub(crate) root: u64,
}

impl Scope {
    /// No call.
    pub(crate) const OUTSIDE: Self = Self { call: 0, root: 0 };
    /// Where nothing is recorded; no call has this id.
    pub(crate) const SUPPRESSED: Self = Self { call: u64::MAX, root: u64::MAX };

    #[inline]
    pub(crate) fn is_outside(self) -> bool {
        self.call == 0
    }
}

/// A thread's recording.
pub(crate) struct ThreadRecorder {
    /// The run this belongs to.
    pub(crate) generation: u32,
    /// Set while this thread runs calltape's own code.
    pub(crate) busy: bool,
    /// The running call.
    pub(crate) scope: Scope,
    /// The name of the task whose body runs: null or a str that the body's own record holds.
    pub(crate) task: *mut PyObject,
    /// Calls begun and not ended that end on this thread, in the reverse order: a suspended body is none of them.
    pub(crate) open: usize,
    pub(crate) scratch: Vec<u8>,
    clock: Clock,
    random: u64,
    next_id: u64,
    last_id: u64,
    ids_until: u64,
    writer: Option<Writer>,
    running: Option<Arc<Running>>,
}

thread_local! {
    static THREAD: UnsafeCell<ThreadRecorder> = const { UnsafeCell::new(ThreadRecorder::new(false)) };
}

/// This thread's recording; one that is always busy once the thread is being taken down.
#[inline]
pub(crate) fn this_thread() -> *mut ThreadRecorder {
    THREAD.try_with(UnsafeCell::get).unwrap_or_else(|_| taken_down())
}

/// After a fault in calltape's own code on this thread: that code is over, so the next call may be recorded.
pub(super) fn be_free_again() {
    // SAFETY: this thread's own. A thread being taken down has none any more, and its stand-in stays busy.
    let _ = THREAD.try_with(|thread| unsafe { (*thread.get()).busy = false });
}

/// A recording that is never written to: always busy, so every call is passed through.
struct TakenDown(UnsafeCell<ThreadRecorder>);

// SAFETY: nothing but `busy` is read of it, and nothing is written while that is set.
unsafe impl Sync for TakenDown {}

/// Stands in for a thread whose storage is gone.
#[cold]
fn taken_down() -> *mut ThreadRecorder {
    static TAKEN_DOWN: TakenDown = TakenDown(UnsafeCell::new(ThreadRecorder::new(true)));
    TAKEN_DOWN.0.get()
}

impl ThreadRecorder {
    const fn new(busy: bool) -> Self {
        Self {
            generation: NEVER,
            busy,
            scope: Scope::OUTSIDE,
            task: std::ptr::null_mut(),
            open: 0,
            scratch: Vec::new(),
            clock: Clock::new(),
            random: 0,
            next_id: 0,
            last_id: 0,
            ids_until: 0,
            writer: None,
            running: None,
        }
    }

    /// Joins the run: from here on this thread's calls go to `writer`.
    pub(super) fn join(&mut self, running: Arc<Running>, writer: Writer) {
        self.leave_run();
        self.generation = running.generation;
        self.scratch.reserve(SCRATCH_BYTES);
        self.forget_calls();
        self.next_id = 0;
        self.last_id = 0;
        self.ids_until = 0;
        // A forked child would go on with its parent's numbers, as all its siblings do.
        self.random = 0;
        self.writer = Some(writer);
        self.running = Some(running);
    }

    fn leave_run(&mut self) {
        let (writer, running) = (self.writer.take(), self.running.take());
        match (writer, running) {
            (Some(writer), Some(running)) if running.is_of_this_process() => running.journal.give_back(writer),
            // A forked child shares its parent's pages: the parent's writer is forgotten, not closed.
            (writer, running) => std::mem::forget((writer, running)),
        }
    }

    /// Leaves a run that ended, or was the parent's, while this thread was about to write a record: that finds no room.
    pub(crate) fn abandon_run(&mut self) {
        self.leave_run();
        self.generation = NEVER;
        self.forget_calls();
    }

    /// Where this thread stands in the tree of calls of a run; a tree that an ended run had open is none of it.
    #[inline]
    pub(crate) fn scope_in(&self, generation: u32) -> Scope {
        let is_current = self.generation == generation || self.scope == Scope::SUPPRESSED;
        if is_current { self.scope } else { Scope::OUTSIDE }
    }

    /// Forgets the calls that an ended run had open.
    pub(crate) fn forget_calls(&mut self) {
        self.leave_the_tree();
        self.open = 0;
    }

    /// Leaves the tree of calls of an ended run; where nothing is recorded, nothing is in the next one.
    pub(crate) fn leave_the_tree(&mut self) {
        if self.scope != Scope::SUPPRESSED {
            self.scope = Scope::OUTSIDE;
        }
        self.task = std::ptr::null_mut();
    }

    /// What the run captures of values that belong to no function; `None` outside of a run.
    pub(crate) fn policy(&self) -> Option<&'static Policy> {
        self.running.as_ref().map(|running| running.policy)
    }

    /// CLOCK_MONOTONIC ns.
    #[inline]
    pub(crate) fn now(&mut self) -> u64 {
        self.clock.now()
    }

    /// The next call's id.
    #[inline]
    pub(crate) fn next_id(&mut self, now: u64) -> u64 {
        if self.next_id == self.last_id || now > self.ids_until {
            self.take_ids(now);
        }
        self.next_id += 1;
        self.next_id - 1
    }

    #[cold]
    fn take_ids(&mut self, now: u64) {
        if let Some(running) = &self.running {
            let block = running.journal.take_ids();
            self.next_id = block.start;
            self.last_id = block.end;
            self.ids_until = now + IDS_KEPT_NS;
        }
    }

    /// A random number for sampling (xorshift64*, not for secrets).
    #[inline]
    pub(crate) fn random(&mut self) -> u32 {
        if self.random == 0 {
            self.random = monotonic_ns() ^ (&raw const *self as u64) | 1;
        }
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// Appends a START, keeping `reserve` bytes free for the ENDs that must follow; waits where the settings say so.
    #[inline]
    pub(crate) fn append_start(&mut self, payload: &[u8], reserve: usize) -> Appended {
        match self.append(kind::START, payload, reserve) {
            Appended::Full => self.append_waiting(payload, reserve),
            done => done,
        }
    }

    /// Appends an END: the call has begun, so it may have of the journal's reserve.
    #[inline]
    pub(crate) fn append_end(&mut self, payload: &[u8], reserve: usize) -> Appended {
        match self.writer.as_mut().map(|writer| writer.append_error(kind::END, payload, reserve)) {
            Some(Ok(())) => Appended::Yes,
            _ => Appended::Full,
        }
    }

    /// Appends a NOTE.
    pub(crate) fn append_note(&mut self, payload: &[u8], reserve: usize) -> Appended {
        self.append(kind::NOTE, payload, reserve)
    }

    #[inline]
    fn append(&mut self, kind: u8, payload: &[u8], reserve: usize) -> Appended {
        match self.writer.as_mut().map(|writer| writer.append(kind, payload, reserve)) {
            Some(Ok(())) => Appended::Yes,
            _ => Appended::Full,
        }
    }

    #[cold]
    fn append_waiting(&mut self, payload: &[u8], reserve: usize) -> Appended {
        let Some(running) = self.running.clone() else { return Appended::Full };
        // A frame too large for any segment waits for nothing.
        if self.writer.as_ref().is_none_or(|writer| !writer.could_fit(payload.len(), reserve)) {
            return Appended::Full;
        }
        let appended = running.patiently(|| match self.append(kind::START, payload, reserve) {
            Appended::Yes => Some(()),
            Appended::Full => None,
        });
        if appended.is_some() { Appended::Yes } else { Appended::Full }
    }
}

impl Drop for ThreadRecorder {
    fn drop(&mut self) {
        self.leave_run();
    }
}
