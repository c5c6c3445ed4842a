//! The signals that ask a command to end, taken while it has something to put in order first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Ctrl-C, SIGTERM and SIGHUP, taken as long as this lives.
#[derive(Debug)]
pub(super) struct Signals {
    came: Arc<AtomicBool>,
    taken: Vec<SigId>,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        let mut signals = Self { came: Arc::clone(&came), taken: Vec::new() };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signals.taken.push(signal_hook::flag::register(signal, Arc::clone(&came))?);
        }
        Ok(signals)
    }

    pub(super) fn came(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for &signal in &self.taken {
            signal_hook::low_level::unregister(signal);
        }
    }
}
