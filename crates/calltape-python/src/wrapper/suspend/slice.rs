//! A slice of a body: from being given control to giving it back.

use std::ptr;
use std::rc::Rc;

use calltape_engine::sampling::Decision;
use calltape_record::{Activity, Status};
use calltape_redact::{Extent, Names, masked, may_hold_secret};
use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::kinds::{COROUTINE, subtype_for, switch};
use super::table::{self, Suspended};
use crate::runtime::{self, Appended, Scope, ThreadRecorder, context};
use crate::wrapper::arguments::write_arguments_of_body;
use crate::wrapper::call::Call;
use crate::wrapper::end::{Ending, Outcome, append_end, owe, owes, pay};
use crate::wrapper::missing::{Ended, Id, count_only, end_seldom};
use crate::wrapper::plan::{Missing, Plan};

/// What is put back when the body gives control back. It stands in a place of the caller's, as a call does.
pub(super) struct Slice {
    /// Whether anything of this slice is recorded.
    seen: bool,
    thread: *mut ThreadRecorder,
    /// The run that `outer` and `outer_task` belong to.
    generation: u32,
    outer: Scope,
    outer_task: *mut PyObject,
    /// CLOCK_MONOTONIC ns.
    began: u64,
    had_begun: bool,
    /// Found in this slice, with which the body begins; owned, or null.
    new_task: *mut PyObject,
}

/// How a slice ends.
#[derive(Clone, Copy)]
pub(super) enum After {
    /// The body waits for something, or gives out an item.
    Suspended { yielded: bool },
    /// The interpreter did not let the body run.
    Refused,
    /// The body is over.
    Ended(Outcome),
    /// The body is over because it was closed.
    Closed,
}

/// Whether an object is of a kind whose body runs later.
///
/// # Safety
/// `object` is null or live.
#[inline]
pub(in crate::wrapper) unsafe fn is_suspended_object(object: *mut PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { !object.is_null() && !subtype_for(object).is_null() }
}

/// Puts a new object's call into the table and the object under its subtype; `scope` is the place inside the call. False,
/// and nothing is changed, where there is no memory.
///
/// # Safety
/// `object` is one that [`is_suspended_object`] says yes to, new, and made by a call of the plan's function in the
/// plan's run; `plan` is an [`Rc`] as a pointer, and live; the interpreter lock is held.
#[inline]
pub(in crate::wrapper) unsafe fn hand_over(
    object: *mut PyObject,
    plan: *const Plan,
    call: &Call,
    scope: Scope,
) -> bool {
    // SAFETY: passed on.
    unsafe { enter_table(object, plan, call.decision != Decision::UNDECIDED, suspended(&*plan, call, scope)) }
}

/// As [`hand_over`], of a call without a START.
///
/// # Safety
/// As there; the call was begun on this thread.
#[inline(never)]
pub(in crate::wrapper) unsafe fn hand_over_missing(
    object: *mut PyObject,
    plan: *const Plan,
    call: &Call,
    missing: Missing,
) -> bool {
    // SAFETY: passed on.
    unsafe {
        let around = if call.outer.is_outside() { context::inherited() } else { call.outer };
        let scope = if missing == Missing::LeftOut { around.left_out() } else { around };
        // Its body may run for long: it has an id of now, should it need one.
        let id = (*call.thread).claim_id(call.id, call.started);
        enter_table(object, plan, true, Suspended { id, missing: Some(missing), ..suspended(&*plan, call, scope) })
    }
}

fn suspended(plan: &Plan, call: &Call, scope: Scope) -> Suspended {
    Suspended {
        id: call.id,
        scope,
        started: call.started,
        active_ns: 0,
        yields: 0,
        plan: None,
        task: ptr::null_mut(),
        generation: plan.generation.get(),
        slot: plan.slot.get(),
        policy: plan.policy(),
        capture_result: plan.capture_result,
        missing: None,
        begun: false,
        awaited: false,
    }
}

