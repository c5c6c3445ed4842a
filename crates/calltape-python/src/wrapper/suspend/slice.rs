//! A slice of a body: from being given control to giving it back.

use std::ptr;

use calltape_redact::{Extent, Names, masked, may_hold_secret};
use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::kinds::switch;
use super::over::{end, end_unseen, text_of};
use super::table;
use crate::runtime::{self, Scope, ThreadRecorder};
use crate::wrapper::end::Outcome;
use crate::wrapper::plan::Missing;

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
            if call.missing.is_none_or(Missing::is_decided) {
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
            if call.missing.is_none_or(Missing::is_decided) {
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
            end_unseen(object, call, after);
        }
    }
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
