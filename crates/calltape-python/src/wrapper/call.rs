//! One call's way in and out: the hot path.
//!
//! ```text
//! enter   sampling, clock, arguments -> START in the journal, this call becomes the thread's current one
//! (the function)
//! leave   clock, result or failure -> END in the journal, the caller becomes current again
//! ```
//!
//! `enter` and `leave` know nothing of how the call was intercepted, and run none of the program's code. While they
//! run, `ThreadRecorder::busy` is set: a finaliser that an allocation may trigger, and that calls a monitored function,
//! is passed through and counted as re-entry.

use std::ptr;

use calltape_record::{StartHead, Status, begin_start};
use pyo3::ffi::{self, PyObject};

use super::arguments::{Given, write_arguments};
use super::end::{Ending, Outcome, append_end};
use super::object::Monitored;
use super::partial::write_partial_arguments;
use super::plan::Plan;
use super::recursion;
use super::suspend;
use super::trampoline::contain;
use crate::capture::Capture;
use crate::runtime::{self, Appended, END_ROOM, Scope, ThreadRecorder, context};

/// What `enter` decided.
#[derive(Clone, Copy)]
pub(super) enum Entered {
    /// Not recorded: off, sampled out, or a re-entry.
    Passed,
    /// Counted, its START did not fit.
    Dropped,
    /// Its START is in the journal, and the call's place holds it.
    Recording,
}

/// A recorded call while its function runs.
///
/// It stands in a place of the caller's, field by field: returned as a whole it would be copied in larger pieces than it
/// was written in, which waits for the stores (9 ns).
pub(super) struct Call {
    id: u64,
    /// The thread's scope before this call.
    pub(super) outer: Scope,
    generation: u32,
    /// The thread that began it, and ends it.
    pub(super) thread: *mut ThreadRecorder,
}

impl Call {
    /// A place for a call.
    #[inline]
    pub(super) const fn nowhere() -> Self {
        Self { id: 0, outer: Scope::OUTSIDE, generation: 0, thread: ptr::null_mut() }
    }
}

/// The vectorcall of a monitored function. `SUSPENDS` where its call makes an object whose body runs later.
///
/// # Safety
/// As the protocol demands: `callable` is a live [`Monitored`], the arguments are live, the interpreter lock held.
pub(super) unsafe extern "C-unwind" fn vectorcall<const SUSPENDS: bool>(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    let monitored = callable.cast::<Monitored>();
    let mut call = Call::nowhere();
    let entered = contain(Entered::Passed, || {
        // SAFETY: the protocol gives this many positional arguments, then one value for each name.
        unsafe {
            let positional = ffi::PyVectorcall_NARGS(nargsf as _) as usize;
            let keywords = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) as usize };
            let given =
                Given { positional: slice(args, 0, positional), keywords: slice(args, positional, keywords), names };
            enter(&*(*monitored).plan, (*monitored).wrapped, given, &mut call)
        }
    });
    // SAFETY: the caller's arguments are handed on unchanged, and with them its promise about the slot before them.
    let result = unsafe { recursion::call((*monitored).wrapped, args, nargsf, names) };
    // SAFETY: the plan lives as long as the callable, which the caller holds.
    let plan = unsafe { &*(*monitored).plan };
    match entered {
        Entered::Passed => {}
        // SAFETY: the call was begun by this plan on this thread, just above.
        Entered::Recording => contain((), || unsafe {
            if !(SUSPENDS && suspend(plan, &call, result)) {
                leave(plan, &call, result);
            }
        }),
        // SAFETY: as above.
        Entered::Dropped => contain((), || unsafe {
            if !(SUSPENDS && suspend_dropped(plan, result)) {
                leave_dropped(plan, result);
            }
        }),
    }
    result
}

/// Leaves a call whose body runs later to the object that it made; false where it made none.
///
/// # Safety
/// As [`leave`].
#[inline]
unsafe fn suspend(plan: &Plan, call: &Call, object: *mut PyObject) -> bool {
    // SAFETY: passed on; making the object runs no code that could change the thread's scope.
    unsafe {
        let thread = call.thread;
        if call.generation != runtime::generation() || (*thread).generation != call.generation {
            return false;
        }
        if !suspend::is_suspended_object(object) || !suspend::hand_over(object, plan, (*thread).scope, false) {
            return false;
        }
        (*thread).scope = call.outer;
        (*thread).open -= 1;
        true
    }
}

/// As [`suspend`], for a call whose START found no room.
///
/// # Safety
/// As [`leave_dropped`].
#[cold]
unsafe fn suspend_dropped(plan: &Plan, object: *mut PyObject) -> bool {
    // SAFETY: passed on.
    unsafe {
        plan.generation.get() == runtime::generation()
            && suspend::is_suspended_object(object)
            && suspend::hand_over(object, plan, Scope::OUTSIDE, true)
    }
}

/// # Safety
/// `args` holds at least `from + count` live objects.
#[inline]
unsafe fn slice<'a>(args: *const *mut PyObject, from: usize, count: usize) -> &'a [*mut PyObject] {
    if count == 0 {
        return &[];
    }
    // SAFETY: passed on.
    unsafe { std::slice::from_raw_parts(args.add(from), count) }
}

