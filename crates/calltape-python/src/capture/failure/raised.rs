//! The exception that is set when a call ends: taken from the interpreter for the time of the capture and put back
//! unchanged. Nothing else may be raised or cleared between the two.

use pyo3::ffi::{self, PyObject, PyTypeObject};

/// The exception a call ended with, taken from the interpreter for the time of the capture and put back unchanged.
pub(crate) struct Raised {
    #[cfg(Py_3_12)]
    value: *mut PyObject,
    #[cfg(not(Py_3_12))]
    parts: [*mut PyObject; 3],
}

impl Raised {
    /// # Safety
    /// The interpreter lock is held and an exception is set.
    pub(crate) unsafe fn take() -> Self {
        #[cfg(Py_3_12)]
        // SAFETY: passed on.
        unsafe {
            Self { value: ffi::PyErr_GetRaisedException() }
        }
        #[cfg(not(Py_3_12))]
        // SAFETY: passed on; normalising makes the exception object that any handler would see.
        unsafe {
            let mut parts = [std::ptr::null_mut(); 3];
            let [kind, value, traceback] = &mut parts;
            ffi::PyErr_Fetch(kind, value, traceback);
            ffi::PyErr_NormalizeException(kind, value, traceback);
            Self { parts }
        }
    }

    /// The exception; null where the interpreter could not make one.
    pub(super) fn value(&self) -> *mut PyObject {
        #[cfg(Py_3_12)]
        return self.value;
        #[cfg(not(Py_3_12))]
        return self.parts[1];
    }

    /// The value of a `StopIteration`, borrowed; None of any other exception.
    ///
    /// # Safety
    /// The interpreter lock is held.
    pub(crate) unsafe fn stop_value(&self) -> *mut PyObject {
        let value = self.value();
        // SAFETY: the type is checked, so the layout is known; the exception holds its value.
        unsafe {
            let is_stop = !value.is_null()
                && ffi::PyObject_TypeCheck(value, ffi::PyExc_StopIteration.cast::<PyTypeObject>()) != 0;
            let held = if is_stop { (*value.cast::<ffi::PyStopIterationObject>()).value } else { ffi::Py_None() };
            if held.is_null() { ffi::Py_None() } else { held }
        }
    }

    /// # Safety
    /// The interpreter lock is held.
    pub(super) unsafe fn traceback(&self) -> *mut PyObject {
        #[cfg(Py_3_12)]
        // SAFETY: a borrowed view of the traceback that the exception keeps.
        unsafe {
            (*self.value.cast::<ffi::PyBaseExceptionObject>()).traceback
        }
        #[cfg(not(Py_3_12))]
        return self.parts[2];
    }

    /// # Safety
    /// The interpreter lock is held and no exception is set.
    pub(crate) unsafe fn put_back(self) {
        #[cfg(Py_3_12)]
        // SAFETY: gives back the reference taken by `take`.
        unsafe {
            ffi::PyErr_SetRaisedException(self.value);
        }
        #[cfg(not(Py_3_12))]
        // SAFETY: gives back the references taken by `take`.
        unsafe {
            let [kind, value, traceback] = self.parts;
            ffi::PyErr_Restore(kind, value, traceback);
        }
    }
}
