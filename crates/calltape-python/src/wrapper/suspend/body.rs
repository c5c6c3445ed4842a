//! The slots of recorded generators and coroutines, and the end of all three kinds.
//!
//! A method or slot that the program took from an object before (`send = generator.send`) may be called when the object is
//! of its base type again, or with an object that is not recorded at all. Each then does what the base's does.

use std::ffi::{CStr, c_int};
use std::mem::transmute;
use std::ptr;

use pyo3::ffi::{self, PyObject, PySendResult, PyTypeObject};
use pyo3::prelude::*;

use super::kinds::{self, COROUTINE, GENERATOR, Kind, Methods, StandIn};
use super::slice::{After, Slice, end_with_the_object, give_back, resume};
use super::{awaiting, returned, steps, table};
use crate::capture::Raised;
use crate::wrapper::end::Outcome;
use crate::wrapper::recursion;
use crate::wrapper::trampoline::contain;

/// Slots of the interpreter as they are called here: the program's code runs inside, and may be unwound through when the
/// interpreter ends a daemon thread.
pub(super) type Unary = unsafe extern "C-unwind" fn(*mut PyObject) -> *mut PyObject;
type Send = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject, *mut *mut PyObject) -> PySendResult;
pub(super) type Destructor = unsafe extern "C-unwind" fn(*mut PyObject);

unsafe extern "C-unwind" {
    // As in CPython's API; PyO3 declares them as never unwinding. Each runs the program's code.
    fn PyObject_CallFinalizerFromDealloc(object: *mut PyObject) -> c_int;
    fn PyObject_ClearWeakRefs(object: *mut PyObject);
    fn PyErr_WriteUnraisable(object: *mut PyObject);
}

const THROW: usize = 1;
const CLOSE: usize = 2;

/// # Safety
/// As [`kinds::make`].
pub(super) unsafe fn make_generator(py: Python<'_>, base: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: each function keeps its slot's protocol, and may be unwound through, which changes nothing in how it is
    // called. What would add an attribute to the type is set when the type is ready.
    unsafe {
        kinds::make(py, &GENERATOR, base, &methods(), |subtype| {
            subtype.tp_iternext = Some(transmute::<Unary, ffi::iternextfunc>(next));
            set_end(subtype);
        })?;
        set_async(&GENERATOR, base, Some(awaiting::await_generator));
        Ok(())
    }
}

/// # Safety
/// As [`kinds::make`].
pub(super) unsafe fn make_coroutine(py: Python<'_>, base: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: as in `make_generator`. `__await__` is made from the slot while the type is made; afterwards the slot is the
    // interpreter's own way to await.
    unsafe {
        kinds::make(py, &COROUTINE, base, &methods(), |subtype| {
            let mut slots = (*(*base).tp_as_async).clone();
            slots.am_await = Some(steps::make_awaiter);
            subtype.tp_as_async = Box::leak(Box::new(slots));
            set_end(subtype);
        })?;
        set_async(&COROUTINE, base, Some(awaiting::await_coroutine));
        let subtype = COROUTINE.as_type();
        (*subtype).tp_iternext = Some(transmute::<Unary, ffi::iternextfunc>(next_of_awaited));
        (*subtype).tp_iter = Some(awaiting::iterate_coroutine);
        Ok(())
    }
}

fn methods() -> Methods {
    [
        (c"send", StandIn::One(send), ffi::METH_O),
        (c"throw", StandIn::Several(throw), ffi::METH_FASTCALL),
        (c"close", StandIn::One(close), ffi::METH_NOARGS),
    ]
}

/// # Safety
/// `kind` is ready, `base` its base.
unsafe fn set_async(kind: &'static Kind, base: *mut PyTypeObject, awaits: Option<ffi::unaryfunc>) {
    // SAFETY: passed on; as in `make_generator`.
    unsafe {
        let mut slots = (*(*base).tp_as_async).clone();
        slots.am_await = awaits;
        slots.am_send = Some(transmute::<Send, ffi::sendfunc>(send_slot));
        (*kind.as_type()).tp_as_async = Box::leak(Box::new(slots));
    }
}

/// Sets what ends an object of any of the three kinds.
///
/// # Safety
/// As the `fill` of [`kinds::make`].
pub(super) unsafe fn set_end(subtype: &mut PyTypeObject) {
    // SAFETY: as in `make_generator`.
    unsafe {
        subtype.tp_finalize = Some(transmute::<Destructor, ffi::destructor>(finalize));
        subtype.tp_dealloc = Some(transmute::<Destructor, ffi::destructor>(deallocate));
    }
}

