//! The lines of source that a failure's frames stood at, read when the failure is rendered: never by the caller.
//!
//! ```text
//! mod.rs      which line belongs to a frame; files and lines kept at hand
//! file.rs     a file read without waiting, or not at all
//! layout.rs   where the statements and the strings of a file begin
//! masked.rs   a line without its secrets
//! ```
//!
//! A line is only shown where it is the one that ran: the file has not changed since the call began. What is kept is
//! bounded, looked after once a batch, and dropped when the drain rests.

mod file;
mod layout;
mod masked;

use std::collections::HashMap;
use std::sync::Arc;

use calltape_record::value::SourceLines;
use calltape_redact::Names;

use file::{Source, Stamp};

/// Bytes of files and of what is known about them: the drain's share of what recording may take.
const MOST_BYTES: usize = 4 << 20;
/// Files known, those that cannot be read included.
const MOST_FILES: usize = 1_000;
/// Lines kept ready of one file.
const MOST_LINES: usize = 1_000;
/// Different lists of names: a program has one, and one for each function that changes it.
const MOST_NAMES: usize = 100;

/// Source files and their lines.
#[derive(Debug, Default)]
pub(super) struct Sources {
    files: HashMap<String, Known>,
    names: HashMap<Vec<String>, (u32, Option<Arc<Names>>)>,
    bytes: usize,
    /// Counts batches: a file is looked at again in each.
    round: u64,
    only_public: bool,
}

/// A file that has been looked at.
#[derive(Debug)]
struct Known {
    round: u64,
    /// `None` where it cannot be read.
    source: Option<Source>,
    /// Lines as they are shown, by their number and the names withheld.
    lines: HashMap<(u32, u32), Option<Box<str>>>,
}

impl Sources {
    /// Begins a batch. With `only_public`, files are left alone that not everybody may read: the tape belongs to somebody
    /// else than this process does.
    pub(super) fn begin(&mut self, only_public: bool) {
        self.round = self.round.wrapping_add(1);
        self.only_public = only_public;
    }

    /// The lines for a call that began at `started_ns` (Unix), by the names that its function changes. Without such a
    /// list nothing is known of what is to be withheld, and no line is shown.
    pub(super) fn lines(&mut self, sensitive_fields: Option<&[String]>, started_ns: i64) -> Lines<'_> {
        let names = sensitive_fields.and_then(|entries| self.names_of(entries));
        Lines { sources: self, names, started_ns }
    }

    fn names_of(&mut self, entries: &[String]) -> Option<(u32, Arc<Names>)> {
        if !self.names.contains_key(entries) {
            if self.names.len() >= MOST_NAMES {
                self.forget();
            }
            let words: Vec<&str> = entries.iter().map(String::as_str).collect();
            let number = self.names.len() as u32;
            self.names.insert(entries.to_vec(), (number, Names::with(&words).ok().map(Arc::new)));
        }
        let (number, names) = self.names.get(entries)?;
        Some((*number, Arc::clone(names.as_ref()?)))
    }

    fn forget(&mut self) {
        self.files.clear();
        self.names.clear();
        self.bytes = 0;
    }

    /// What is known of a file, looked at in this batch.
    fn known(&mut self, path: &str) -> Option<&mut Known> {
        let round = self.round;
        let is_fresh = self.files.get(path).is_some_and(|known| known.round == round);
        if !is_fresh {
            self.look_at(path);
        }
        self.files.get_mut(path)
    }

    /// Looks at a file again, and reads it if it is not the one that was read.
    fn look_at(&mut self, path: &str) {
        let round = self.round;
        if let Some(known) = self.files.get_mut(path) {
            known.round = round;
            let stamp = Stamp::of(path, self.only_public);
            if stamp == known.source.as_ref().map(|source| source.stamp) {
                return;
            }
            self.bytes -= known.bytes();
            self.files.remove(path);
        }
        let source = Source::read(path, self.only_public);
        let known = Known { round, source, lines: HashMap::new() };
        if self.bytes + known.bytes() > MOST_BYTES || self.files.len() >= MOST_FILES {
            self.files.clear();
            self.bytes = 0;
        }
        self.bytes += known.bytes();
        self.files.insert(path.to_owned(), known);
    }
}

impl Known {
    fn bytes(&self) -> usize {
        self.source.as_ref().map_or(0, Source::bytes)
    }
}

/// Lines for one failure.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    sources: &'a mut Sources,
    names: Option<(u32, Arc<Names>)>,
    started_ns: i64,
}

impl SourceLines for Lines<'_> {
    fn line(&mut self, file: &str, line: u32) -> Option<&str> {
        let (number, names) = self.names.as_ref()?;
        let known = self.sources.known(file)?;
        let source = known.source.as_ref().filter(|source| !source.stamp.may_have_changed_since(self.started_ns))?;
        if known.lines.len() >= MOST_LINES {
            known.lines.clear();
        }
        let shown = || masked::line(source, line.checked_sub(1)?, names).map(String::into_boxed_str);
        known.lines.entry((line, *number)).or_insert_with(shown).as_deref()
    }
}

#[cfg(test)]
mod tests;
