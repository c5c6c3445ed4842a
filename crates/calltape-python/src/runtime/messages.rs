//! What calltape has to say goes to `logging.getLogger("calltape")`, seldom, and never in the middle of a call.
//!
//! The background thread never touches Python: it leaves its messages with the recorder, and whoever comes by with the
//! interpreter lock (flush, stats, stop, exit) logs them.

use calltape_journal::monotonic_ns;
use pyo3::prelude::*;

use super::{Renewed, Running};

pub(super) use calltape_engine::Level;

/// The same text is logged at most this often.
const REPEAT_AFTER_NS: u64 = 20_000_000_000;

static LAST: Renewed<Option<(String, u64)>> = Renewed::new(None);

/// Logs one line, with the interpreter lock held; a fault of the logging itself is dropped, as is a repetition within 20 seconds.
pub(super) fn log(level: Level, text: &str) {
    if is_repetition(text) {
        return;
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
        let _ = logged(py);
        if let Some(pending) = pending {
            pending.restore(py);
        }
    };
    // SAFETY: whoever logs holds the interpreter lock. `Python::attach` panics while the interpreter is being taken down.
    unsafe { Python::attach_unchecked(keeping_the_exception) };
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
}

/// Logs what the recorder's background thread and capture have left.
pub(super) fn log_pending(running: &Running) {
    let later = std::mem::take(&mut *LATER.lock());
    for (level, text) in later {
        log(level, &text);
    }
    for (level, text) in running.recorder.take_messages() {
        log(level, &text);
    }
}
