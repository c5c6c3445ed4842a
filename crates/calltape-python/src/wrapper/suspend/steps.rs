//! The objects through which the interpreter drives a body without its own slots: what an async generator's methods and
//! a coroutine's `__await__()` give. Each works on the body's C structure directly, so it gets a subtype of its own.
//!
//! A step's first reference is to its body; it is found by asking the step to show its references to the collector.

use std::ffi::{c_int, c_void};
use std::mem::transmute;
use std::ptr;

use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;

use super::body::{self, Destructor, Unary, after_call, after_close, after_exception, has_ended};
use super::kinds::{self, ACLOSE, ASEND, ASYNC_GENERATOR, ATHROW, AWAITER, COROUTINE, Kind, Methods, StandIn};
use super::slice::{After, Slice, give_back, resume};
use crate::wrapper::end::Outcome;
use crate::wrapper::recursion;
use crate::wrapper::trampoline::contain;
use calltape_record::Status;

const SEND: usize = 0;
const THROW: usize = 1;
const CLOSE: usize = 2;

/// # Safety
/// As [`kinds::make`].
pub(super) unsafe fn make_async_generator(py: Python<'_>, base: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: each function keeps its slot's protocol, and may be unwound through, which changes nothing in how it is
    // called.
    unsafe {
        let methods: Methods = [
            (c"asend", StandIn::One(asend), ffi::METH_O),
            (c"athrow", StandIn::One(athrow), ffi::METH_VARARGS),
            (c"aclose", StandIn::One(aclose), ffi::METH_NOARGS),
        ];
        kinds::make(py, &ASYNC_GENERATOR, base, &methods, |subtype| {
            let mut slots = (*(*base).tp_as_async).clone();
            slots.am_anext = Some(transmute::<Unary, ffi::unaryfunc>(anext));
            subtype.tp_as_async = Box::leak(Box::new(slots));
            body::set_end(subtype);
        })
    }
}

/// `__anext__()`.
unsafe extern "C-unwind" fn anext(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol; the base has the slot.
    unsafe {
        let base = (*(*kinds::interpreters_own(ffi::Py_TYPE(object))).tp_as_async).am_anext.unwrap_unchecked();
        adopt(transmute::<ffi::unaryfunc, Unary>(base)(object), &ASEND)
    }
}

/// `asend(value)`.
unsafe extern "C-unwind" fn asend(object: *mut PyObject, value: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol.
    unsafe { adopt(ASYNC_GENERATOR.method(0)(object, value), &ASEND) }
}

/// `athrow(...)`.
unsafe extern "C-unwind" fn athrow(object: *mut PyObject, args: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol.
    unsafe { adopt(ASYNC_GENERATOR.method(1)(object, args), &ATHROW) }
}

/// `aclose()`.
unsafe extern "C-unwind" fn aclose(object: *mut PyObject, _nothing: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol.
    unsafe { adopt(ASYNC_GENERATOR.method(2)(object, ptr::null_mut()), &ACLOSE) }
}

/// `__await__()` of a coroutine.
pub(super) unsafe extern "C" fn make_awaiter(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol; the base has the slot, which runs none of the program's code.
    unsafe {
        match (*(*kinds::interpreters_own(ffi::Py_TYPE(object))).tp_as_async).am_await {
            Some(base) => adopt(base(object), &AWAITER),
            None => ptr::null_mut(),
        }
    }
}

/// Puts a new step under its subtype, which is made with the first one. Null stays null, and a step whose type is not
/// what is expected stays as it is: its body then runs unseen.
///
/// # Safety
/// `step` is null, or owned and new; the interpreter lock is held.
unsafe fn adopt(step: *mut PyObject, kind: &'static Kind) -> *mut PyObject {
    // SAFETY: passed on. Only static types can be the base of a static type.
    unsafe {
        if step.is_null() {
            return step;
        }
        let base = ffi::Py_TYPE(step);
        if !kind.is_ready() {
            let is_static = ffi::PyType_HasFeature(base, ffi::Py_TPFLAGS_HEAPTYPE) == 0;
            let made = contain(Ok(()), || match is_static {
                true => make_step(Python::assume_attached(), kind, base),
                false => Ok(()),
            });
            if made.is_err() {
                return step;
            }
        }
        if kind.is_ready() && kinds::base_of(kind.as_type()) == base {
            kinds::switch(step, kind.as_type());
        }
        step
    }
}

