//! Writing the END of a call: its outcome in full, or as much of it as the journal has room for.

use calltape_record::{Activity, EndHead, Status, begin_end, begin_suspended_end};
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

use super::missing::count_lost;
use super::trampoline::contain;
use crate::capture::{Capture, Policy, Raised, write_bare_failure_of, write_failure_of};
use crate::runtime::{self, Appended, END_ROOM, Guarded, ThreadRecorder};

/// Which call ends, and when.
pub(super) struct Ending<'a> {
    pub(super) id: u64,
    /// The function's number in the run.
    pub(super) slot: u32,
    /// CLOCK_MONOTONIC ns.
    pub(super) ended: u64,
    pub(super) policy: &'static Policy,
    /// What a body that can be suspended adds.
    pub(super) activity: Option<Activity<'a>>,
    /// Its START says that it may stand for more calls than itself.
    pub(super) weighted: bool,
    /// It took so long that it would have been kept whatever was decided.
    pub(super) slow: bool,
}

/// How a call ends.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    /// With a value, which is captured.
    Returned(*mut PyObject),
    /// With the exception that is set.
    Raised,
    /// With nothing to capture.
    Bare(Status),
}

impl Ending<'_> {
    #[inline(never)]
    fn begin_again(&self, out: &mut Vec<u8>, status: Status) {
        self.begin(out, status);
    }

    #[inline(always)]
    fn begin(&self, out: &mut Vec<u8>, status: Status) {
        let certain = self.is_certain(status);
        let head = EndHead { id: self.id, ended: self.ended, function: self.slot, status, certain };
        match &self.activity {
            None => begin_end(out, &head),
            Some(activity) => begin_suspended_end(out, &head, activity),
        }
    }

    /// Whether the call would have been kept whatever was decided: it then stands for itself alone.
    #[inline]
    fn is_certain(&self, status: Status) -> bool {
        self.weighted && (self.slow || status == Status::Error)
    }

    /// What an outcome is called on the tape.
    ///
    /// # Safety
    /// As [`append_end`].
    pub(super) unsafe fn status(&self, outcome: Outcome) -> Status {
        // SAFETY: passed on.
        unsafe { status_of(outcome, self.activity.is_some()) }
    }
}

/// What an outcome is called on the tape, of a body that `suspends` or not.
///
/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn status_of(outcome: Outcome, suspends: bool) -> Status {
    match outcome {
        Outcome::Returned(_) => Status::Ok,
        Outcome::Bare(status) => status,
        // SAFETY: the interpreter's exceptions live for ever; comparing types runs no code.
        Outcome::Raised => unsafe {
            let kind = ffi::PyErr_Occurred();
            let is = |other| ffi::PyErr_GivenExceptionMatches(kind, other) != 0;
            if !kind.is_null() && suspends && is(ffi::PyExc_GeneratorExit) {
                Status::Closed
            } else if !kind.is_null() && is_cancellation(kind) {
                Status::Cancelled
            } else {
                Status::Error
            }
        },
    }
}

/// Appends the END of a call. Without room for all of it: an error's kind and place, or nothing but the status.
///
/// # Safety
/// The interpreter lock is held, the thread is this one, joined to the call's run and busy; an exception is set where
/// the outcome says so, and is put back as it was.
#[inline]
pub(super) unsafe fn append_end(thread: &mut ThreadRecorder, ending: &Ending<'_>, outcome: Outcome) -> Appended {
    let mut scratch = std::mem::take(&mut thread.scratch);
    match outcome {
        Outcome::Returned(result) => {
            ending.begin(&mut scratch, Status::Ok);
            // SAFETY: the caller holds the result.
            unsafe { Capture::new(&mut scratch, ending.policy).value(result) };
        }
        Outcome::Bare(status) => ending.begin(&mut scratch, status),
        // SAFETY: passed on.
        Outcome::Raised => unsafe { write_failed_end(&mut scratch, ending) },
    }
    let mut appended = thread.append_end(&scratch, thread.open * END_ROOM);
    if matches!(appended, Appended::Full) {
        // SAFETY: passed on.
        appended = unsafe { append_less(thread, &mut scratch, ending, outcome) };
    }
    thread.scratch = scratch;
    appended
}

/// # Safety
/// As [`append_end`].
#[cold]
unsafe fn append_less(
    thread: &mut ThreadRecorder,
    scratch: &mut Vec<u8>,
    ending: &Ending<'_>,
    outcome: Outcome,
) -> Appended {
    let reserve = thread.open * END_ROOM;
    // SAFETY: passed on.
    let status = unsafe { ending.status(outcome) };
    ending.begin_again(scratch, status);
    if matches!(outcome, Outcome::Raised) && status != Status::Closed {
        // SAFETY: passed on.
        unsafe { with_raised(|raised| write_bare_failure_of(raised, scratch, ending.policy)) };
        if matches!(thread.append_end(scratch, reserve), Appended::Yes) {
            return Appended::Yes;
        }
        if status == Status::Error {
            // SAFETY: passed on.
            unsafe { count_lost(thread, ending.slot, ending.policy) };
        }
        ending.begin_again(scratch, status);
    }
    thread.append_end(scratch, reserve)
}

