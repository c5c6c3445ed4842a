//! Lines for the program's log. The drain cannot log itself, because it never attaches to Python: it leaves lines here,
//! and the Python side takes them when it next runs. The same line is not repeated within a minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use calltape_journal::monotonic_ns;

/// How serious a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Things are well again.
    Info,
    /// Something is kept from working for now; nothing is lost yet.
    Warning,
    /// Something needs a person.
    Error,
}

/// Between two lines that are the same.
const REPEAT_NS: u64 = 60_000_000_000;

/// Lines kept until they are taken; beyond, new ones are left out.
const MOST: usize = 100;

#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<(Level, String)>,
    said: HashMap<String, u64>,
}

/// Lines that wait to be logged.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    lines: Mutex<Lines>,
}

impl Messages {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a line.
    pub(crate) fn say(&self, level: Level, text: String) {
        let now = monotonic_ns();
        let mut lines = self.lines();
        lines.said.retain(|_, said| now.saturating_sub(*said) < REPEAT_NS);
        if lines.waiting.len() < MOST && !lines.said.contains_key(&text) {
            lines.said.insert(text.clone(), now);
            lines.waiting.push((level, text));
        }
    }

    /// Takes the lines left since the last call.
    pub(crate) fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut self.lines().waiting)
    }
}
