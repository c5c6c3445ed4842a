//! The journal's folder, or the lease's file, deleted or moved under a process that records. Asked by `thread.rs` now and
//! then, whether or not the database can be written, and by `pass.rs` before a batch.
//!
//! - What was mapped is mapped still: the process records on, and drains its own journal, which nobody else can find.
//! - A lease without its name protects nothing: it is given up, and asked for anew at the path.
//! - Others may be in the same place, and each can only store its own: the lease goes round while one of them lives.

use calltape_journal::unix_ns;

use super::incidents::JOURNAL_DELETED;
use super::pass::Drain;

impl Drain {
    /// Looks whether the own journal and the lease are where they were made.
    pub(super) fn look_for_files(&mut self) {
        self.look_for_own_journal();
        if self.lease.as_ref().is_some_and(|lease| !lease.is_in_place()) {
            self.goes_round = true;
            self.give_up_lease();
            // Refused or impossible: asked again by whoever drives the drain, which says why.
            drop(self.take_lease());
        }
    }

    fn look_for_own_journal(&mut self) {
        // From its end on whoever has stored it all may remove it.
        let Some(own) = self.own.as_ref().filter(|_| !self.ending_own) else { return };
        self.own_is_gone = !own.is_in_place();
        if !self.own_is_gone || self.own_gone_said {
            return;
        }
        self.own_gone_said = true;
        let folder = own.directory().display().to_string();
        let detail =
            format!("{folder} was deleted or moved while its process recorded; a kill would lose what was not stored");
        self.incidents.of_run(own.run_id(), JOURNAL_DELETED, &detail, unix_ns());
        self.errors_said.push(format!(
            "the journal of this process, {folder}, was deleted or moved while it records: calls are still recorded and \
             stored in {}, but a kill loses those that are not stored yet; start the program again to have a journal, \
             and delete a tape only while nothing records on it",
            self.db.display()
        ));
    }

    /// Whether the own journal is not at its path, so that nobody but this process can store what is in it.
    pub(super) fn own_is_gone(&self) -> bool {
        self.own_is_gone
    }

    /// Whether another process may wait for the lease with a journal that only it can store.
    pub(super) fn lets_others_drain(&self) -> bool {
        self.own_is_gone || self.goes_round || !self.unlinked.is_empty()
    }
}
