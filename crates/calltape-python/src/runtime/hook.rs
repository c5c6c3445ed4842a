//! Putting a C function of calltape's in the place of one of the interpreter's own, for whoever has imported it already.

use pyo3::ffi::{self, PyObject};

/// Replaces the C function behind a function without parameters of a built-in module; what it was before. `None` where
/// `function` is something else, and nothing is changed.
///
/// # Safety
/// `function` is live, the interpreter lock held; `replacement` keeps the protocol of such a function.
pub(super) unsafe fn replace(function: *mut PyObject, replacement: ffi::PyCFunction) -> Option<ffi::PyCFunction> {
    // SAFETY: the exact type is checked, so the layout is known; a method definition of a module of the interpreter is
    // static memory that may be written.
    unsafe {
        if ffi::PyCFunction_CheckExact(function) == 0 {
            return None;
        }
        let definition = (*function.cast::<ffi::PyCFunctionObject>()).m_ml;
        if (*definition).ml_flags != ffi::METH_NOARGS {
            return None;
        }
        let original = (*definition).ml_meth.PyCFunction;
        (*definition).ml_meth = ffi::PyMethodDefPointer { PyCFunction: replacement };
        Some(original)
    }
}
