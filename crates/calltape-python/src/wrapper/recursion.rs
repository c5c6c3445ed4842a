//! Calling the wrapped function so that recursion ends where the undecorated function's does.
//!
//! A Python function that calls itself through a native callable enters the interpreter's loop anew at each level.
//! CPython 3.12 allows 1,500 units of that, two a level, so a monitored recursion would fail at a depth of 750 where
//! the undecorated one reaches the recursion limit of 1,000. The units stand for C stack; here the real stack is looked
//! at, and while there is plenty the two units are given back for the time of the call. Later versions allow enough
//! (3.13) or look at the stack themselves (3.14), earlier ones count no C levels.

use pyo3::ffi::{self, PyObject};

/// Calls `callable` by the vectorcall protocol.
///
/// # Safety
/// As the protocol demands: live objects, the interpreter lock held.
#[cfg(not(all(Py_3_12, not(Py_3_13))))]
#[inline]
pub(super) unsafe fn call(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: passed on.
    unsafe { ffi::PyObject_Vectorcall(callable, args, nargsf, names) }
}

#[cfg(all(Py_3_12, not(Py_3_13)))]
pub(super) use lifted::call;

#[cfg(all(Py_3_12, not(Py_3_13)))]
mod lifted {
    use std::cell::Cell;
    use std::ffi::{c_int, c_uint, c_void};

    use super::{PyObject, ffi};

    /// What a Python function entered from C costs: `PY_EVAL_C_STACK_UNITS` of CPython 3.12's ceval.c.
    const UNITS: c_int = 2;

    /// C stack that must be left for units to be given back: a thousand times what a level takes.
    const PLENTY: usize = 1 << 20;

    /// The beginning of CPython 3.12's `PyThreadState` (cpython/pystate.h), which does not change within 3.12.
    #[repr(C)]
    struct ThreadState {
        previous: *mut c_void,
        next: *mut c_void,
        interpreter: *mut c_void,
        status: c_uint,
        recursion_remaining: c_int,
        recursion_limit: c_int,
        c_recursion_remaining: c_int,
    }

    thread_local! {
        /// The lowest address of this thread's stack plus [`PLENTY`]; 0 while it has not been asked.
        static PLENTY_ABOVE: Cell<usize> = const { Cell::new(0) };
    }

    /// See the other implementation.
    ///
    /// # Safety
    /// As there.
    #[inline]
    pub(in crate::wrapper) unsafe fn call(
        callable: *mut PyObject,
        args: *const *mut PyObject,
        nargsf: usize,
        names: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: the calling thread's state is live as long as it holds the lock; the units are taken back before the
        // call returns to whoever counts them.
        unsafe {
            if !has_plenty_of_stack() {
                return ffi::PyObject_Vectorcall(callable, args, nargsf, names);
            }
            let state = ffi::PyThreadState_Get().cast::<ThreadState>();
            (*state).c_recursion_remaining += UNITS;
            let result = ffi::PyObject_Vectorcall(callable, args, nargsf, names);
            (*state).c_recursion_remaining -= UNITS;
            result
        }
    }

    #[inline]
    fn has_plenty_of_stack() -> bool {
        let here = 0u8;
        let plenty_above = match PLENTY_ABOVE.get() {
            0 => ask_for_the_stack(),
            known => known,
        };
        &raw const here as usize > plenty_above
    }

    #[cold]
    fn ask_for_the_stack() -> usize {
        // SAFETY: the attributes are initialised by the first call and destroyed after use.
        let lowest = unsafe {
            let mut attributes = std::mem::zeroed::<libc::pthread_attr_t>();
            if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
                None
            } else {
                let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
                let known = libc::pthread_attr_getstack(&raw const attributes, &raw mut lowest, &raw mut size) == 0;
                libc::pthread_attr_destroy(&raw mut attributes);
                known.then_some(lowest as usize)
            }
        };
        let plenty_above = lowest.map_or(usize::MAX, |lowest| lowest.saturating_add(PLENTY));
        PLENTY_ABOVE.set(plenty_above);
        plenty_above
    }
}
