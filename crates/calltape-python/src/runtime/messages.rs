//! What calltape has to say goes to `logging.getLogger("calltape")`, seldom, and never in the middle of a call.
//!
//! The background thread never touches Python: it leaves its messages with the recorder and asks the interpreter for a call
//! between two instructions of the main thread's, which logs them: at once on CPython 3.13, on 3.11 and 3.12 when that thread
//! next takes the interpreter lock, as after any wait. Whoever comes by with the lock does so too (flush, stats, stop, exit).

use std::ffi::{c_int, c_void};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};

use calltape_journal::monotonic_ns;
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::prelude::*;

use super::{EXITING, Renewed, Running, running};

pub(super) use calltape_engine::Level;

/// The same text is logged at most this often.
const REPEAT_AFTER_NS: u64 = 20_000_000_000;

static LAST: Renewed<Option<(String, u64)>> = Renewed::new(None);

/// Logs one line, with the interpreter lock held; a fault of the logging itself is dropped, as is a repetition within 20 seconds.
pub(super) fn log(level: Level, text: &str) {
    let _ = try_log(level, text);
}

/// As [`log`]; what was raised meanwhile and is no `Exception`, which is dropped.
fn try_log(level: Level, text: &str) -> Option<PyErr> {
    if is_repetition(text) {
        return None;
    }
    let name = match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let logged = |py: Python<'_>| -> PyResult<()> {
        let logger = py.import("logging")?.call_method1("getLogger", ("calltape",))?;
        logger.call_method1(name, ("calltape: %s", text))?;
        Ok(())
    };
    let keeping_the_exception = |py: Python<'_>| {
        let pending = PyErr::take(py);
        let raised = logged(py).err().filter(|raised| !raised.is_instance_of::<PyException>(py));
        if let Some(pending) = pending {
            pending.restore(py);
        }
        raised
    };
    // SAFETY: whoever logs holds the interpreter lock. `Python::attach` panics while the interpreter is being taken down.
    unsafe { Python::attach_unchecked(keeping_the_exception) }
}

fn is_repetition(text: &str) -> bool {
    let mut last = LAST.lock();
    let now = monotonic_ns();
    let repeated = last.as_ref().is_some_and(|(said, at)| said == text && now < at + REPEAT_AFTER_NS);
    if !repeated {
        *last = Some((text.to_owned(), now));
    }
    repeated
}

/// What capture has to say, until somebody logs it.
static LATER: Renewed<Vec<(Level, String)>> = Renewed::new(Vec::new());

/// Messages kept; more are the same over again for ever new types.
const MOST_LATER: usize = 16;

/// Leaves a message for the next one who logs.
pub(super) fn later(level: Level, text: String) {
    let mut later = LATER.lock();
    if later.len() < MOST_LATER {
        later.push((level, text));
    }
}

/// Whether the interpreter has been asked to log what waits.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Has what waits logged by the main thread, soon. Called on any thread, without the interpreter lock.
pub(super) fn announce() {
    if EXITING.load(Ordering::Relaxed) || ASKED.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: may be called on any thread while there is an interpreter, which there is until it has begun to exit. When
    // too many calls wait already it refuses, and the next line asks again.
    if unsafe { ffi::Py_AddPendingCall(Some(log_announced), std::ptr::null_mut()) } != 0 {
        ASKED.store(false, Ordering::Relaxed);
    }
}

/// What logging raises is dropped, but for what is no `Exception`: Ctrl-C, pressed meanwhile, is the program's.
extern "C" fn log_announced(_nothing: *mut c_void) -> c_int {
    ASKED.store(false, Ordering::Relaxed);
    let logged = catch_unwind(|| running().and_then(|running| try_log_pending(&running)));
    match logged {
        Ok(None) | Err(_) => 0,
        Ok(Some(raised)) => {
            // SAFETY: the interpreter makes pending calls with its lock held.
            unsafe { Python::attach_unchecked(|py| raised.restore(py)) };
            -1
        }
    }
}

/// In a forked child: what waits is the parent's to say.
///
/// # Safety
/// The calling thread is the only one, and logs nothing.
pub(super) unsafe fn forget() {
    // SAFETY: passed on.
    unsafe {
        LAST.renew(None);
        LATER.renew(Vec::new());
    }
    // A call that the parent asked for is the parent's.
    ASKED.store(false, Ordering::Relaxed);
}

/// Logs what the recorder's background thread and capture have left.
pub(super) fn log_pending(running: &Running) {
    let _ = try_log_pending(running);
}

fn try_log_pending(running: &Running) -> Option<PyErr> {
    let later = std::mem::take(&mut *LATER.lock());
    let mut raised = None;
    for (level, text) in later.into_iter().chain(running.recorder.take_messages()) {
        raised = try_log(level, &text).or(raised);
    }
    raised
}
