//! Having the tape: opening it, noticing that it is gone or damaged, putting that right where the drain can. Called by
//! `pass.rs` before and after a batch.
//!
//! - A file that was moved, deleted or replaced is left where it is; what its WAL held is moved into it first. The next
//!   batch goes to what stands at the path, or into a new tape.
//! - A file that was ours and is damaged is set aside whole, and a new tape begun.
//! - Anything else is handed up to the breaker.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use calltape_journal::{monotonic_ns, unix_ns};

use super::incidents::{SET_ASIDE, WAL_HELD};
use super::outcome::DrainError;
use super::pass::Drain;
use super::run::Followed;
use crate::store::{BooksRow, Store, StoreError, can_be_written, set_aside, was_our_tape};

/// Between two files set aside. On a disk or in memory that damages what is written, each would be the next.
const SET_ASIDE_EVERY_NS: u64 = 60_000_000_000;

impl Drain {
    /// Makes sure that there is an open database, in its place and whole, with room for a batch.
    pub(super) fn ready_store(&mut self) -> Result<(), DrainError> {
        let meanwhile = self.looks_after_journal();
        match &mut self.store {
            Some(store) => store.check_files(meanwhile)?,
            None => self.open_store(self.is_suspect)?,
        }
        self.is_suspect = false;
        if let Some(store) = &self.store {
            store.make_room()?;
        }
        Ok(())
    }

    /// Has the whole database looked over when it is opened, also where its file is as it was left.
    pub(crate) fn suspect_the_database(&mut self) {
        self.is_suspect = true;
    }

    /// What is to be done now and then while the database is checked.
    fn looks_after_journal(&self) -> impl Fn() + Send + 'static {
        let journal = self.own.clone();
        move || {
            if let Some(journal) = &journal {
                journal.maintain();
            }
        }
    }

    /// Opens the database; a suspect one is checked.
    fn open_store(&mut self, is_suspect: bool) -> Result<(), StoreError> {
        let mut store = Store::open(&self.db, self.wal_limit, is_suspect, self.looks_after_journal())?;
        if let Some(remains) = store.remains.take() {
            let db = self.db.display();
            self.warnings.push(format!("{db} is gone; its WAL is kept as {}-wal", remains.display()));
        }
        self.store = Some(store);
        self.is_anothers = owner(&self.tape).is_none_or(|owner| Some(owner) != owner_of_this_process());
        self.next_scan_ns = 0;
        Ok(())
    }

    /// Whether what stopped a pass is put right, so that it may be tried again at once.
    pub(super) fn put_right(&mut self, error: &DrainError) -> Result<bool, DrainError> {
        let DrainError::Store(error) = error else { return Ok(false) };
        if matches!(error, StoreError::Replaced(_)) {
            return Ok(self.leave_displaced(error));
        }
        let was_ours = self.store.is_some() || was_our_tape(&self.db);
        let changed = self.store.as_ref().filter(|_| error.may_be_of_the_schema()).and_then(Store::changed_schema);
        let is_damage = error.is_damage() || error.is_read_only() || changed.is_some();
        if !is_damage || !was_ours || monotonic_ns() < self.next_set_aside_ns {
            return Ok(false);
        }
        self.keep_books();
        if let Some(store) = self.store.take() {
            store.drop_as_it_is();
        }
        self.forget();
        if changed.is_none() && self.is_sound_after_all(error)? {
            return Ok(true);
        }
        if error.is_read_only() && !can_be_written(&self.db) {
            return Ok(false);
        }
        let name = set_aside(&self.db, unix_ns())?;
        self.next_set_aside_ns = monotonic_ns() + SET_ASIDE_EVERY_NS;
        let what = match (error, changed) {
            (_, Some(changed)) => format!("{} is damaged: {changed}", self.db.display()),
            (StoreError::Damaged { .. } | StoreError::NotSqlite(_), None) => error.to_string(),
            _ => format!("{} is damaged: {error}", self.db.display()),
        };
        let detail = format!("{what}; set aside as {}", name.display());
        self.incidents.happened(SET_ASIDE, &detail, unix_ns());
        self.errors_said.push(format!(
            "{detail}; a new tape is begun, and goes on with what was not stored yet. `calltape --db {} stats` shows what \
             can be read of the old one",
            name.display()
        ));
        Ok(true)
    }

    /// A read that failed can make SQLite take a sound file for a damaged one, and an open that failed for one that is
    /// read-only: it is opened again, and checked; but not twice without a batch in between.
    fn is_sound_after_all(&mut self, error: &StoreError) -> Result<bool, StoreError> {
        if self.was_found_sound || matches!(error, StoreError::Damaged { .. }) {
            return Ok(false);
        }
        match self.open_store(true) {
            Ok(()) => {
                self.was_found_sound = true;
                Ok(true)
            }
            Err(error) if error.is_damage() || error.is_read_only() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets go of a database that is not at its path any more, or whose WAL is not. False where a reader keeps rows in a
    /// WAL that only this process can still read: then it is kept until they are in the file.
    fn leave_displaced(&mut self, error: &StoreError) -> bool {
        // Displaced while it was opened: opened again.
        let Some(store) = self.store.take() else { return true };
        let is_rescued = store.rescue();
        let in_place = matches!(error, StoreError::Replaced(path) if *path != self.db);
        if in_place && !is_rescued {
            self.store = Some(store);
            return false;
        }
        self.keep_books();
        let kept = store.leave(is_rescued);
        self.forget();
        let mut detail = error.to_string();
        if let Some(kept) = kept {
            detail = format!("{detail}; its WAL is kept as {}-wal", kept.display());
        }
        if in_place {
            self.warnings.push(format!("{detail}; what it held is in the database"));
        } else {
            self.incidents.happened(SET_ASIDE, &detail, unix_ns());
            self.warnings
                .push(format!("{detail}; what is recorded from now on goes to what is there, or into a new tape"));
        }
        true
    }

    /// Keeps what is known of the books while a file is given up, for the tape that comes next.
    fn keep_books(&mut self) {
        for followed in self.runs.iter_mut().filter(|followed| followed.loaded) {
            let books = followed.committed_books();
            self.earlier.insert(followed.run.id(), books);
        }
    }

    /// Whether no batch is begun for a reader that stays.
    pub(super) fn waits_for_a_reader(&self) -> bool {
        self.incidents.lasts(WAL_HELD)
    }

    /// A database that waits for a reader's end: said, and kept open.
    pub(super) fn wal_is_held(&mut self, error: &DrainError) {
        if !self.incidents.lasts(WAL_HELD) {
            let text = error.to_string();
            let detail = text.strip_prefix(WAL_HELD).map_or(text.as_str(), |rest| rest.trim_start_matches(": "));
            self.incidents.begins(WAL_HELD, detail, unix_ns());
            self.warnings.push(format!("{text}; calls wait in the journal until then"));
        }
    }
}

impl Followed {
    /// The books as committed, what stands in other files added to what is stored.
    fn committed_books(&mut self) -> Vec<BooksRow> {
        let facts = &mut self.facts;
        for (slot, before) in facts.undo.drain(..).rev() {
            facts.books[slot as usize] = before;
        }
        let elsewhere = |slot: usize| facts.elsewhere.get(slot).copied().unwrap_or(0);
        let whole = |(slot, books): (usize, &BooksRow)| BooksRow { stored: books.stored + elsewhere(slot), ..*books };
        facts.books.iter().enumerate().map(whole).collect()
    }
}

/// The user that a file belongs to.
fn owner(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|metadata| metadata.uid())
}

fn owner_of_this_process() -> Option<u32> {
    owner(Path::new("/proc/self"))
}
