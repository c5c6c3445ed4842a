//! Variables as CPython 3.13 and later give them: through a view of the frame, which the frame does not keep.

use pyo3::ffi::{self, PyObject};

use super::Variables;

/// The variables of a frame that are bound, the first `most` of them.
///
/// # Safety
/// `frame` is live, the interpreter lock held, also when the result is dropped.
pub(super) unsafe fn of(frame: *mut ffi::PyFrameObject, most: usize) -> Variables {
    let mut variables = Variables::none(most);
    // SAFETY: the view and its list of pairs are owned and dropped; the view's `items` is C and runs no other code.
    unsafe {
        let locals = ffi::PyFrame_GetLocals(frame);
        if locals.is_null() {
            ffi::PyErr_Clear();
            return variables;
        }
        if ffi::PyFrameLocalsProxy_Check(locals) == 0 {
            variables.take_namespace(locals);
        } else {
            let pairs = ffi::PyMapping_Items(locals);
            take_pairs(pairs, &mut variables);
            ffi::Py_XDECREF(pairs);
        }
        ffi::Py_DECREF(locals);
    }
    variables
}

/// # Safety
/// `pairs` is null with an error set, or live; the interpreter lock is held.
unsafe fn take_pairs(pairs: *mut PyObject, variables: &mut Variables) {
    // SAFETY: sizes are looked at before items.
    unsafe {
        if pairs.is_null() || ffi::PyList_Check(pairs) == 0 {
            return ffi::PyErr_Clear();
        }
        for at in 0..ffi::PyList_GET_SIZE(pairs) {
            let pair = ffi::PyList_GET_ITEM(pairs, at);
            if ffi::PyTuple_Check(pair) != 0 && ffi::PyTuple_GET_SIZE(pair) == 2 {
                variables.take(ffi::PyTuple_GET_ITEM(pair, 0), ffi::PyTuple_GET_ITEM(pair, 1));
            }
        }
    }
}
