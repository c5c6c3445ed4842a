//! One call's way in and out: the hot path.
//!
//! ```text
//! enter   sampling, clock, arguments -> START in the journal, this call becomes the thread's current one
//! (the function)
//! leave   clock, result or failure -> END in the journal, the caller becomes current again
//! ```
//!
//! Calls that are decided by sampling, or by a journal that fills, go through `sampled.rs`; those that get no START are
//! ended by `missing.rs`.
//!
//! `enter` and `leave` know nothing of how the call was intercepted, and run none of the program's code. While they
//! run, `ThreadRecorder::busy` is set: a finaliser that an allocation may trigger, and that calls a monitored function,
//! is passed through and counted as re-entry.

use std::ptr;

use calltape_engine::sampling::Decision;
use calltape_record::{StartHead, Status, begin_start};
use pyo3::ffi::PyObject;

use super::arguments::{Given, capture_arguments};
use super::end::{Ending, Outcome, append_end};
use super::missing::leave_missing;
use super::object::Monitored;
use super::plan::{Missing, Plan};
use super::recursion;
use super::sampled::{begin_decided, begin_undefined, leave_out};
use super::suspend;
use super::trampoline::contain;
use crate::capture::Policy;
use crate::runtime::{self, Appended, END_ROOM, Scope, ThreadRecorder, context};

/// What `enter` decided.
#[derive(Clone, Copy)]
pub(super) enum Entered {
    /// Not recorded and not counted: off, suppressed, or a re-entry.
    Passed,
    /// Counted; the call's place holds what its end needs to know.
    Missing(Missing),
    /// Its START is in the journal, and the call's place holds it.
    Recording,
}

/// A counted call while its function runs.
///
/// It stands in a place of the caller's, field by field: returned as a whole it would be copied in larger pieces than it
/// was written in, which waits for the stores (9 ns).
pub(super) struct Call {
    /// Of one without a START, the id that it will have should it be recorded after all.
    pub(super) id: u64,
    /// The thread's scope before this call.
    pub(super) outer: Scope,
    /// CLOCK_MONOTONIC ns.
    pub(super) started: u64,
    pub(super) generation: u32,
    /// What is decided for its tree.
    pub(super) decision: Decision,
    /// The thread that began it, and ends it.
    pub(super) thread: *mut ThreadRecorder,
}

impl Call {
    /// A place for a call.
    #[inline]
    pub(super) const fn nowhere() -> Self {
        Self {
            id: 0,
            outer: Scope::OUTSIDE,
            started: 0,
            generation: 0,
            decision: Decision::UNDECIDED,
            thread: ptr::null_mut(),
        }
    }

    /// Whether its run is still the current one, and its thread's.
    ///
    /// # Safety
    /// The call was begun on this thread.
    #[inline]
    pub(super) unsafe fn is_current(&self) -> bool {
        // SAFETY: passed on: the thread's own recording.
        self.generation == runtime::generation() && unsafe { (*self.thread).generation } == self.generation
    }