/// # Safety
/// As [`kinds::make`].
#[cold]
unsafe fn make_step(py: Python<'_>, kind: &'static Kind, base: *mut PyTypeObject) -> PyResult<()> {
    // SAFETY: as in `make_async_generator`.
    unsafe {
        let methods: Methods = [
            (c"send", StandIn::One(send), ffi::METH_O),
            (c"throw", StandIn::Several(throw), ffi::METH_FASTCALL),
            (c"close", StandIn::One(close), ffi::METH_NOARGS),
        ];
        kinds::make(py, kind, base, &methods, |subtype| {
            subtype.tp_iternext = Some(transmute::<Unary, ffi::iternextfunc>(next));
            subtype.tp_dealloc = Some(transmute::<Destructor, ffi::destructor>(deallocate));
        })
    }
}

/// The kind of a step, which may also be one that nobody adopted: the subtypes' methods take the base's objects.
///
/// # Safety
/// `step` is live and of one of the subtypes made here, or of its base.
unsafe fn kind_of(step: *mut PyObject) -> &'static Kind {
    // SAFETY: passed on; only a ready subtype is asked for its base.
    let is_of = |known: &&Kind| unsafe {
        let kind = ffi::Py_TYPE(step);
        known.as_type() == kind || known.is_ready() && kinds::base_of(known.as_type()) == kind
    };
    [&ASEND, &AWAITER, &ACLOSE].into_iter().find(is_of).unwrap_or(&ATHROW)
}

/// The body that a step drives, if it waits to be driven: borrowed from the step. Null else.
///
/// # Safety
/// `step` is live, the interpreter lock held.
#[inline]
unsafe fn waiting_body(step: *mut PyObject) -> *mut PyObject {
    unsafe extern "C" fn first(object: *mut PyObject, found: *mut c_void) -> c_int {
        // SAFETY: `found` is the pointer given below.
        unsafe { *found.cast::<*mut PyObject>() = object };
        1
    }
    let mut found = ptr::null_mut::<PyObject>();
    // SAFETY: the step's own traversal, which visits live references and stops at the first.
    unsafe {
        if let Some(traverse) = (*ffi::Py_TYPE(step)).tp_traverse {
            traverse(step, first, (&raw mut found).cast());
        }
        if found.is_null() {
            return found;
        }
        let kind = ffi::Py_TYPE(found);
        if kind == ASYNC_GENERATOR.as_type() || kind == COROUTINE.as_type() { found } else { ptr::null_mut() }
    }
}

/// Runs a step's operation as a slice of its body.
///
/// # Safety
/// As [`resume`] and [`give_back`], for the body; `closes` for an operation that closes it.
#[inline]
unsafe fn drive(step: *mut PyObject, closes: bool, operation: impl FnOnce() -> *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on. The step holds its body as long as its caller holds the step.
    unsafe {
        let object = waiting_body(step);
        if object.is_null() {
            return recursion::run(operation);
        }
        let (step_kind, kind) = (ffi::Py_TYPE(step), ffi::Py_TYPE(object));
        let closes = closes || step_kind == ACLOSE.as_type();
        let mut slice = Slice::unseen();
        contain((), || resume(object, !closes, &mut slice));
        let result = recursion::run(operation);
        if step_kind == AWAITER.as_type() {
            let ended = || if closes { after_close(object, result) } else { after_awaiting(object, result) };
            after_call(object, kind, &slice, result, ended);
        } else {
            contain((), || give_back(object, kind, &slice, after_step(object, result, closes)));
        }
        result
    }
}

