//! What a body returned, as the exception that carries it.

use std::ptr;

use pyo3::ffi::{self, PyObject};

/// Raises `StopIteration(value)`, whose value may itself be a tuple or an exception; null.
///
/// # Safety
/// `value` is owned and given up here; the interpreter lock is held and no exception is set.
pub(super) unsafe fn to_program(value: *mut PyObject) -> *mut PyObject {
    // SAFETY: passed on.
    unsafe {
        if value == ffi::Py_None() {
            ffi::PyErr_SetNone(ffi::PyExc_StopIteration);
        } else if ffi::PyTuple_Check(value) != 0 || ffi::PyExceptionInstance_Check(value) != 0 {
            // Given as they are, these would be taken for the exception's arguments, or for the exception.
            let exception = ffi::PyObject_CallOneArg(ffi::PyExc_StopIteration, value);
            if !exception.is_null() {
                ffi::PyErr_SetObject(ffi::PyExc_StopIteration, exception);
                ffi::Py_DECREF(exception);
            }
        } else {
            ffi::PyErr_SetObject(ffi::PyExc_StopIteration, value);
        }
        ffi::Py_DECREF(value);
        ptr::null_mut()
    }
}

/// Raises `StopIteration(value)` for the interpreter's `await`, which takes the value out and drops the exception. It is
/// made as its type makes it, with the value put where its initialiser would: a call of the type takes longer.
///
/// # Safety
/// As [`to_program`].
#[cfg(Py_3_12)]
pub(super) unsafe fn to_await(value: *mut PyObject) {
    // SAFETY: passed on; the new exception is of the exact type, so its layout is known, and its value is empty.
    unsafe {
        let kind = ffi::PyExc_StopIteration.cast::<ffi::PyTypeObject>();
        let args = ffi::PyTuple_Pack(1, value);
        let exception = match (*kind).tp_new {
            Some(new) if !args.is_null() => new(kind, args, ptr::null_mut()),
            _ => ptr::null_mut(),
        };
        ffi::Py_XDECREF(args);
        if exception.is_null() {
            ffi::Py_DECREF(value);
        } else {
            (*exception.cast::<ffi::PyStopIterationObject>()).value = value;
            ffi::PyErr_SetRaisedException(exception);
        }
    }
}
