//! Lines for the program's log. The drain cannot log itself, because it never attaches to Python: it leaves lines here,
//! tells the Python side so, and that takes them when it next runs. Within a minute the same line is not repeated without
//! another in between, and not more than a few times at all.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

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

/// A line is said at most so often within [`REPEAT_NS`]: a state that changes to and fro is to be seen as it is, and does
/// not fill a log.
const MOST_REPEATS: u32 = 6;

#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<(Level, String)>,
    last: String,
    /// When a line was first said, and how often since.
    said: HashMap<String, (u64, u32)>,
}

/// Lines that wait to be logged.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    lines: Mutex<Lines>,
    announce: OnceLock<fn()>,
}

impl Messages {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a line.
    pub(crate) fn say(&self, level: Level, text: String) {
        let now = monotonic_ns();
        let mut lines = self.lines();
        lines.said.retain(|_, (first, _)| now.saturating_sub(*first) < REPEAT_NS);
        let times = lines.said.get(&text).map_or(0, |(_, times)| *times);
        if lines.waiting.len() >= MOST || times >= MOST_REPEATS || (times > 0 && lines.last == text) {
            return;
        }
        lines.said.entry(text.clone()).or_insert((now, 0)).1 += 1;
        lines.last.clone_from(&text);
        lines.waiting.push((level, text));
        drop(lines);
        if let Some(announce) = self.announce.get() {
            announce();
        }
    }

    /// Has `announce` called on the thread that leaves a line; it must be quick and take nothing. The first setting stays.
    pub(crate) fn announce_by(&self, announce: fn()) {
        let _ = self.announce.set(announce);
    }

    /// Takes the lines left since the last call.
    pub(crate) fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut self.lines().waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(messages: &Messages) -> Vec<String> {
        messages.take().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn a_line_is_repeated_only_where_another_came_between_and_a_few_times_at_most() {
        let messages = Messages::default();
        for text in ["fails", "fails", "works", "fails"] {
            messages.say(Level::Warning, text.to_owned());
        }
        assert_eq!(said(&messages), ["fails", "works", "fails"]);
        for _ in 0..20 {
            messages.say(Level::Info, "works".to_owned());
            messages.say(Level::Warning, "fails".to_owned());
        }
        assert!(said(&messages).len() <= 2 * MOST_REPEATS as usize);
    }
}
