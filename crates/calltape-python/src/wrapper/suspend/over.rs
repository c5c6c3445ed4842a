//! The end of a call whose body is over: its END, or what stands for it where it has no START.
//!
//! Called by `slice.rs` with the entry that it has taken out of the table.

use calltape_record::{Activity, Status};
use pyo3::ffi::{self, PyObject};

use super::kinds::COROUTINE;
use super::slice::After;
use super::table::Suspended;
use crate::runtime::{self, Appended, ThreadRecorder};
use crate::wrapper::arguments::write_arguments_of_body;
use crate::wrapper::end::{Ending, Outcome, append_end, owe, owes, pay};
use crate::wrapper::missing::{Ended, Id, count_only, end_seldom};

/// Writes the END of a call that was taken out of the table.
///
/// # Safety
/// As [`give_back`]; the thread is this one and not busy.
#[inline]
pub(super) unsafe fn end(object: *mut PyObject, thread: *mut ThreadRecorder, now: u64, call: Suspended, after: After) {
    // SAFETY: as in `resume`; the counters belong to the current run's journal.
    unsafe {
        let outcome = outcome_of(&call, after);
        // Of an ended run nothing is said any more.
        if call.generation == runtime::generation() && runtime::is_or_gets_joined(thread) {
            let ending = ending_of(&call, kind_yields(object), now);
            if call.missing.is_some() {
                end_missing(object, thread, &call, &ending, outcome);
            } else {
                write(thread, call.generation, &ending, outcome);
            }
        }
        ffi::Py_XDECREF(call.task);
    }
}

/// As [`end`], without a slice: the thread is in calltape's own code, or the run is another. Nothing is recorded now.
///
/// # Safety
/// As [`end`].
#[cold]
pub(super) unsafe fn end_unseen(object: *mut PyObject, call: Suspended, after: After) {
    // SAFETY: passed on.
    unsafe {
        if call.generation == runtime::generation() {
            let outcome = outcome_of(&call, after);
            let ending = ending_of(&call, kind_yields(object), calltape_journal::monotonic_ns());
            if call.missing.is_some() {
                end_missing(object, runtime::this_thread(), &call, &ending, outcome);
            } else {
                owe(call.generation, &ending, ending.status(outcome));
            }
        }
        ffi::Py_XDECREF(call.task);
    }
}

/// Ends a call without a START.
///
/// # Safety
/// As [`end`], save that the thread may be busy: then nothing is recorded.
unsafe fn end_missing(
    object: *mut PyObject,
    thread: *mut ThreadRecorder,
    call: &Suspended,
    ending: &Ending<'_>,
    outcome: Outcome,
) {
    let (Some(plan), Some(missing)) = (&call.plan, call.missing) else { return };
    // SAFETY: passed on; the arguments are read while the exception is aside, which holds the frame.
    unsafe {
        let (id, started, ended) = (Id::Taken(call.id), call.started, ending.ended);
        let over = Ended { plan, missing, id, around: call.scope, started, ended, activity: ending.activity };
        if (*thread).busy || (*thread).generation != call.generation {
            return count_only(&*thread, &over, outcome);
        }
        end_seldom(thread, &over, outcome, |raised, policy, out| {
            if let Some(raised) = raised {
                write_arguments_of_body(object, raised, plan, policy, out);
            }
        });
    }
}

/// # Safety
/// As [`end`].
#[inline]
unsafe fn write(thread: *mut ThreadRecorder, generation: u32, ending: &Ending<'_>, outcome: Outcome) {
    // SAFETY: as in `end`.
    unsafe {
        if owes() {
            pay(&mut *thread);
        }
        (*thread).busy = true;
        let fitting = Ending { policy: (*thread).fitting(ending.policy), ..*ending };
        let appended = append_end(&mut *thread, &fitting, outcome);
        (*thread).busy = false;
        if matches!(appended, Appended::Full) {
            owe(generation, ending, ending.status(outcome));
        }
    }
}

fn outcome_of(call: &Suspended, after: After) -> Outcome {
    match after {
        After::Ended(Outcome::Returned(_)) if !call.capture_result => Outcome::Bare(Status::Ok),
        After::Ended(outcome) => outcome,
        _ if call.begun => Outcome::Bare(Status::Closed),
        _ => Outcome::Bare(Status::Abandoned),
    }
}

/// # Safety
/// `call.task` is null or a live str whose text is at hand.
unsafe fn ending_of(call: &Suspended, yields: bool, ended: u64) -> Ending<'_> {
    // SAFETY: passed on; the text lives as long as the str, which the call holds.
    let task = unsafe { text_of(call.task) };
    // Of a body that never began, only the interpreter's own work was seen: its warning, the object's end.
    let active_ns = if call.begun { call.active_ns } else { 0 };
    let activity = Activity { active_ns, yields: yields.then_some(call.yields), task };
    let took = ended.saturating_sub(call.started);
    Ending {
        id: call.id,
        slot: call.slot,
        ended,
        policy: call.policy,
        activity: Some(activity),
        weighted: call.plan.is_some(),
        slow: call.plan.as_ref().is_some_and(|plan| took >= plan.slow_ns),
    }
}

/// # Safety
/// As [`ending_of`].
pub(super) unsafe fn text_of<'a>(name: *mut PyObject) -> &'a str {
    if name.is_null() {
        return "";
    }
    // SAFETY: passed on; the interpreter's text is UTF-8 of the length it says.
    unsafe {
        let mut length = 0;
        let text = ffi::PyUnicode_AsUTF8AndSize(name, &raw mut length);
        std::str::from_utf8_unchecked(std::slice::from_raw_parts(text.cast(), length as usize))
    }
}

/// Whether a body gives out items.
///
/// # Safety
/// `object` is live, or being freed.
#[inline]
unsafe fn kind_yields(object: *mut PyObject) -> bool {
    // SAFETY: passed on.
    let kind = unsafe { ffi::Py_TYPE(object) };
    kind != &raw mut ffi::PyCoro_Type && kind != COROUTINE.as_type()
}
