//! The end of a call that has no START: counted and timed, or recorded after all where it raised or was slow.
//!
//! Called at the end of calls, blocks and bodies that sampling left out or for which there was no room. What is recorded
//! so late has its arguments taken now, which the tape says; it stands for itself alone, and its parent is the innermost
//! recorded call around it. An error for which there is no room either is counted by its kind.

use calltape_record::{Activity, StartHead, Status, begin_start};
use pyo3::ffi::PyObject;

use super::arguments::{Given, capture_arguments};
use super::call::{Call, is_current_missing};
use super::end::{Ending, Outcome, append_end, status_of, with_raised};
use super::plan::{Missing, Plan};
use crate::capture::{Policy, Raised, kind_of};
use crate::runtime::{self, Appended, END_ROOM, Scope, ThreadRecorder, context};

/// A call without a START that is over.
pub(super) struct Ended<'a> {
    pub(super) plan: &'a Plan,
    pub(super) missing: Missing,
    /// The id seen at its beginning, or taken there.
    pub(super) id: Id,
    /// Where it was made.
    pub(super) around: Scope,
    pub(super) started: u64,
    pub(super) ended: u64,
    pub(super) activity: Option<Activity<'a>>,
}

/// The id of a call that did not need one.
#[derive(Clone, Copy)]
pub(super) enum Id {
    /// Seen at its beginning on this thread; somebody may have taken it since.
    Seen(u64),
    /// Taken at its beginning.
    Taken(u64),
}

impl Ended<'_> {
    fn took(&self) -> u64 {
        self.ended.saturating_sub(self.started)
    }
}

/// Ends a call of a function: `result` is null when it raised.
///
/// # Safety
/// As [`super::call::enter`]; `call` is the one begun by this plan on this thread, and `given` says what it was given, still
/// live, and the function.
#[inline]
pub(super) unsafe fn leave_missing<'a>(
    plan: &Plan,
    call: &Call,
    missing: Missing,
    result: *mut PyObject,
    given: impl FnOnce() -> (Given<'a>, *mut PyObject),
) {
    // SAFETY: as in `enter`; a call ends on the thread that began it.
    unsafe {
        let thread = call.thread;
        if !is_current_missing(call, plan, missing) {
            (*thread).forget_calls();
            return;
        }
        let ended = (*thread).now();
        (*thread).scope = call.outer;
        let took = ended.saturating_sub(call.started);
        if !result.is_null() && took < plan.slow_ns {
            return plan.count_missing(missing, &*thread, took);
        }
        let around = if call.outer.is_outside() { context::inherited() } else { call.outer };
        let id = Id::Seen(call.id);
        let over = Ended { plan, missing, id, around, started: call.started, ended, activity: None };
        end_seldom(thread, &over, outcome_of(plan, result), |_, policy, out| {
            let (given, function) = given();
            capture_late_arguments(plan, policy, given, function, out);
        });
    }
}

/// # Safety
/// As [`capture_arguments`].
#[inline(never)]
pub(super) unsafe fn capture_late_arguments(
    plan: &Plan,
    policy: &'static Policy,
    given: Given<'_>,
    function: *mut PyObject,
    out: &mut Vec<u8>,
) {
    // SAFETY: passed on.
    unsafe { capture_arguments(plan, policy, given, function, out) };
}

/// How a call of a function ended.
pub(super) fn outcome_of(plan: &Plan, result: *mut PyObject) -> Outcome {
    match plan.capture_result {
        _ if result.is_null() => Outcome::Raised,
        true => Outcome::Returned(result),
        false => Outcome::Bare(Status::Ok),
    }
}