/// What a coroutine's awaiter says of its body when it raised no `StopIteration`: none at all is a result of `None`.
///
/// # Safety
/// As [`after_exception`], save that none need be set.
unsafe fn after_awaiting(object: *mut PyObject, result: *mut PyObject) -> After {
    // SAFETY: passed on.
    unsafe {
        if !result.is_null() {
            After::Suspended { yielded: false }
        } else if ffi::PyErr_Occurred().is_null() {
            After::Ended(Outcome::Returned(ffi::Py_None()))
        } else {
            after_exception(object)
        }
    }
}

/// What a step of an async generator says of its body: `StopIteration` carries an item, `StopAsyncIteration` is the end.
///
/// # Safety
/// As [`after_exception`], save that none need be set.
#[inline]
unsafe fn after_step(object: *mut PyObject, result: *mut PyObject, closes: bool) -> After {
    // SAFETY: passed on.
    unsafe {
        if !result.is_null() {
            if closes && has_ended(object) { After::Closed } else { After::Suspended { yielded: false } }
        } else if closes {
            after_closing(object)
        } else if ffi::PyErr_ExceptionMatches(ffi::PyExc_StopIteration) != 0 {
            After::Suspended { yielded: true }
        } else if ffi::PyErr_ExceptionMatches(ffi::PyExc_StopAsyncIteration) != 0 {
            match after_exception(object) {
                After::Ended(_) => After::Ended(Outcome::Bare(Status::Ok)),
                other => other,
            }
        } else {
            after_exception(object)
        }
    }
}

/// # Safety
/// As [`after_exception`].
unsafe fn after_closing(object: *mut PyObject) -> After {
    // SAFETY: passed on.
    unsafe {
        let stops = ffi::PyErr_ExceptionMatches(ffi::PyExc_StopIteration) != 0
            || ffi::PyErr_ExceptionMatches(ffi::PyExc_StopAsyncIteration) != 0;
        match after_exception(object) {
            After::Ended(_) if stops => After::Closed,
            other => other,
        }
    }
}

/// `tp_iternext` of a step.
unsafe extern "C-unwind" fn next(step: *mut PyObject) -> *mut PyObject {
    // SAFETY: slot protocol; the base is an iterator.
    unsafe {
        let base = (*kinds::base_of(ffi::Py_TYPE(step))).tp_iternext.unwrap_unchecked();
        let base = transmute::<ffi::iternextfunc, Unary>(base);
        drive(step, false, || base(step))
    }
}

/// `send(value)` of a step.
unsafe extern "C-unwind" fn send(step: *mut PyObject, value: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol.
    unsafe {
        let method = kind_of(step).method(SEND);
        drive(step, false, || method(step, value))
    }
}

/// `throw(...)` of a step.
unsafe extern "C-unwind" fn throw(step: *mut PyObject, args: *const *mut PyObject, count: isize) -> *mut PyObject {
    // SAFETY: method protocol.
    unsafe {
        let method = kind_of(step).fast_method(THROW);
        drive(step, false, || method(step, args, count))
    }
}

/// `close()` of a step.
unsafe extern "C-unwind" fn close(step: *mut PyObject, _nothing: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol.
    unsafe {
        let method = kind_of(step).method(CLOSE);
        drive(step, true, || method(step, ptr::null_mut()))
    }
}

/// Frees a step as its base does, which may keep its memory for the next one: of the base type. Its body may go with it.
unsafe extern "C-unwind" fn deallocate(step: *mut PyObject) {
    // SAFETY: slot protocol.
    unsafe {
        let base = kinds::base_of(ffi::Py_TYPE(step));
        kinds::switch(step, base);
        if let Some(free) = (*base).tp_dealloc {
            transmute::<ffi::destructor, Destructor>(free)(step);
        }
    }
}
