//! Finding the runs of a tape. A pass begins with it now and then: the own run, those of other processes, and those that
//! are in the database with their folder gone.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use calltape_journal::{Run, list_runs, unix_ns};

use super::incidents::SET_ASIDE;
use super::living::is_alive;
use super::outcome::DrainError;
use super::pass::Drain;
use super::run::Followed;
use super::settle::{LOST, settle};
use crate::store::OpenRun;

/// A file system's times are no finer than this: a second change within it may look like the first.
const FOLDER_TICK_NS: i64 = 20_000_000;

impl Drain {
    /// Whether a run's folder has come or gone since the last look: a short-lived process is found while it lasts.
    pub(super) fn folder_has_changed(&mut self) -> bool {
        let Ok(folder) = std::fs::metadata(&self.tape) else { return false };
        let changed = (folder.mtime(), folder.mtime_nsec());
        let is_news = self.folder_changed != Some(changed);
        let age_ns = unix_ns().saturating_sub(changed.0.saturating_mul(1_000_000_000).saturating_add(changed.1));
        self.folder_changed = (age_ns > FOLDER_TICK_NS).then_some(changed);
        is_news
    }

    /// Looks for runs: the own one, those of other processes, and those whose folder is gone.
    pub(super) fn scan(&mut self) -> Result<(), DrainError> {
        let Some(store) = &self.store else { return Ok(()) };
        let transaction = store.begin()?;
        let known = transaction.open_runs()?;
        let own_id = self.own.as_ref().map(|journal| journal.run_id());
        let folders = list_runs(&self.tape)
            .map_err(|fault| DrainError::Journal(format!("{} cannot be read: {fault}", self.tape.display())))?;
        let present: HashSet<u64> = folders.iter().filter_map(|folder| id_of(folder)).collect();
        self.runs.retain(|followed| followed.own || present.contains(&followed.run.id()));
        if let Some(journal) = self.own.as_ref().filter(|_| !self.own_ended)
            && !self.runs.iter().any(|followed| followed.own)
        {
            let run = journal.open_run().map_err(|fault| DrainError::Journal(fault.to_string()))?;
            self.runs.push(Followed::new(run, true));
            let highest = transaction.highest_id()?;
            if journal.run_id() < highest {
                journal.raise_ids(highest + 1);
            }
        }
        for folder in folders {
            let id = id_of(&folder);
            if id == own_id || self.runs.iter().any(|followed| Some(followed.run.id()) == id) {
                continue;
            }
            match Run::open(&folder) {
                Ok(run) => {
                    let damage = run.damage().map(|damage| format!("the journal {}: {damage}", folder.display()));
                    self.warnings.extend(damage);
                    self.runs.push(Followed::new(run, false));
                }
                Err(fault) if self.unreadable.insert(folder) => self.warnings.push(fault.to_string()),
                Err(_) => {}
            }
        }
        for followed in self.runs.iter_mut().filter(|followed| !followed.loaded) {
            let id = followed.run.id();
            let earlier = self.earlier.get(&id).map(Vec::as_slice);
            if !transaction.knows_run(id)? && (earlier.is_some() || followed.run.was_drained()) {
                let carried = followed.take_up(&transaction, earlier)?;
                self.carried.insert(id, carried);
                if !self.incidents.has(SET_ASIDE) {
                    self.incidents.happened(SET_ASIDE, "the database before this one was moved or deleted", unix_ns());
                }
            }
            followed.load(&transaction)?;
        }
        let gone = |run: &u64| !present.contains(run) && Some(*run) != own_id;
        let (living, dead): (Vec<_>, Vec<_>) = known.into_iter().filter(|run| gone(&run.id)).partition(is_alive);
        for OpenRun { id, .. } in dead {
            settle(&transaction, id, None, LOST)?;
            self.warnings.push(format!("the journal of run {id:016x} is gone; what it held is unknown"));
        }
        for OpenRun { id, pid, .. } in living.iter().filter(|run| !self.unlinked.contains(&run.id)) {
            self.warnings.push(format!(
                "the journal of run {id:016x} is gone, and process {pid} still records into it: only that process can \
                 store it; start it again to have a journal"
            ));
        }
        self.unlinked = living.iter().map(|run| run.id).collect();
        let gone = |run: &u64| gone(run) && !self.unlinked.contains(run);
        for run in transaction.runs_with_cursors()?.into_iter().filter(gone) {
            transaction.drop_cursors(run)?;
        }
        transaction.commit()?;
        Ok(())
    }
}

/// The run id in a folder's name.
fn id_of(folder: &Path) -> Option<u64> {
    u64::from_str_radix(folder.file_name()?.to_str()?, 16).ok()
}
