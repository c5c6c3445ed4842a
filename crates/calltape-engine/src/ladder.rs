//! Which journal a recording gets: the best there is room for. Called once, by `recorder.rs`, when a run begins.
//!
//! ```text
//! file      <db>.tape/, up to journal_limit; survives the process
//! small     the same, 2 MiB at first and 4 MiB at most: little disk, little address space
//! memory    512 KiB of the process; a SIGKILL takes it, and only this process can drain it
//! counting  counters only: every call is counted as dropped
//! ```
//!
//! Never fails for want of room or rights: only a setting that cannot be used is an error, and memory that does not
//! even suffice for counters.

use calltape_journal::{Journal, JournalError, Options, Run, RunIdentity};

use crate::drain::tape_directory;
use crate::recorder::StartError;
use crate::settings::Settings;
use crate::store::prepare_directory;

/// A kind of journal, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rung {
    /// Files, of the size that was asked for.
    File,
    /// Small files.
    Small,
    /// Memory of the process.
    Memory,
    /// No records, only counts.
    Counting,
}

const LADDER: [Rung; 4] = [Rung::File, Rung::Small, Rung::Memory, Rung::Counting];

impl Rung {
    /// As `stats` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Rung::File => "file",
            Rung::Small => "small",
            Rung::Memory => "memory",
            Rung::Counting => "counting",
        }
    }

    /// As the tape's incidents call it; None for the top.
    pub(crate) fn incident(self) -> Option<&'static str> {
        match self {
            Rung::File => None,
            Rung::Small => Some("small journal"),
            Rung::Memory => Some("journal in memory"),
            Rung::Counting => Some("counting only"),
        }
    }

    /// The line for the log; None for the top.
    fn line(self, why: &str) -> Option<String> {
        let what = match self {
            Rung::File => return None,
            Rung::Small => "the journal is small (2 MiB at most)",
            Rung::Memory => {
                "the journal is in memory (512 KiB at most): what is not in the database when this process is killed is lost"
            }
            Rung::Counting => "calls are only counted, none is stored",
        };
        Some(format!("{what}: {why}"))
    }
}

/// A journal that was begun.
pub(crate) struct Begun {
    pub(crate) journal: Journal,
    pub(crate) run: Run,
    pub(crate) rung: Rung,
    /// Why it is no better one; empty at the top.
    pub(crate) why: String,
}

impl Begun {
    /// The line for the log; None for the top.
    pub(crate) fn line(&self) -> Option<String> {
        self.rung.line(&self.why)
    }
}

/// Makes the best journal there is room for.
pub(crate) fn begin(settings: &Settings, identity: &RunIdentity, options: &Options) -> Result<Begun, StartError> {
    let mut why = None;
    for rung in LADDER {
        match step(rung, settings, identity, options) {
            Ok((journal, run)) => return Ok(Begun { journal, run, rung, why: why.unwrap_or_default() }),
            Err(wrong @ StartError::Journal(JournalError::Options(_))) => return Err(wrong),
            Err(fault) if rung == Rung::Counting => return Err(fault),
            // The first says most: what comes after fails for the same cause or a smaller one.
            Err(fault) => {
                why.get_or_insert_with(|| fault.to_string());
            }
        }
    }
    unreachable!("the last rung returned")
}

fn step(
    rung: Rung,
    settings: &Settings,
    identity: &RunIdentity,
    options: &Options,
) -> Result<(Journal, Run), StartError> {
    let journal = match rung {
        Rung::File | Rung::Small => {
            prepare_directory(&settings.db).map_err(StartError::Folder)?;
            let options = if rung == Rung::File { options } else { &Options::small() };
            Journal::create(&tape_directory(&settings.db), identity, options)
        }
        Rung::Memory => Journal::in_memory(identity, &Options::in_memory()),
        Rung::Counting => Journal::in_memory(identity, &Options::counting()),
    };
    let journal = journal.map_err(StartError::Journal)?;
    let run = journal.open_run().map_err(StartError::Journal)?;
    Ok((journal, run))
}
