//! Draining as a process of its own: `calltape drain` beside programs that only append. The same worker as in a recording
//! process, with its lease, breaker and retention, and no journal of its own.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use calltape_journal::{Holder, Lease};

use crate::drain::{Running, Shared, Wish, Worker, spawn, tape_directory};
use crate::messages::Level;
use crate::settings::Settings;
use crate::stats::BreakerStats;
use crate::store::{StoreError, prepare_directory, prepare_tape};

/// How long a wait for the thread outlasts the deadline the thread itself was given.
const GRACE: Duration = Duration::from_millis(50);

/// Between two looks of [`Sidecar::catch_up`].
const LOOK: Duration = Duration::from_millis(20);

/// Why a sidecar could not be started.
#[derive(Debug)]
pub enum SidecarError {
    /// When the tape's path is a folder, or the folder of the tape or of its journals could not be made.
    Folder(StoreError),
    /// When the system has no thread to give.
    Thread(std::io::Error),
}

impl fmt::Display for SidecarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(fault) => fault.fmt(f),
            Self::Thread(fault) => write!(f, "the draining thread cannot be started: {fault}"),
        }
    }
}

impl std::error::Error for SidecarError {}

/// How a sidecar is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct SidecarStats {
    /// It has the writer lease; else another process drains.
    pub drains: bool,
    /// Calls it has stored, begun or ended.
    pub calls: u64,
    /// Batches it has committed.
    pub writes: u64,
    /// Its breaker.
    pub breaker: BreakerStats,
}

/// A drain without a recording.
pub struct Sidecar {
    settings: Settings,
    shared: Arc<Shared>,
    thread: Option<Running>,
}

impl fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sidecar").field("db", &self.settings.db).finish_non_exhaustive()
    }
}

impl Sidecar {
    /// Starts draining all journals of the tape that `settings` name, from now on and until [`Self::finish`]. Waits for
    /// the writer lease in the background.
    ///
    /// # Errors
    /// When a folder or the thread cannot be made. What is wrong with the database shows in [`Self::take_messages`].
    pub fn start(settings: &Settings) -> Result<Self, SidecarError> {
        if settings.db.is_dir() {
            return Err(SidecarError::Folder(StoreError::NotAFile(settings.db.clone())));
        }
        prepare_directory(&settings.db).map_err(SidecarError::Folder)?;
        prepare_tape(&tape_directory(&settings.db)).map_err(SidecarError::Folder)?;
        let shared = Arc::new(Shared::new());
        let worker = Worker::new(settings, None, Arc::clone(&shared));
        let thread = spawn(Box::new(worker)).map_err(|(_, fault)| SidecarError::Thread(fault))?;
        Ok(Self { settings: settings.clone(), shared, thread: Some(thread) })
    }

    /// Waits until all that was recorded before the call is committed; false when `is_over` says so first. With
    /// another process draining there is nothing to wait for.
    pub fn catch_up(&self, is_over: &dyn Fn() -> bool) -> bool {
        let ticket = self.shared.want_flush();
        while !self.shared.is_served(ticket) {
            if is_over() {
                return false;
            }
            self.shared.wait(Instant::now() + LOOK, LOOK, |_| self.shared.is_served(ticket));
        }
        true
    }

    /// Who has the writer lease now.
    pub fn holder(&self) -> Option<Holder> {
        Lease::holder(&tape_directory(&self.settings.db)).ok().flatten()
    }

    /// How it is doing.
    pub fn stats(&self) -> SidecarStats {
        let figures = self.shared.figures();
        SidecarStats { drains: figures.drains, calls: figures.calls, writes: figures.writes, breaker: figures.breaker }
    }

    /// Takes the lines that gathered since the last call.
    pub fn take_messages(&self) -> Vec<(Level, String)> {
        self.shared.messages.take()
    }

    /// Stores what there is until the time is over, closes the database and gives the lease back; false when the thread
    /// was still in the middle of a batch then.
    pub fn finish(&mut self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        self.shared.wish(Wish::Finish(deadline));
        let stopped = self.shared.wait(deadline + GRACE, GRACE, |figures| figures.stopped);
        if let Some(thread) = self.thread.take().filter(|_| stopped) {
            // Dropping the worker closes the database.
            drop(thread.join());
        }
        stopped
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.shared.wish(Wish::Abandon);
            drop(thread.join());
        }
    }
}
