//! Running the program's code so that recursion ends where it does without calltape.
//!
//! A Python function that calls itself through a native callable, and a generator that is resumed through a native slot,
//! enter the interpreter's loop anew at each level.
//! CPython 3.12 allows 1,500 units of that and 3.13 10,000, two a level, so a monitored recursion would fail at a depth
//! of 750 or 5,000 whatever the recursion limit. The units stand for C stack; here the real stack is looked at, and while
//! there is plenty the two units are given back for the time of the call. 3.14 looks at the stack itself, 3.11 counts no
//! C levels.
//!
//! The call may not return: before 3.14 the interpreter ends a daemon thread by unwinding its stack when it exits. The
//! call is therefore declared to unwind, and nothing stands around it that would stop that.

use pyo3::ffi::PyObject;

unsafe extern "C-unwind" {
    /// As in CPython's API; PyO3 declares it as never unwinding.
    fn PyObject_Vectorcall(
        callable: *mut PyObject,
        args: *const *mut PyObject,
        nargsf: usize,
        names: *mut PyObject,
    ) -> *mut PyObject;
}

/// Calls `callable` by the vectorcall protocol.
///
/// # Safety
/// As the protocol demands: live objects, the interpreter lock held.
#[inline]
pub(super) unsafe fn call(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: passed on.
    unsafe { run(|| PyObject_Vectorcall(callable, args, nargsf, names)) }
}

/// Runs `body`, which enters the interpreter's loop once.
///
/// # Safety
/// The interpreter lock is held.
#[cfg(not(all(Py_3_12, not(Py_3_14))))]
#[inline]
pub(super) unsafe fn run<T>(body: impl FnOnce() -> T) -> T {
    body()
}

#[cfg(all(Py_3_12, not(Py_3_14)))]
pub(super) use lifted::run;

#[cfg(all(Py_3_12, not(Py_3_14)))]
mod lifted {
    use std::cell::Cell;
    use std::ffi::{c_int, c_uint, c_void};

    use pyo3::ffi;

    /// What a Python function entered from C costs: `PY_EVAL_C_STACK_UNITS` of CPython's ceval.c.
    const UNITS: c_int = 2;

    /// C stack that must be left for units to be given back: what the levels take that the interpreter still allows when no
    /// more are given back, 750 on 3.12 and 5,000 on 3.13, at about a kilobyte each.
    const PLENTY: usize = if cfg!(Py_3_13) { 11 << 19 } else { 1 << 20 };

    /// The beginning of CPython's `PyThreadState` (cpython/pystate.h), which does not change within a minor version.
    #[repr(C)]
    struct ThreadState {
        previous: *mut c_void,
        next: *mut c_void,
        interpreter: *mut c_void,
        #[cfg(Py_3_13)]
        eval_breaker: usize,
        status: c_uint,
        #[cfg(Py_3_13)]
        whence: c_int,
        #[cfg(Py_3_13)]
        state: c_int,
        recursion_remaining: c_int,
        recursion_limit: c_int,
        c_recursion_remaining: c_int,
    }

    /// As the compiler of CPython's own headers has it.
    #[cfg(target_pointer_width = "64")]
    const _: () =
        assert!(std::mem::offset_of!(ThreadState, c_recursion_remaining) == if cfg!(Py_3_13) { 52 } else { 36 });

    thread_local! {
        /// The lowest address of this thread's stack plus [`PLENTY`]; 0 while it has not been asked.
        static PLENTY_ABOVE: Cell<usize> = const { Cell::new(0) };
    }

    /// See the other implementation.
    ///
    /// # Safety
    /// As there.
    #[inline]
    pub(in crate::wrapper) unsafe fn run<T>(body: impl FnOnce() -> T) -> T {
        if !has_plenty_of_stack() {
            return body();
        }
        // SAFETY: the calling thread's state is live as long as it holds the lock; the units are taken back before the
        // call returns to whoever counts them.
        unsafe {
            let state = ffi::PyThreadState_Get().cast::<ThreadState>();
            (*state).c_recursion_remaining += UNITS;
            let result = body();
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