/// # Safety
/// As [`hand_over`].
#[inline]
unsafe fn enter_table(object: *mut PyObject, plan: *const Plan, keeps_plan: bool, mut call: Suspended) -> bool {
    // SAFETY: passed on.
    unsafe {
        if keeps_plan {
            Rc::increment_strong_count(plan);
            call.plan = Some(Rc::from_raw(plan));
        }
        let entered = table::insert(object, call);
        if entered {
            switch(object, subtype_for(object));
        }
        entered
    }
}

impl Slice {
    /// A place for a slice.
    #[inline]
    pub(super) const fn unseen() -> Self {
        Self {
            seen: false,
            thread: ptr::null_mut(),
            generation: runtime::NEVER,
            outer: Scope::OUTSIDE,
            outer_task: ptr::null_mut(),
            began: 0,
            had_begun: false,
            new_task: ptr::null_mut(),
        }
    }
}

/// Gives control to the body of an object: its call becomes current, and `slice` knows how to undo that; [`give_back`] must
/// follow. `begins` is false for what does not let a body begin: closing.
///
/// # Safety
/// `object` is live and of a subtype, the interpreter lock held; no exception is set if `begins`.
#[inline]
pub(super) unsafe fn resume(object: *mut PyObject, begins: bool, slice: &mut Slice) {
    // SAFETY: the thread's own recording; nothing of it or of the table is referred to across a call.
    unsafe {
        switch(object, (*ffi::Py_TYPE(object)).tp_base);
        let thread = runtime::this_thread();
        if (*thread).busy {
            return;
        }
        let generation = runtime::generation();
        if !runtime::is_or_gets_joined(thread) {
            return;
        }
        let outer = (*thread).scope;
        let mut own = generation;
        let known = table::update(object, |call| {
            own = call.generation;
            slice.had_begun = call.begun;
            call.begun |= begins;
            if call.missing != Some(Missing::Dropped) {
                // A dropped call decides nothing, and is nobody's parent.
                (*thread).scope = call.scope;
            }
            slice.outer_task = std::mem::replace(&mut (*thread).task, call.task);
        });
        if known.is_none() {
            return;
        }
        slice.seen = true;
        slice.thread = thread;
        slice.generation = generation;
        slice.outer = outer;
        if own != generation {
            (*thread).scope = outer;
            (*thread).task = slice.outer_task;
            slice.seen = false;
            return forget(object);
        }
        if !slice.had_begun && begins {
            slice.new_task = find_task(thread, slice.outer_task);
            (*thread).task = slice.new_task;
        }
        slice.began = (*thread).now();
    }
}

/// The name of the task that a body begins in, owned: that of the body around it, if there is one, which runs in the same
/// task.
///
/// # Safety
/// As [`resume`].
#[inline]
unsafe fn find_task(thread: *mut ThreadRecorder, around: *mut PyObject) -> *mut PyObject {
    // SAFETY: the thread's task name is held by the record of the body that runs. The text is asked for once here, where
    // an exception does no harm; afterwards the str has it at hand.
    unsafe {
        let mut task = around;
        if task.is_null() {
            (*thread).busy = true;
            task = runtime::current_task_name();
            (*thread).busy = false;
        } else {
            ffi::Py_INCREF(task);
        }
        if !task.is_null() && ffi::PyUnicode_AsUTF8AndSize(task, ptr::null_mut()).is_null() {
            ffi::PyErr_Clear();
            ffi::Py_DECREF(task);
            return ptr::null_mut();
        }
        if may_hold_secret(text_of(task).as_bytes()) { without_secrets(task) } else { task }
    }
}

