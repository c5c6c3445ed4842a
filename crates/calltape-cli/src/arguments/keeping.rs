//! The arguments of the commands that change a tape, look it over, or are about calltape itself. Holds no behaviour.

use std::time::Duration;

use calltape_engine::settings;
use clap::Args;
use clap_complete::Shell;

use crate::text::span;

pub(super) const DOCTOR_HELP: &str = "\
Reads the whole database, which takes seconds for a gigabyte, and changes nothing.

Exit codes: 0 all is well, 1 there is something to do, 2 there is neither a tape nor a journal.

Each line of --json: area, ok, found, remedy. `area` is settings, sqlite, database, accounting, incidents, journal, lease, \
disk or permissions; `remedy` is null where `ok` is true.";

#[derive(Debug, Args)]
#[command(after_help = "\
A process that records on the tape does this by itself, within a second; then this says so. The database is looked over \
first, which takes seconds for a gigabyte: one that is damaged is set aside. One that is gone is made again. Each run is \
a line: what was stored of it, which calls were interrupted, what nobody can tell any more.

Examples:
  calltape recover
  calltape recover --wait && calltape tail

Each line of --json: run_id, pid, host, program, ending, calls, stored, stored_now, interrupted, unknown, damaged.")]
pub(crate) struct Recover {
    /// While another process drains, wait until it has stored what the dead left
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Without options it removes what the settings say (retention_age, retention_errors, retention_minutes, retention_size); with \
options only what they say, but that failed calls stay as long as the setting retention_errors says, and with \
--errors-older-than alone the others as long as retention_age does. Calls count from their end. By size the oldest successes go first; calls that failed or were \
interrupted go when that is not enough. Calls that run are never removed. What is removed is counted: `calltape stats`. \
Needs the tape for itself: a program that records removes by its own settings.

Examples:
  calltape prune --older-than 3d
  calltape prune --larger-than 500MiB --dry-run

--json: one object: successes, errors, minutes, runs, names, by_size, bytes_before, bytes_after, dry_run. `by_size` is \
the estimate of a dry run; else null.")]
pub(crate) struct Prune {
    /// Remove calls that ended so long ago or earlier: 12h, 3d
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Option<Duration>,
    /// Of calls that failed, remove those that ended so long ago: 30d. Without this the setting retention_errors says
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) errors_older_than: Option<Duration>,
    /// Remove the oldest calls until the database takes no more than this: 500MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) larger_than: Option<u64>,
    /// Only say what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn age(text: &str) -> Result<Duration, String> {
    if is_bare(text) {
        return Err(format!("{} of what? an age is {}", text.trim(), span::EXAMPLES));
    }
    let age = settings::time(text.trim()).or_else(|| span::parse(text).map(Duration::from_nanos));
    let age = age.ok_or_else(|| format!("an age is {}", span::EXAMPLES))?;
    if age.is_zero() {
        Err("0 would remove every call that has ended; to do that give 1ms".to_owned())
    } else {
        Ok(age)
    }
}

fn size(text: &str) -> Result<u64, String> {
    const A_SIZE: &str = "a size is a number and a unit, such as 500MiB or 2GiB";
    let bytes = settings::bytes(text.trim()).ok_or(A_SIZE)?;
    match bytes {
        0 => Err("0 would remove every call that has ended; to do that give 1k".to_owned()),
        _ if is_bare(text) => Err(format!("{} of what? {A_SIZE}", text.trim())),
        _ => Ok(bytes),
    }
}

/// Whether a number stands there without a unit. A setting may do so; what removes calls may not rest on a guess.
fn is_bare(text: &str) -> bool {
    let text = text.trim();
    !text.ends_with(|last: char| last.is_ascii_alphabetic()) && text.contains(|digit: char| matches!(digit, '1'..='9'))
}

#[derive(Debug, Args)]
#[command(after_help = "\
The drain as a process of its own: beside programs whose setting `drain` is `elsewhere`, which then only append. It takes \
the writer lease when it is free, stores what all programs on the tape record, keeps the tape within its limits, and \
survives a database that is locked, full or gone. Ctrl-C or SIGTERM: it commits what it has and ends.

Examples:
  CALLTAPE_DRAIN=elsewhere python app.py & calltape drain
  calltape drain --once

--json: one object at its end: calls, writes, drained.")]
pub(crate) struct Drain {
    /// End when everything there is has been stored
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The strongest source that names a setting decides: an argument of calltape.start(), then CALLTAPE_<NAME> in the \
environment, then [tool.calltape] in the nearest pyproject.toml, then the default. This shows what a program started \
here would take, but for its own arguments. A value that cannot be used is named, and what is taken instead.

Exit codes: 0 all values can be used, 1 some cannot, 2 no setting has that name.

Examples:
  calltape config
  calltape config retention_size journal_limit

Each line of --json: setting, value, from, default, unit, environment, help.")]
pub(crate) struct Config {
    /// Only these settings, with what they do and how to set them
    #[arg(value_name = "SETTING")]
    pub(crate) settings: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  calltape completions bash > ~/.local/share/bash-completion/completions/calltape
  calltape completions zsh > ~/.zfunc/_calltape       with fpath+=~/.zfunc before compinit
  calltape completions fish > ~/.config/fish/completions/calltape.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}