/// Ends a call that raised or was slow, or that nobody has looked at yet: it is recorded after all, or counted.
/// `arguments` captures what it was called with; it is given the exception that is aside meanwhile.
///
/// # Safety
/// The interpreter lock is held, the thread is this one and joined to the plan's run, which is the current one; an
/// exception is set where the outcome says so, and is put back as it was.
#[cold]
#[inline(never)]
pub(super) unsafe fn end_seldom(
    thread: *mut ThreadRecorder,
    over: &Ended<'_>,
    outcome: Outcome,
    arguments: impl FnOnce(Option<&Raised>, &'static Policy, &mut Vec<u8>),
) {
    // SAFETY: passed on.
    unsafe {
        let status = status_of(outcome, over.activity.is_some());
        let is_error = status == Status::Error;
        let is_slow = over.took() >= over.plan.slow_ns;
        let was_busy = std::mem::replace(&mut (*thread).busy, true);
        let is_undefined = over.missing == Missing::Undefined;
        let is_stored = if is_undefined {
            false
        } else if is_error || is_slow && !(*thread).drops() {
            store(&mut *thread, over, outcome, is_error, arguments)
        } else {
            false
        };
        if !is_stored && (is_undefined || over.plan.generation.get() == runtime::generation()) {
            count(&*thread, over, is_error);
        }
        (*thread).busy = was_busy;
    }
}

/// Counts a call of which nothing can be recorded: calltape's own work ended it, or its run is another's.
///
/// # Safety
/// The interpreter lock is held, the thread is this one, and the plan's run is the current one; an exception is set where
/// the outcome says so, and is put back as it was.
#[cold]
pub(super) unsafe fn count_only(thread: &ThreadRecorder, over: &Ended<'_>, outcome: Outcome) {
    // SAFETY: passed on.
    unsafe { count(thread, over, status_of(outcome, over.activity.is_some()) == Status::Error) }
}

/// Counts and times a call that gets no record; one that raised as dropped, also by its kind.
///
/// # Safety
/// As [`end_seldom`], and an exception is set where it `is_error`.
unsafe fn count(thread: &ThreadRecorder, over: &Ended<'_>, is_error: bool) {
    let Ended { plan, missing, .. } = over;
    // SAFETY: passed on.
    unsafe {
        if is_error && *missing == Missing::Undefined {
            runtime::count_undefined_end(over.took(), true);
            count_lost(thread, 0, plan.policy());
        } else if is_error {
            plan.count_missing(Missing::Dropped, thread, over.took());
            plan.count_dropped_error();
            count_lost(thread, plan.slot.get(), plan.policy());
        } else {
            plan.count_missing(*missing, thread, over.took());
        }
    }
}

/// Counts the exception that is set by its kind.
///
/// # Safety
/// The interpreter lock is held, and an exception is set, which is put back as it was.
#[cold]
pub(super) unsafe fn count_lost(thread: &ThreadRecorder, slot: u32, policy: &'static Policy) {
    let Some(journal) = thread.journal(runtime::generation()) else { return };
    let count = |raised: &Raised| {
        // SAFETY: passed on.
        let (error_type, file, line, place) = unsafe { kind_of(raised, policy) };
        journal.count_lost_error(slot, &error_type, &file, line, &place);
    };
    // SAFETY: passed on.
    unsafe { with_raised(count) };
}

/// Records a call that is over: START and END; false where there is no room.
///
/// # Safety
/// As [`end_seldom`]; the thread is busy.
unsafe fn store(
    thread: &mut ThreadRecorder,
    over: &Ended<'_>,
    outcome: Outcome,
    is_error: bool,
    arguments: impl FnOnce(Option<&Raised>, &'static Policy, &mut Vec<u8>),
) -> bool {
    let Ended { plan, around, started, ended, .. } = *over;
    let id = match over.id {
        Id::Seen(id) => thread.claim_id(id, ended),
        Id::Taken(id) => id,
    };
    let root = if around.root() == 0 { id } else { around.root() };
    let head = StartHead { id, parent: around.call(), root, started, function: plan.slot.get(), weight: 1.0 };
    let policy = thread.fitting(plan.policy());
    let mut scratch = std::mem::take(&mut thread.scratch);
    begin_start(&mut scratch, &head);
    let whole = scratch.len();
    // SAFETY: passed on; an exception that is set is aside while values are captured.
    unsafe {
        if matches!(outcome, Outcome::Raised) {
            if !with_raised(|raised| arguments(Some(raised), policy, &mut scratch)) {
                scratch.truncate(whole);
            }
        } else {
            arguments(None, policy, &mut scratch);
        }
    }
    let appended = thread.append_late_start(&scratch, (thread.open + 1) * END_ROOM, is_error);
    thread.scratch = scratch;
    if matches!(appended, Appended::Full) {
        return false;
    }
    let (slot, activity) = (plan.slot.get(), over.activity);
    let ending = Ending { id, slot, ended, policy, activity, weighted: false, slow: false };
    // SAFETY: passed on.
    if matches!(unsafe { append_end(thread, &ending, outcome) }, Appended::Full) {
        runtime::note_fault();
    }
    true
}