/// `am_send`: gives the body a value, and control.
unsafe extern "C-unwind" fn send_slot(
    object: *mut PyObject,
    value: *mut PyObject,
    result: *mut *mut PyObject,
) -> PySendResult {
    // SAFETY: slot protocol; the base has the slot, as these types do in every supported version.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        let base = (*(*kinds::interpreters_own(kind)).tp_as_async).am_send.unwrap_unchecked();
        let base = transmute::<ffi::sendfunc, Send>(base);
        if !kinds::is_subtype(kind) {
            return base(object, value, result);
        }
        let mut slice = Slice::unseen();
        contain((), || resume(object, true, &mut slice));
        let sent = recursion::run(|| base(object, value, result));
        contain((), || {
            let after = match sent {
                PySendResult::PYGEN_NEXT => After::Suspended { yielded: true },
                PySendResult::PYGEN_RETURN => After::Ended(Outcome::Returned(*result)),
                PySendResult::PYGEN_ERROR => after_exception(object),
            };
            give_back(object, kind, &slice, after);
        });
        sent
    }
}

/// `tp_iternext` of a generator.
unsafe extern "C-unwind" fn next(object: *mut PyObject) -> *mut PyObject {
    let mut result = ptr::null_mut();
    // SAFETY: slot protocol.
    unsafe {
        match send_slot(object, ffi::Py_None(), &raw mut result) {
            PySendResult::PYGEN_NEXT => result,
            PySendResult::PYGEN_RETURN if result == ffi::Py_None() => {
                ffi::Py_DECREF(result);
                ptr::null_mut()
            }
            PySendResult::PYGEN_RETURN => returned::to_program(result),
            PySendResult::PYGEN_ERROR => ptr::null_mut(),
        }
    }
}

/// `tp_iternext` of a coroutine, through which `await` drives it. Without `await` it is no iterator.
unsafe extern "C-unwind" fn next_of_awaited(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol.
    unsafe {
        if table::update(object, |call| call.awaited) == Some(true) {
            // 3.11 comes here only for a tracer, and sends to a bare coroutine then: the tracer sees every StopIteration.
            #[cfg(not(Py_3_12))]
            return send(object, ffi::Py_None());
            #[cfg(Py_3_12)]
            return next_for_await(object);
        }
        ffi::PyErr_SetString(ffi::PyExc_TypeError, c"'coroutine' object is not an iterator".as_ptr());
        ptr::null_mut()
    }
}

/// As [`next`], for the interpreter's `await`.
///
/// # Safety
/// As the slot.
#[cfg(Py_3_12)]
unsafe fn next_for_await(object: *mut PyObject) -> *mut PyObject {
    let mut result = ptr::null_mut();
    // SAFETY: passed on.
    unsafe {
        match send_slot(object, ffi::Py_None(), &raw mut result) {
            PySendResult::PYGEN_NEXT => return result,
            PySendResult::PYGEN_ERROR => {}
            PySendResult::PYGEN_RETURN if result == ffi::Py_None() => ffi::Py_DECREF(result),
            PySendResult::PYGEN_RETURN => returned::to_await(result),
        }
        ptr::null_mut()
    }
}

/// `send(value)`.
unsafe extern "C-unwind" fn send(object: *mut PyObject, value: *mut PyObject) -> *mut PyObject {
    let mut result = ptr::null_mut();
    // SAFETY: method protocol.
    unsafe {
        match send_slot(object, value, &raw mut result) {
            PySendResult::PYGEN_NEXT => result,
            PySendResult::PYGEN_RETURN => returned::to_program(result),
            PySendResult::PYGEN_ERROR => ptr::null_mut(),
        }
    }
}

/// The kind that an object of this type is of.
///
/// # Safety
/// `kind` is the type of generators or of coroutines, or the subtype of one.
unsafe fn kind_of(kind: *mut PyTypeObject) -> &'static Kind {
    // SAFETY: passed on.
    if unsafe { kinds::interpreters_own(kind) } == &raw mut ffi::PyCoro_Type { &COROUTINE } else { &GENERATOR }
}

/// `throw(...)`.
unsafe extern "C-unwind" fn throw(object: *mut PyObject, args: *const *mut PyObject, count: isize) -> *mut PyObject {
    // SAFETY: method protocol; the base's method gets the object and the same arguments.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        let method = kind_of(kind).fast_method(THROW);
        if !kinds::is_subtype(kind) {
            return method(object, args, count);
        }
        let mut slice = Slice::unseen();
        contain((), || resume(object, true, &mut slice));
        let result = recursion::run(|| method(object, args, count));
        after_call(object, kind, &slice, result, || {
            if result.is_null() { after_exception(object) } else { After::Suspended { yielded: true } }
        });
        result
    }
}

/// `close()`.
unsafe extern "C-unwind" fn close(object: *mut PyObject, _nothing: *mut PyObject) -> *mut PyObject {
    // SAFETY: as in `throw`.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        let method = kind_of(kind).method(CLOSE);
        if !kinds::is_subtype(kind) {
            return method(object, ptr::null_mut());
        }
        let mut slice = Slice::unseen();
        contain((), || resume(object, false, &mut slice));
        let result = recursion::run(|| method(object, ptr::null_mut()));
        after_call(object, kind, &slice, result, || after_close(object, result));
        result
    }
}

