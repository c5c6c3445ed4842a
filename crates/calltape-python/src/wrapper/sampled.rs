//! The beginning of a call for which something is decided: by its function's sampling, by the tree it is made in, or by a
//! journal that fills.
//!
//! Called by `enter` for those calls alone. Runs none of the program's code but what capture may run.

use calltape_engine::sampling::Decision;
use pyo3::ffi::PyObject;

use super::arguments::Given;
use super::call::{Call, Entered, Start, begin};
use super::plan::{Missing, Plan};
use crate::runtime::{self, Scope, ThreadRecorder, Undefined};

/// Counts a call that is left out, and has those below it left out too.
///
/// # Safety
/// As [`super::call::enter`]; the thread is joined to the plan's run.
#[inline]
pub(super) unsafe fn leave_out(plan: &Plan, thread: &mut ThreadRecorder, around: Scope, started: u64, call: &mut Call) {
    // SAFETY: passed on.
    unsafe { plan.count_call() };
    note(plan, thread, Decision::LEFT_OUT, started, call);
    thread.scope = around.left_out();
}

/// Begins a call that is kept if there is room for it.
///
/// # Safety
/// As [`super::call::enter`]; `thread` is joined to the plan's run.
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "in registers, as the caller has them")]
pub(super) unsafe fn begin_decided(
    plan: &Plan,
    thread: *mut ThreadRecorder,
    around: Scope,
    decision: Decision,
    mut started: u64,
    function: *mut PyObject,
    given: Given<'_>,
    call: &mut Call,
) -> Entered {
    // SAFETY: passed on: the thread's own recording, to which no reference is kept across other code.
    unsafe {
        if around == Scope::SUPPRESSED {
            return Entered::Passed;
        }
        if !(*thread).has_plenty() && (*thread).drops() {
            if !(*thread).wait_for_room() {
                return drop_call(plan, &mut *thread, decision, started, call);
            }
            started = (*thread).now();
        }
        let policy = (*thread).fitting(plan.policy());
        begin(plan, thread, Start { around, decision, started, policy }, function, given, call)
    }
}

/// Counts a call for which there is no room. Those below it are nobody's: they are made where it was made.
///
/// # Safety
/// As [`begin_decided`].
#[cold]
unsafe fn drop_call(
    plan: &Plan,
    thread: &mut ThreadRecorder,
    decision: Decision,
    started: u64,
    call: &mut Call,
) -> Entered {
    if plan.generation.get() != runtime::generation() {
        // The program ended the run while this call waited for room.
        return Entered::Passed;
    }
    // SAFETY: the plan is prepared for the current run.
    unsafe { plan.count_call() };
    note(plan, thread, decision, started, call);
    Entered::Missing(Missing::Dropped)
}

/// Counts a call of a function whose definition could not be written. Those below it are nobody's, as a dropped call's.
///
/// # Safety
/// As [`begin_decided`], save that the thread may be joined to another run.
#[cold]
pub(super) unsafe fn begin_undefined(
    plan: &Plan,
    thread: *mut ThreadRecorder,
    undefined: &Undefined,
    call: &mut Call,
) -> Entered {
    // SAFETY: passed on: the thread's own recording.
    unsafe {
        let is_there = undefined.generation == runtime::generation() && runtime::is_or_gets_joined(thread);
        if !is_there || (*thread).generation != undefined.generation || (*thread).scope == Scope::SUPPRESSED {
            return Entered::Passed;
        }
        plan.meet(undefined.policy);
        runtime::count_undefined_call();
        let started = (*thread).now();
        note(plan, &mut *thread, Decision::UNDECIDED, started, call);
    }
    call.generation = undefined.generation;
    Entered::Missing(Missing::Undefined)
}

/// Notes of a call without a START what its end needs.
#[inline]
fn note(plan: &Plan, thread: &mut ThreadRecorder, decision: Decision, started: u64, call: &mut Call) {
    call.id = thread.peek_id(started);
    call.outer = thread.scope;
    call.started = started;
    call.generation = plan.generation.get();
    call.decision = decision;
    call.thread = thread;
}