/// Writes the END of a call that raised.
///
/// # Safety
/// As [`append_end`].
#[cold]
unsafe fn write_failed_end(scratch: &mut Vec<u8>, ending: &Ending<'_>) {
    // SAFETY: passed on.
    let status = unsafe { ending.status(Outcome::Raised) };
    ending.begin_again(scratch, status);
    if status == Status::Closed {
        return;
    }
    let whole = scratch.len();
    // SAFETY: passed on.
    let written = unsafe { with_raised(|raised| write_failure_of(raised, scratch, ending.policy)) };
    if !written {
        scratch.truncate(whole);
    }
}

/// Whether an exception's type is the one by which asyncio or trio cancels.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
unsafe fn is_cancellation(kind: *mut PyObject) -> bool {
    // SAFETY: borrowed references are used at once; looking into modules' dicts and comparing types runs no code.
    unsafe {
        [(c"asyncio.exceptions", c"CancelledError"), (c"trio", c"Cancelled")].iter().any(|(module, name)| {
            let module = ffi::PyDict_GetItemString(ffi::PyImport_GetModuleDict(), module.as_ptr());
            if module.is_null() || ffi::PyModule_Check(module) == 0 {
                return false;
            }
            let cancelled = ffi::PyDict_GetItemString(ffi::PyModule_GetDict(module), name.as_ptr());
            !cancelled.is_null() && ffi::PyErr_GivenExceptionMatches(kind, cancelled) != 0
        })
    }
}

/// Runs `write` on the exception that is set, and puts it back unchanged; false when it could not be written.
///
/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn with_raised(write: impl FnOnce(&Raised)) -> bool {
    // SAFETY: passed on; what the capture may raise is cleared before the exception returns.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            return false;
        }
        let raised = Raised::take();
        let written = contain(false, || {
            write(&raised);
            true
        });
        if !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
        }
        raised.put_back();
        written
    }
}

/// An END for which there was no room when its body ended: a suspended body keeps none in any segment.
struct Owed {
    generation: u32,
    id: u64,
    slot: u32,
    ended: u64,
    status: Status,
    certain: bool,
    active_ns: u64,
    yields: Option<u64>,
}

/// ENDs kept until the journal has room: 4 MiB of memory at most.
const MOST_OWED: usize = 65_536;

static OWED: Guarded<Vec<Owed>> = Guarded::new(Vec::new());

/// Keeps an END's status for later; what it returned or raised is given up.
///
/// # Safety
/// The interpreter lock is held.
#[cold]
pub(super) unsafe fn owe(generation: u32, ending: &Ending<'_>, status: Status) {
    let (active_ns, yields) =
        ending.activity.as_ref().map_or((0, None), |activity| (activity.active_ns, activity.yields));
    let (id, slot, ended, certain) = (ending.id, ending.slot, ending.ended, ending.is_certain(status));
    let owed = Owed { generation, id, slot, ended, status, certain, active_ns, yields };
    // SAFETY: the lock is held, and nothing here calls the interpreter.
    let all = unsafe { &mut *OWED.get() };
    if all.len() < MOST_OWED && all.try_reserve(1).is_ok() {
        all.push(owed);
    } else {
        runtime::note_fault();
    }
}

/// Whether ENDs wait for room.
///
/// # Safety
/// The interpreter lock is held.
#[inline]
pub(super) unsafe fn owes() -> bool {
    // SAFETY: as in `owe`.
    unsafe { !(*OWED.get()).is_empty() }
}

/// Appends the ENDs that wait, as many as there is room for.
///
/// # Safety
/// The interpreter lock is held and the thread is this one, joined to the current run and not busy.
#[cold]
pub(super) unsafe fn pay(thread: &mut ThreadRecorder) {
    // SAFETY: as in `owe`; appending calls nothing of the interpreter.
    let all = unsafe { &mut *OWED.get() };
    let mut frame = Vec::with_capacity(64);
    while let Some(owed) = all.pop() {
        if owed.generation != thread.generation {
            continue;
        }
        let activity = Activity { active_ns: owed.active_ns, yields: owed.yields, task: "" };
        let Owed { id, ended, slot: function, status, certain, .. } = owed;
        begin_suspended_end(&mut frame, &EndHead { id, ended, function, status, certain }, &activity);
        if matches!(thread.append_end(&frame, thread.open * END_ROOM), Appended::Full) {
            all.push(owed);
            return;
        }
    }
}

/// Appends the ENDs that wait, from whichever thread has come by.
pub(crate) fn pay_owed(_py: Python<'_>) {
    // SAFETY: the thread's own recording, with the lock held, as the argument proves.
    unsafe {
        let thread = runtime::this_thread();
        if owes() && !(*thread).busy && runtime::is_or_gets_joined(thread) {
            pay(&mut *thread);
        }
    }
}
