//! What a thread keeps between its calls: its journal writer, ids, the current call, a scratch buffer.
//!
//! Only the owning thread touches it, with the interpreter lock held; the thread's end gives the writer back.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use calltape_journal::{Full, Journal, Pressure, Tally, Writer};
use calltape_record::kind;
use pyo3::ffi::PyObject;

use super::clock::Clock;
use super::{NEVER, Running, Scope, monotonic_ns};
use crate::capture::Policy;
use crate::memory;

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
    /// How full the run's journal is, which `running` holds; never null.
    pressure: *const AtomicU8,
    /// Leased with the first record: a thread whose calls are all left out needs none.
    writer: Option<Writer>,
    running: Option<Arc<Running>>,
}

/// The pressure outside of a run.
static NO_PRESSURE: AtomicU8 = AtomicU8::new(0);

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
    pub(super) const fn new(busy: bool) -> Self {
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
            pressure: &raw const NO_PRESSURE,
            writer: None,
            running: None,
        }
    }

    /// Joins the run: from here on this thread's calls belong to it.
    pub(super) fn join(&mut self, running: Arc<Running>) {
        self.leave_run();
        self.generation = running.generation;
        self.scratch.reserve(SCRATCH_BYTES);
        self.forget_calls();
        self.next_id = 0;
        self.last_id = 0;
        self.ids_until = 0;
        // A forked child would go on with its parent's numbers, as all its siblings do.
        self.random = 0;
        self.pressure = running.journal.pressure_word();
        self.running = Some(running);
    }

    fn leave_run(&mut self) {
        self.pressure = &raw const NO_PRESSURE;
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
        let id = self.peek_id(now);
        self.next_id += 1;
        id
    }

    /// The id that the next call will have. One that may not need it asks at its beginning, so that it has an id of that
    /// time, and takes it at its end with [`Self::claim_id`].
    #[inline]
    pub(crate) fn peek_id(&mut self, now: u64) -> u64 {
        if self.next_id == self.last_id || now > self.ids_until {
            self.take_ids(now);
        }
        self.next_id
    }

    /// Takes the id that was seen, or the next one where somebody has taken that meanwhile.
    pub(crate) fn claim_id(&mut self, seen: u64, now: u64) -> u64 {
        if self.next_id != seen || seen == self.last_id {
            return self.next_id(now);
        }
        self.next_id += 1;
        seen
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

    /// How full the run's journal is.
    #[inline]
    fn fill(&self) -> u8 {
        // SAFETY: the word is static or in the journal that `running` holds.
        let fill = unsafe { (*self.pressure).load(Ordering::Relaxed) };
        // What little memory there is is for the calls that have begun: others, and their errors, are counted.
        if memory::is_short() { Pressure::ErrorsCounted as u8 } else { fill }
    }

    /// Whether the journal has room for everything.
    #[inline]
    pub(crate) fn has_plenty(&self) -> bool {
        self.fill() == Pressure::None as u8
    }

    /// What the journal's fill does to this thread's calls before there is no room at all: nothing, where they wait for room
    /// instead.
    pub(crate) fn pressure(&self) -> Pressure {
        if self.waits() { Pressure::None } else { Pressure::from_number(self.fill()) }
    }

    /// Whether what is left of the journal is for errors.
    pub(crate) fn drops(&self) -> bool {
        self.fill() >= Pressure::Dropping as u8
    }

    fn waits(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.block_ns.is_some())
    }

    /// Waits, where the settings say so, until successes may be recorded again; whether they may.
    #[cold]
    pub(crate) fn wait_for_room(&self) -> bool {
        let Some(running) = self.running.clone().filter(|running| running.block_ns.is_some()) else { return false };
        let has_room = || (running.journal.pressure() < Pressure::Dropping).then_some(());
        running.patiently(has_room).is_some()
    }

    /// The policy to capture arguments and results with.
    #[inline]
    pub(crate) fn fitting(&self, policy: &'static Policy) -> &'static Policy {
        if self.has_plenty() || self.waits() { policy } else { policy.short() }
    }

    /// A run's journal, where this thread is joined to that run.
    pub(crate) fn journal(&self, generation: u32) -> Option<&Journal> {
        self.running.as_ref().filter(|running| running.generation == generation).map(|running| &*running.journal)
    }

    /// Where a function's calls without a record are timed in a run; null where this thread is not joined to that, or there
    /// is no room for one more such function. It lasts as long as the run.
    pub(crate) fn tally(&self, generation: u32, slot: u32) -> *const Tally {
        self.journal(generation).and_then(|journal| journal.tally(slot)).map_or(std::ptr::null(), std::ptr::from_ref)
    }

    /// Appends a START, keeping `reserve` bytes free for the ENDs that must follow; waits where the settings say so.
    #[inline]
    pub(crate) fn append_start(&mut self, payload: &[u8], reserve: usize) -> Appended {
        match self.append(kind::START, payload, reserve) {
            Appended::Full => self.append_waiting(payload, reserve),
            done => done,
        }
    }

    /// Appends the START of a call that is over.
    pub(crate) fn append_late_start(&mut self, payload: &[u8], reserve: usize, is_error: bool) -> Appended {
        if is_error {
            self.append_error(kind::LATE_START, payload, reserve)
        } else {
            self.append(kind::LATE_START, payload, reserve)
        }
    }

    /// Appends an END: the call has begun, so it may have of what is reserved for errors.
    #[inline]
    pub(crate) fn append_end(&mut self, payload: &[u8], reserve: usize) -> Appended {
        match self.append(kind::END, payload, reserve) {
            Appended::Full => self.append_error(kind::END, payload, reserve),
            done => done,
        }
    }

    /// Appends a NOTE.
    pub(crate) fn append_note(&mut self, payload: &[u8], reserve: usize) -> Appended {
        self.append(kind::NOTE, payload, reserve)
    }

    #[inline]
    fn append(&mut self, kind: u8, payload: &[u8], reserve: usize) -> Appended {
        match &mut self.writer {
            Some(writer) => Appended::of(writer.append(kind, payload, reserve)),
            None => self.append_first(kind, payload, reserve, false),
        }
    }

    #[cold]
    fn append_error(&mut self, kind: u8, payload: &[u8], reserve: usize) -> Appended {
        match &mut self.writer {
            Some(writer) => Appended::of(writer.append_error(kind, payload, reserve)),
            None => self.append_first(kind, payload, reserve, true),
        }
    }

    /// Leases a writer and appends with it. A START waits for room by itself.
    #[cold]
    #[inline(never)]
    fn append_first(&mut self, kind: u8, payload: &[u8], reserve: usize, is_error: bool) -> Appended {
        let Some(running) = self.running.clone() else { return Appended::Full };
        // SAFETY: this thread's own, which is busy while it appends, with the interpreter lock held.
        self.writer = unsafe { running.lease(is_error, kind != kind::START) };
        match &mut self.writer {
            Some(writer) if is_error => Appended::of(writer.append_error(kind, payload, reserve)),
            Some(writer) => Appended::of(writer.append(kind, payload, reserve)),
            None => Appended::Full,
        }
    }

    #[cold]
    fn append_waiting(&mut self, payload: &[u8], reserve: usize) -> Appended {
        let Some(running) = self.running.clone() else { return Appended::Full };
        if !self.could_fit(payload, reserve) {
            return Appended::Full;
        }
        self.give_up_a_full_segment(&running);
        let appended = running.patiently(|| match self.append(kind::START, payload, reserve) {
            Appended::Full if self.could_fit(payload, reserve) => None,
            done => Some(done),
        });
        appended.unwrap_or(Appended::Full)
    }

    /// Lets go of a segment without room where the journal is not full but all its segments are threads' own: each thread
    /// would wait for another's. Not while calls are open, whose ENDs have their room there.
    fn give_up_a_full_segment(&mut self, running: &Running) {
        let may_go = self.open == 0 && running.journal.pressure() < Pressure::Dropping;
        if let Some(writer) = self.writer.take_if(|_| may_go) {
            running.journal.give_up(writer);
        }
    }

    /// Whether room would help: a frame too large for any segment waits for nothing.
    fn could_fit(&self, payload: &[u8], reserve: usize) -> bool {
        self.writer.as_ref().is_none_or(|writer| writer.could_fit(payload.len(), reserve))
    }
}

impl Appended {
    #[inline]
    fn of(appended: Result<(), Full>) -> Self {
        if appended.is_ok() { Self::Yes } else { Self::Full }
    }
}

impl Drop for ThreadRecorder {
    fn drop(&mut self) {
        self.leave_run();
    }
}
