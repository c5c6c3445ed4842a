//! The connections of one tape. A question takes one that is idle or opens another, and gives it back: so threads do not
//! wait for each other, and a signal's handler may ask in the middle of a question.
//!
//! A forked child must not touch its parent's connections, not even to close them: it forgets them and opens its own.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use calltape_engine::query::{OpenError, Tape};
use pyo3::prelude::*;

use crate::runtime::{Guarded, fork};

/// Idle connections kept; as many threads that ask at once need open none anew.
const KEPT: usize = 4;

/// Between two looks whether a signal has come: Ctrl-C ends a question at once for a person, and the looks, which take
/// the interpreter lock, cost a busy program little.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What a signal's handler raised in the middle of a question.
type Raised = Arc<Mutex<Option<PyErr>>>;

/// A connection, and where it leaves what ended its question.
pub(super) struct Connection {
    pub(super) tape: Tape,
    raised: Raised,
    /// Forks between the first process and the one that opened it.
    forks: u32,
}

impl Connection {
    fn open(path: &Path, time_limit: Duration) -> Result<Self, OpenError> {
        let mut tape = Tape::open(path)?;
        tape.set_time_limit(time_limit);
        let raised = Raised::default();
        let kept = Arc::clone(&raised);
        let mut look_at = Instant::now() + BETWEEN_LOOKS;
        tape.set_interrupt(move || {
            let now = Instant::now();
            if now < look_at {
                return false;
            }
            look_at = now + BETWEEN_LOOKS;
            // `None` at the exit, where nobody waits for an answer.
            let Some(looked) = Python::try_attach(|py| py.check_signals()) else { return true };
            let raised = looked.err();
            let ends = raised.is_some();
            if ends {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = raised;
            }
            ends
        });
        Ok(Self { tape, raised, forks: fork::count() })
    }

    /// What ended the last question from outside.
    pub(super) fn take_raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A tape's connections.
pub(super) struct Pool {
    path: PathBuf,
    time_limit: Duration,
    forks: Guarded<Cell<u32>>,
    idle: Guarded<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(path: PathBuf, time_limit: Duration) -> Self {
        Self { path, time_limit, forks: Guarded::new(Cell::new(fork::count())), idle: Guarded::new(Vec::new()) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// A connection of this process's.
    pub(super) fn take(&self, py: Python<'_>) -> Result<Connection, OpenError> {
        self.forget_the_parents(py);
        // SAFETY: the interpreter lock is held, as `py` proves, and taking one calls nothing of the interpreter's.
        match unsafe { (*self.idle.get()).pop() } {
            Some(connection) => Ok(connection),
            None => py.detach(|| Connection::open(&self.path, self.time_limit)),
        }
    }

    /// Takes a connection back. One that was taken before a fork is forgotten.
    pub(super) fn give_back(&self, py: Python<'_>, connection: Connection) {
        if connection.forks != fork::count() {
            std::mem::forget(connection);
            return;
        }
        self.forget_the_parents(py);
        // SAFETY: as above.
        let idle = unsafe { &mut *self.idle.get() };
        if idle.len() < KEPT {
            idle.push(connection);
        } else {
            py.detach(|| drop(connection));
        }
    }

    /// Closes what is idle.
    pub(super) fn close(&self, py: Python<'_>) {
        self.forget_the_parents(py);
        // SAFETY: as above.
        let idle = unsafe { std::mem::take(&mut *self.idle.get()) };
        py.detach(|| drop(idle));
    }

    /// In a forked child: what the parent had open is leaked.
    fn forget_the_parents(&self, _py: Python<'_>) {
        // SAFETY: as above.
        unsafe {
            if (*self.forks.get()).replace(fork::count()) != fork::count() {
                std::mem::forget(std::mem::take(&mut *self.idle.get()));
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Not at the very end of the interpreter, where the system closes the files.
        let _ = Python::try_attach(|py| self.close(py));
    }
}
