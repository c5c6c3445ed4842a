//! The call of a suspended body, handed over to the object that it made.
//!
//! Called by the vectorcall when the function has returned that object. Runs none of the program's code.

use std::ptr;
use std::rc::Rc;

use calltape_engine::sampling::Decision;
use pyo3::ffi::PyObject;

use super::kinds::{subtype_for, switch};
use super::table::{self, Suspended};
use crate::runtime::{Scope, context};
use crate::wrapper::call::Call;
use crate::wrapper::plan::{Missing, Plan};

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
        generation: call.generation,
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
