//! Forks: before one the background thread comes to rest, after it the parent goes on and the child begins anew.
//!
//! ```text
//! prepare     the drain's thread is paused, and readers of tapes make way, within a limit (`pthread_atfork`: also for
//!             forks that C code makes)
//! parent      they go on; after `os.fork` only when that returns, for CPython counts the threads just before
//! child       forgets the run: closes nothing of it but its locks, writes nothing, frees nothing
//! ```
//!
//! The child handler runs where only async-signal-safe things may be done: atomics, `close`, writes to statics.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

use super::{FORKS, GENERATION, Guarded, IDLE, OFF, Running, STATE, State, forget_figures, hook, messages, running};

/// How long a fork waits for a batch to be stored. A full one takes that long on a busy machine.
const REST: Duration = Duration::from_millis(50);

/// Forks that did not wait until the background thread rested.
static HURRIED: AtomicU64 = AtomicU64::new(0);

/// What `os.fork` and `os.forkpty` did before.
static FORK: Guarded<Option<ffi::PyCFunction>> = Guarded::new(None);
static FORKPTY: Guarded<Option<ffi::PyCFunction>> = Guarded::new(None);

thread_local! {
    /// The run whose thread rests for a fork of this thread: a strong reference, or null.
    static RESTING: Cell<*const Running> = const { Cell::new(ptr::null()) };
    /// Whether readers of tapes rest for a fork of this thread in a process without a run.
    static READERS_REST: Cell<bool> = const { Cell::new(false) };
    /// Whether they have come to rest.
    static AT_REST: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread is in `os.fork`.
    static IN_PYTHON: Cell<bool> = const { Cell::new(false) };
}

/// Forks counted that did not wait.
pub(crate) fn hurried() -> u64 {
    HURRIED.load(Ordering::Relaxed)
}

/// Forks between the first process that loaded this library and the present one.
pub(crate) fn count() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Puts the handlers in place; once a process.
///
/// # Errors
/// When the interpreter has no such functions.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    // SAFETY: the handlers are functions of this library, which is never unloaded; the module keeps its functions.
    unsafe {
        if (*FORK.get()).is_some() {
            return Ok(());
        }
        libc::pthread_atfork(Some(prepare), Some(in_parent), Some(in_child));
        let posix = py.import("posix")?;
        *FORK.get() = hook::replace(posix.getattr("fork")?.as_ptr(), fork);
        if let Ok(forkpty) = posix.getattr("forkpty") {
            *FORKPTY.get() = hook::replace(forkpty.as_ptr(), self::forkpty);
        }
    }
    Ok(())
}

/// `os.fork()`.
unsafe extern "C" fn fork(module: *mut PyObject, nothing: *mut PyObject) -> *mut PyObject {
    // SAFETY: method protocol; the hook is in place only when the original is known.
    unsafe { around(*FORK.get(), module, nothing) }
}

/// `os.forkpty()`.
unsafe extern "C" fn forkpty(module: *mut PyObject, nothing: *mut PyObject) -> *mut PyObject {
    // SAFETY: as above.
    unsafe { around(*FORKPTY.get(), module, nothing) }
}

/// # Safety
/// As the method protocol demands of `original`.
unsafe fn around(original: Option<ffi::PyCFunction>, module: *mut PyObject, nothing: *mut PyObject) -> *mut PyObject {
    let Some(original) = original else { return ptr::null_mut() };
    let outer = IN_PYTHON.replace(true);
    // SAFETY: passed on. It may return with an exception that is set, which stays.
    let answer = unsafe { original(module, nothing) };
    IN_PYTHON.set(outer);
    if !outer {
        go_on();
    }
    answer
}

extern "C" fn prepare() {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if !RESTING.get().is_null() || READERS_REST.get() {
            return;
        }
        let Some(running) = running().filter(|running| running.is_of_this_process()) else {
            READERS_REST.set(true);
            AT_REST.set(calltape_engine::hold_readers(REST));
            return;
        };
        let at_rest = running.recorder.hold(REST);
        AT_REST.set(at_rest);
        RESTING.set(Arc::into_raw(running));
        HURRIED.fetch_add(u64::from(!at_rest), Ordering::Relaxed);
    }));
}

extern "C" fn in_parent() {
    if !IN_PYTHON.get() {
        go_on();
    }
}

/// Has what rests for this thread go on.
fn go_on() {
    if READERS_REST.replace(false) {
        calltape_engine::release_readers();
    }
    let resting = RESTING.replace(ptr::null());
    if !resting.is_null() {
        // SAFETY: a strong reference from `prepare`, taken back once.
        let running = unsafe { Arc::from_raw(resting) };
        let _ = catch_unwind(AssertUnwindSafe(|| running.recorder.release()));
    }
}

extern "C" fn in_child() {
    let had_run = !matches!(GENERATION.load(Ordering::Relaxed), IDLE | OFF);
    let waited = !RESTING.replace(ptr::null()).is_null() | READERS_REST.replace(false);
    calltape_engine::forget_after_fork(if waited { AT_REST.get() } else { !had_run });
    FORKS.fetch_add(1, Ordering::Relaxed);
    let is_off = GENERATION.load(Ordering::Relaxed) == OFF;
    GENERATION.store(if is_off { OFF } else { IDLE }, Ordering::Relaxed);
    // SAFETY: a child has one thread, and none of these is held by a thread that forks.
    unsafe {
        STATE.renew(if is_off { State::Off } else { State::Idle });
        messages::forget();
        crate::capture::forget_held_locks();
        crate::memory::forget_search();
    }
    forget_figures();
    HURRIED.store(0, Ordering::Relaxed);
}