/// What has become of a body that was told to close.
///
/// # Safety
/// As [`after_exception`]; `result` is null when an exception is set.
pub(super) unsafe fn after_close(object: *mut PyObject, result: *mut PyObject) -> After {
    // SAFETY: passed on.
    unsafe {
        if result.is_null() {
            after_exception(object)
        } else if has_ended(object) {
            After::Closed
        } else {
            After::Refused
        }
    }
}

/// Ends the slice of a method call: a `StopIteration` that it raised carries what the body returned.
///
/// # Safety
/// As [`give_back`]; `result` is null when an exception is set. `otherwise` says what it means where there is none.
pub(super) unsafe fn after_call(
    object: *mut PyObject,
    kind: *mut PyTypeObject,
    slice: &Slice,
    result: *mut PyObject,
    otherwise: impl FnOnce() -> After,
) {
    // SAFETY: passed on; the exception is put aside while its value is captured.
    contain((), || unsafe {
        if result.is_null() && ffi::PyErr_ExceptionMatches(ffi::PyExc_StopIteration) != 0 {
            let raised = Raised::take();
            let value = raised.stop_value();
            give_back(object, kind, slice, After::Ended(Outcome::Returned(value)));
            raised.put_back();
        } else {
            give_back(object, kind, slice, otherwise());
        }
    });
}

/// What an exception says of a body: it is over, or was not let run.
///
/// # Safety
/// `object` is live and of its base type; the interpreter lock is held, and an exception is set, which stays.
#[cold]
pub(super) unsafe fn after_exception(object: *mut PyObject) -> After {
    // SAFETY: passed on.
    unsafe {
        let raised = Raised::take();
        let ended = has_ended(object);
        raised.put_back();
        if ended { After::Ended(Outcome::Raised) } else { After::Refused }
    }
}

/// Whether a body is over: an object keeps its frame as long as it is not.
///
/// # Safety
/// `object` is live and of its base type, the interpreter lock held, no exception set.
pub(super) unsafe fn has_ended(object: *mut PyObject) -> bool {
    // SAFETY: passed on; the frame is owned and dropped.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        let name: &CStr = if kind == &raw mut ffi::PyCoro_Type {
            c"cr_frame"
        } else if kind == &raw mut ffi::PyGen_Type {
            c"gi_frame"
        } else {
            c"ag_frame"
        };
        let frame = ffi::PyObject_GetAttrString(object, name.as_ptr());
        if frame.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        let ended = frame == ffi::Py_None();
        ffi::Py_DECREF(frame);
        ended
    }
}

/// `tp_finalize`: what the interpreter does with an object that nobody refers to and whose body is not over.
unsafe extern "C-unwind" fn finalize(object: *mut PyObject) {
    // SAFETY: slot protocol; an exception that is set stays.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        let base = (*kinds::interpreters_own(kind)).tp_finalize;
        let base = transmute::<Option<ffi::destructor>, Option<Destructor>>(base);
        if !kinds::is_subtype(kind) {
            return base.map_or((), |base| base(object));
        }
        let raised = (!ffi::PyErr_Occurred().is_null()).then(|| Raised::take());
        let begun = table::update(object, |call| call.begun) == Some(true);
        if begun && kind != kinds::ASYNC_GENERATOR.as_type() {
            // As the interpreter does, save that the exception is seen.
            let result = close(object, ptr::null_mut());
            if result.is_null() {
                PyErr_WriteUnraisable(object);
            } else {
                ffi::Py_DECREF(result);
            }
        } else {
            let mut slice = Slice::unseen();
            contain((), || resume(object, false, &mut slice));
            if let Some(base) = base {
                base(object);
            }
            // It may have been brought back to life; if not, its call ends with it.
            contain((), || give_back(object, kind, &slice, After::Refused));
        }
        if let Some(raised) = raised {
            raised.put_back();
        }
    }
}

/// `tp_dealloc`: finalises as the base would, ends the call, and leaves the rest to the base.
unsafe extern "C-unwind" fn deallocate(object: *mut PyObject) {
    // SAFETY: slot protocol: nobody refers to the object. The base untracks it again, finds that it is finalised, and
    // frees it.
    unsafe {
        let base = kinds::base_of(ffi::Py_TYPE(object));
        ffi::PyObject_GC_UnTrack(object.cast());
        PyObject_ClearWeakRefs(object);
        ffi::PyObject_GC_Track(object.cast());
        if PyObject_CallFinalizerFromDealloc(object) != 0 {
            return;
        }
        // Out of the collector's sight: joining the run allocates, and may let other threads run meanwhile.
        ffi::PyObject_GC_UnTrack(object.cast());
        contain((), || end_with_the_object(object));
        ffi::PyObject_GC_Track(object.cast());
        kinds::switch(object, base);
        if let Some(free) = (*base).tp_dealloc {
            transmute::<ffi::destructor, Destructor>(free)(object);
        }
    }
}
