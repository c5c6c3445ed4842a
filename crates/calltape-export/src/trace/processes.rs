//! The processes of a trace: a run each, under its own pid where no other run has it.

use std::collections::{HashMap, HashSet};

use calltape_engine::query::{Call, RunAccount};

use super::event::Events;

/// Above what Linux gives a process (`PID_MAX_LIMIT`): for a run whose pid another run has.
const OWN_PIDS: u32 = 1 << 22;

/// The runs of a tape, and which of them are processes of the trace already.
#[derive(Debug)]
pub(super) struct Processes {
    runs: HashMap<u64, RunAccount>,
    pids: HashMap<u64, u32>,
    taken: HashSet<u32>,
}

impl Processes {
    pub(super) fn new(runs: Vec<RunAccount>) -> Self {
        let runs = runs.into_iter().map(|run| (run.id, run)).collect();
        Self { runs, pids: HashMap::new(), taken: HashSet::new() }
    }

    /// The pid that stands for the call's run; named when it first does.
    pub(super) fn of(&mut self, call: &Call, events: &mut Events) -> u32 {
        if let Some(pid) = self.pids.get(&call.run_id) {
            return *pid;
        }
        let mut pid = u32::try_from(call.pid).unwrap_or(OWN_PIDS);
        if self.taken.contains(&pid) {
            pid = OWN_PIDS + u32::try_from(self.pids.len()).unwrap_or(0) + 1;
        }
        self.taken.insert(pid);
        self.pids.insert(call.run_id, pid);
        let program = self.runs.get(&call.run_id).map_or("", |run| run.program.as_str());
        let program = if program.is_empty() { "python" } else { program };
        events.process_name(pid, &format!("{program} (pid {} on {}, run {})", call.pid, call.host, call.run_id));
        pid
    }

    /// When the call's run ended, Unix ns: what was in flight ended then at the latest.
    pub(super) fn ended_ns(&self, call: &Call) -> Option<i64> {
        self.runs.get(&call.run_id)?.ended_ns
    }
}