/// A task's name, masked. Takes the reference over and returns one, or null.
///
/// # Safety
/// As [`text_of`], for no null.
#[cold]
unsafe fn without_secrets(task: *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on; an ASCII or short str that was just made has its text at hand once it was asked for.
    unsafe {
        let text = masked(text_of(task), Extent::Whole, Names::defaults());
        let made = ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len() as isize);
        let is_there = !made.is_null() && !ffi::PyUnicode_AsUTF8AndSize(made, ptr::null_mut()).is_null();
        drop(text);
        ffi::Py_DECREF(task);
        if is_there {
            return made;
        }
        ffi::PyErr_Clear();
        ffi::Py_XDECREF(made);
        ptr::null_mut()
    }
}

/// Takes control back: the call that was current before is so again.
///
/// # Safety
/// `slice` is what [`resume`] filled for the object on this thread, `kind` the type that the object had before; the
/// interpreter lock is held, and an exception is set where `after` says so.
#[inline]
pub(super) unsafe fn give_back(object: *mut PyObject, kind: *mut PyTypeObject, slice: &Slice, after: After) {
    // SAFETY: as in `resume`.
    unsafe {
        if !slice.seen {
            return give_back_unseen(object, kind, after);
        }
        let thread = slice.thread;
        let now = (*thread).now();
        let scope = std::mem::replace(&mut (*thread).scope, slice.outer);
        (*thread).task = slice.outer_task;
        if (*thread).generation != slice.generation {
            // The thread has joined another run meanwhile: what ran around the body is no place there.
            (*thread).leave_the_tree();
        }
        let passed = now.saturating_sub(slice.began);
        if matches!(after, After::Ended(_) | After::Closed) {
            let Some(mut call) = table::remove(object) else { return };
            call.active_ns += passed;
            if !slice.new_task.is_null() {
                call.task = slice.new_task;
            }
            return end(object, thread, now, call, after);
        }
        let remains = table::update(object, |call| {
            call.active_ns += passed;
            match after {
                After::Suspended { yielded } => call.yields += u64::from(yielded),
                _ => call.begun = slice.had_begun,
            }
            if !slice.new_task.is_null() {
                call.task = slice.new_task;
            }
            if call.missing != Some(Missing::Dropped) {
                call.scope = scope;
            }
        });
        if remains.is_some() {
            switch(object, kind);
        }
    }
}

/// Ends a call whose object is about to be freed, if it has not ended.
///
/// # Safety
/// As [`give_back`]; nothing else refers to the object any more.
pub(super) unsafe fn end_with_the_object(object: *mut PyObject) {
    // SAFETY: the thread's own recording.
    unsafe {
        let thread = runtime::this_thread();
        if (*thread).busy {
            give_back_unseen(object, ptr::null_mut(), After::Closed);
        } else if let Some(call) = table::remove(object) {
            let now = (*thread).now();
            end(object, thread, now, call, After::Closed);
        }
    }
}

/// Without a slice: the thread is in calltape's own code, or the run is another.
///
/// # Safety
/// As [`give_back`].
#[cold]
unsafe fn give_back_unseen(object: *mut PyObject, kind: *mut PyTypeObject, after: After) {
    // SAFETY: passed on. The entry of another run is gone already.
    unsafe {
        if !matches!(after, After::Ended(_) | After::Closed) {
            if table::update(object, |_| ()).is_some() {
                switch(object, kind);
            }
        } else if let Some(call) = table::remove(object) {
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
}

/// Writes the END of a call that was taken out of the table.
///
/// # Safety
/// As [`give_back`]; the thread is this one and not busy.
#[inline]
unsafe fn end(object: *mut PyObject, thread: *mut ThreadRecorder, now: u64, call: Suspended, after: After) {
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
unsafe fn text_of<'a>(name: *mut PyObject) -> &'a str {
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

/// Takes the call of an ended run out of the table: its END has no place any more.
///
/// # Safety
/// The interpreter lock is held.
#[cold]
unsafe fn forget(object: *mut PyObject) {
    // SAFETY: passed on.
    unsafe {
        if let Some(call) = table::remove(object) {
            ffi::Py_XDECREF(call.task);
        }
    }
}