    /// Whether the same holds, and its plan is that run's.
    ///
    /// # Safety
    /// As [`Self::is_current`]; the plan began it.
    #[inline]
    pub(super) unsafe fn is_current_of(&self, plan: &Plan) -> bool {
        // SAFETY: passed on.
        let is_current = unsafe { self.is_current() };
        is_current && plan.is_in(self.generation)
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
    // SAFETY: the protocol gives live arguments; the plan lives as long as the callable, which the caller holds.
    let entered = contain(Entered::Passed, || unsafe {
        enter(&*(*monitored).plan, (*monitored).wrapped, Given::by_protocol(args, nargsf, names), &mut call)
    });
    // SAFETY: the caller's arguments are handed on unchanged, and with them its promise about the slot before them.
    let result = unsafe { recursion::call((*monitored).wrapped, args, nargsf, names) };
    // SAFETY: as above.
    let plan = unsafe { &*(*monitored).plan };
    match entered {
        Entered::Passed => {}
        // SAFETY: the call was begun by this plan on this thread, just above.
        Entered::Recording => contain((), || unsafe {
            if !(SUSPENDS && suspend((*monitored).plan, &call, result)) {
                leave(plan, &call, result);
            }
        }),
        // SAFETY: as above; the caller holds the arguments until this returns.
        Entered::Missing(missing) => contain((), || unsafe {
            if !(SUSPENDS && suspend_missing((*monitored).plan, &call, missing, result)) {
                leave_missing(plan, &call, missing, result, || {
                    (Given::by_protocol(args, nargsf, names), (*monitored).wrapped)
                });
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
unsafe fn suspend(plan: *const Plan, call: &Call, object: *mut PyObject) -> bool {
    // SAFETY: passed on; making the object runs no code that could change the thread's scope.
    unsafe {
        let thread = call.thread;
        if !call.is_current_of(&*plan) || !suspend::is_suspended_object(object) {
            return false;
        }
        if !suspend::hand_over(object, plan, call, (*thread).scope) {
            return false;
        }
        (*thread).scope = call.outer;
        (*thread).open -= 1;
        true
    }
}

/// As [`suspend`], for a call without a START.
///
/// # Safety
/// As [`leave`].
unsafe fn suspend_missing(plan: *const Plan, call: &Call, missing: Missing, object: *mut PyObject) -> bool {
    // SAFETY: passed on.
    unsafe {
        if !is_current_missing(call, &*plan, missing) || !suspend::is_suspended_object(object) {
            return false;
        }
        let handed_over = suspend::hand_over_missing(object, plan, call, missing);
        if handed_over {
            (*call.thread).scope = call.outer;
        }
        handed_over
    }
}

/// As [`Call::is_current_of`], of a call without a START: of one that is counted as nobody's, whatever the plan's run is.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn is_current_missing(call: &Call, plan: &Plan, missing: Missing) -> bool {
    // SAFETY: passed on.
    unsafe { if missing == Missing::Undefined { call.is_current() } else { call.is_current_of(plan) } }
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
        if plan.generation.get() != generation
            && let Some(entered) = prepare(plan, thread, generation, call)
        {
            return entered;
        }
        let mut scope = (*thread).scope_in(plan.generation.get());
        if scope.is_outside() {
            scope = context::inherited();
        }
        if (*thread).generation != plan.generation.get() && !runtime::join(thread) {
            return Entered::Passed;
        }
        let has_plenty = (*thread).has_plenty();
        let started = (*thread).now();
        if !plan.is_sampled && scope.is_undecided() && has_plenty {
            let start = Start { around: scope, decision: Decision::UNDECIDED, started, policy: plan.policy() };
            return begin(plan, thread, start, function, given, call);
        }
        let decision = match scope.decision() {
            Decision::UNDECIDED => plan.decide(&mut *thread, has_plenty, started),
            decided => decided,
        };
        if decision == Decision::LEFT_OUT {
            leave_out(plan, &mut *thread, scope, started, call);
            return Entered::Missing(Missing::LeftOut);
        }
        begin_decided(plan, thread, scope, decision, started, function, given, call)
    }
}

/// How a call begins.
#[derive(Clone, Copy)]
pub(super) struct Start {
    /// Where it is made.
    pub(super) around: Scope,
    /// What is decided for its tree, now that it is made.
    pub(super) decision: Decision,
    /// CLOCK_MONOTONIC ns.
    pub(super) started: u64,
    /// What its arguments are captured with.
    pub(super) policy: &'static Policy,
}

/// Writes the START of a call, and makes it current.
///
/// # Safety
/// As [`enter`]; `thread` is joined to the plan's run and not busy.
#[inline(always)]
pub(super) unsafe fn begin(
    plan: &Plan,
    thread: *mut ThreadRecorder,
    start: Start,
    function: *mut PyObject,
    given: Given<'_>,
    call: &mut Call,
) -> Entered {
    // SAFETY: passed on.
    unsafe {
        (*thread).busy = true;
        let entered = append_start(plan, &mut *thread, start, function, given, call);
        (*thread).busy = false;
        entered
    }
}

/// # Safety
/// As [`begin`], save that the thread is busy.
#[inline(always)]
unsafe fn append_start(
    plan: &Plan,
    thread: &mut ThreadRecorder,
    start: Start,
    function: *mut PyObject,
    given: Given<'_>,
    call: &mut Call,
) -> Entered {
    let Start { around, decision, started, policy } = start;
    let id = thread.next_id(started);
    let root = if around.root() == 0 { id } else { around.root() };
    let weight = if decision == Decision::UNDECIDED { 1.0 } else { decision.weight() };
    let head = StartHead { id, parent: around.call(), root, started, function: plan.slot.get(), weight };
    let mut scratch = std::mem::take(&mut thread.scratch);
    begin_start(&mut scratch, &head);
    // SAFETY: passed on.
    unsafe { capture_arguments(plan, policy, given, function, &mut scratch) };
    let appended = thread.append_start(&scratch, (thread.open + 1) * END_ROOM);
    thread.scratch = scratch;
    call.id = id;
    call.started = started;
    call.generation = plan.generation.get();
    call.decision = decision;
    call.thread = thread;
    if matches!(appended, Appended::Full) {
        // SAFETY: passed on.
        return unsafe { drop_begun(plan, thread, call) };
    }
    // SAFETY: the plan is prepared for the thread's run, into whose journal the START just went.
    unsafe { plan.count_call() };
    call.outer = std::mem::replace(&mut thread.scope, Scope::of(id, root, decision));
    thread.open += 1;
    Entered::Recording
}

/// Counts a call whose START found no room; not where the program has ended the run meanwhile.
///
/// # Safety
/// As [`begin`].
#[cold]
unsafe fn drop_begun(plan: &Plan, thread: &ThreadRecorder, call: &mut Call) -> Entered {
    if plan.generation.get() != runtime::generation() {
        return Entered::Passed;
    }
    // SAFETY: the plan is prepared for the current run.
    unsafe { plan.count_call() };
    call.outer = thread.scope;
    Entered::Missing(Missing::Dropped)
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
        if !call.is_current_of(plan) {
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
        let policy = thread.fitting(plan.policy());
        let weighted = call.decision != Decision::UNDECIDED;
        let slow = weighted && ended.saturating_sub(call.started) >= plan.slow_ns;
        let (id, slot) = (call.id, plan.slot.get());
        let ending = Ending { id, slot, ended, policy, activity: None, weighted, slow };
        let appended = append_end(thread, &ending, outcome);
        if matches!(appended, Appended::Full) && thread.generation == call.generation {
            // Room for this was kept since the START, in a run that the program has not ended meanwhile.
            runtime::note_fault();
        }
        thread.busy = was_busy;
    }
}

/// Makes a plan ready for the current run: starts one where none is, and gives the function its number. Where that cannot
/// be, what the call is instead.
///
/// # Safety
/// As [`enter`].
#[cold]
unsafe fn prepare(plan: &Plan, thread: *mut ThreadRecorder, generation: u32, call: &mut Call) -> Option<Entered> {
    if generation == runtime::OFF {
        return Some(Entered::Passed);
    }
    // SAFETY: as in `enter`; starting may run the program's code (log handlers), which is passed through meanwhile.
    unsafe {
        (*thread).busy = true;
        let defined = contain(None, || runtime::define(&plan.definition, &plan.own_policy.sensitive_fields));
        (*thread).busy = false;
        match defined {
            None => Some(Entered::Passed),
            Some(Ok(defined)) => {
                plan.settle(&defined);
                None
            }
            Some(Err(undefined)) => Some(begin_undefined(plan, thread, &undefined, call)),
        }
    }
}
