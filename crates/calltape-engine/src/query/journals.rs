//! The journals beside a tape: what is recorded and not in the database yet, and whose it is. Looks, and never drains.

use std::ops::ControlFlow;

use calltape_journal::{Run, list_runs};

use super::Tape;
use super::accounting::beside;

/// One run's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalState {
    /// The run.
    pub run_id: u64,
    /// The process; `None` where the journal's head cannot be read.
    pub pid: Option<u32>,
    /// The program.
    pub program: Option<String>,
    /// Whether the process still records. What a dead one left, the next to record on this tape drains.
    pub alive: bool,
}

/// Bytes of records in a run's journal that no database holds yet.
pub(crate) fn waiting_in(run: &Run) -> u64 {
    let mut bytes = 0;
    for key in run.segments() {
        run.read(key.number, key.epoch, run.drained(key.number, key.epoch), |frame| {
            bytes += frame.payload.len() as u64;
            ControlFlow::Continue(())
        });
    }
    bytes
}

impl Tape {
    /// Bytes of records in all journals beside the tape that it does not hold yet. Reads those records.
    pub fn waiting_bytes(&self) -> u64 {
        let runs = list_runs(&beside(self.path(), ".tape")).unwrap_or_default();
        runs.iter().filter_map(|folder| Run::open(folder).ok()).map(|run| waiting_in(&run)).sum()
    }

    /// The journals beside the tape. A journal that cannot be opened, or that is drained away meanwhile, is left out.
    pub fn journals(&self) -> Vec<JournalState> {
        let mut states = Vec::new();
        for folder in list_runs(&beside(self.path(), ".tape")).unwrap_or_default() {
            let Ok(run) = Run::open(&folder) else { continue };
            let (pid, program) = run.identity().map(|process| (process.pid, process.program)).unzip();
            states.push(JournalState { run_id: run.id(), pid, program, alive: run.owner_is_alive() });
        }
        states
    }
}