/// Begins a call.
///
/// # Safety
/// The interpreter lock is held; `given` and `function` are live.
#[inline]
pub(super) unsafe fn enter(plan: &Plan, function: *mut PyObject, given: Given<'_>, call: &mut Call) -> Entered {
    let thread = runtime::this_thread();
    // SAFETY: `thread` is this thread's own, and the lock is held; no reference to it is kept across other code.
    unsafe {
        if (*thread).busy {
            runtime::note_reentry();
            return Entered::Passed;
        }
        let generation = runtime::generation();
        if plan.generation.get() != generation && (generation == runtime::OFF || !prepare(plan, thread)) {
            return Entered::Passed;
        }
        let mut scope = (*thread).scope_in(plan.generation.get());
        if scope.is_outside() {
            scope = context::inherited();
        }
        if scope == Scope::SUPPRESSED {
            return Entered::Passed;
        }
        if !plan.keeps_all() && u64::from((*thread).random()) >= plan.keep_below {
            plan.count_sampled_out();
            return Entered::Passed;
        }
        if (*thread).generation != plan.generation.get() && !runtime::attach(thread) {
            return drop_call(plan);
        }
        (*thread).busy = true;
        let entered = begin(plan, &mut *thread, scope, function, given, call);
        (*thread).busy = false;
        entered
    }
}

/// Writes the START of a call that `around` made, and makes it current.
///
/// # Safety
/// As [`enter`]; `thread` is attached to the plan's run.
#[inline]
unsafe fn begin(
    plan: &Plan,
    thread: &mut ThreadRecorder,
    around: Scope,
    function: *mut PyObject,
    given: Given<'_>,
    call: &mut Call,
) -> Entered {
    let started = thread.now();
    let id = thread.next_id(started);
    let root = if around.is_outside() { id } else { around.root };
    let head = StartHead { id, parent: around.call, root, started, function: plan.slot.get(), weight: plan.weight };
    let mut scratch = std::mem::take(&mut thread.scratch);
    begin_start(&mut scratch, &head);
    if plan.capture_arguments {
        let mut capture = Capture::new(&mut scratch, plan.policy());
        // SAFETY: passed on.
        unsafe {
            if plan.is_partial {
                write_partial_arguments(&mut capture, &plan.parameters, given, function);
            } else {
                write_arguments(&mut capture, &plan.parameters, given, function);
            }
        }
    }
    let appended = thread.append_start(&scratch, (thread.open + 1) * END_ROOM);
    thread.scratch = scratch;
    if matches!(appended, Appended::Full) {
        // SAFETY: passed on.
        return unsafe { drop_call(plan) };
    }
    // SAFETY: the plan is prepared for the thread's run, into whose journal the START just went.
    unsafe { plan.count_call() };
    call.id = id;
    call.outer = std::mem::replace(&mut thread.scope, Scope { call: id, root });
    call.generation = plan.generation.get();
    call.thread = thread;
    thread.open += 1;
    Entered::Recording
}

/// Ends a call: `result` is null when it raised.
///
/// # Safety
/// As [`enter`]; `call` is the one begun by this plan on this thread.
#[inline]
unsafe fn leave(plan: &Plan, call: &Call, result: *mut PyObject) {
    let thread = call.thread;
    // SAFETY: as in `enter`; a call ends on the thread that began it.
    unsafe {
        if call.generation != runtime::generation() || (*thread).generation != call.generation {
            (*thread).forget_calls();
            return;
        }
        let was_busy = std::mem::replace(&mut (*thread).busy, true);
        let thread = &mut *thread;
        let ended = thread.now();
        thread.scope = call.outer;
        thread.open -= 1;
        let outcome = match plan.capture_result {
            _ if result.is_null() => Outcome::Raised,
            true => Outcome::Returned(result),
            false => Outcome::Bare(Status::Ok),
        };
        let ending = Ending { id: call.id, slot: plan.slot.get(), ended, policy: plan.policy(), activity: None };
        let appended = append_end(thread, &ending, outcome);
        if matches!(appended, Appended::Full) && thread.generation == call.generation {
            // Room for this was kept since the START, in a run that the program has not ended meanwhile.
            runtime::note_fault();
        }
        thread.busy = was_busy;
    }
}

/// Makes a plan ready for the current run: starts one where none is, and gives the function its number.
///
/// # Safety
/// As [`enter`].
#[cold]
unsafe fn prepare(plan: &Plan, thread: *mut ThreadRecorder) -> bool {
    // SAFETY: as in `enter`; starting may run the program's code (log handlers), which is passed through meanwhile.
    unsafe {
        (*thread).busy = true;
        let defined = contain(None, || runtime::define(&plan.definition, &plan.own_policy.sensitive_fields));
        (*thread).busy = false;
        let Some(defined) = defined else { return false };
        plan.generation.set(defined.generation);
        plan.slot.set(defined.slot);
        plan.counters.set(defined.counters);
        plan.meet(defined.policy);
        true
    }
}

/// # Safety
/// The interpreter lock is held.
#[cold]
unsafe fn drop_call(plan: &Plan) -> Entered {
    if plan.generation.get() == runtime::generation() {
        // SAFETY: the plan is prepared for the current run.
        unsafe { plan.count_dropped() };
    }
    Entered::Dropped
}

/// # Safety
/// As [`leave`].
#[cold]
unsafe fn leave_dropped(plan: &Plan, result: *mut PyObject) {
    if result.is_null() && plan.generation.get() == runtime::generation() {
        // SAFETY: the plan is prepared for the current run.
        unsafe { plan.count_dropped_error() };
    }
}
