//! The command line as clap reads it: every command, option and help text. Holds no behaviour.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use calltape_engine::settings;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Version of calltape and of the SQLite that reads.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!("{} (SQLite {})", env!("CARGO_PKG_VERSION"), calltape_engine::query::Tape::sqlite_version())
});

/// Read what calltape recorded: a flight recorder for Python function calls.
#[derive(Debug, Parser)]
#[command(
    name = "calltape",
    bin_name = "calltape",
    version = VERSION.as_str(),
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 found or done, 1 nothing found or something to do, 2 wrong usage, no tape, or it cannot be used.\n\nExamples:\n  \
        calltape top --since 10m          what was called, how often, how slow\n  \
        calltape tail -f 'orders.*'       calls as they happen\n  \
        calltape show 352334411220011     one call: arguments, result, error, call tree\n  \
        calltape --db run/calls.db errors what fails, and where"
)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Shared {
    /// The tape [default: CALLTAPE_DB, else `db` under [tool.calltape] in pyproject.toml, else .calltape/calls.db]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,
    /// One JSON object a line instead of text for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to colour; auto is on a terminal, without NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Times in UTC instead of local time
    #[arg(long, global = true)]
    pub(crate) utc: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Functions: calls, errors, latency, time spent
    Top(Top),
    /// The last calls, and with -f the next as they happen
    Tail(Tail),
    /// One call: arguments, result, error and call tree
    Show(Show),
    /// Errors, grouped by type and place
    Errors(Errors),
    /// The recorder's health: is every call accounted for, and what does the tape take
    Stats(Stats),
    /// Look journal, database, books, settings and disk over: each is ok, or what to do
    #[command(after_help = DOCTOR_HELP)]
    Doctor,
    /// Store what processes that died left in their journals
    Recover(Recover),
    /// Remove calls that are too old, or too many
    Prune(Prune),
    /// Drain the journals of all programs that record on the tape, until stopped
    Drain(Drain),
}

const DOCTOR_HELP: &str = "\
Reads the whole database, which takes seconds for a gigabyte, and changes nothing.

Exit codes: 0 all is well, 1 there is something to do, 2 there is neither a tape nor a journal.

Each line of --json: area, ok, found, remedy. `area` is settings, sqlite, database, accounting, incidents, journal, lease, \
disk or permissions; `remedy` is null where `ok` is true.";

const PATTERN_HELP: &str = "Only these functions: a name or a dotted part of one, a group, or a glob such as 'shop.*'";

#[derive(Debug, Args)]
#[command(after_help = "\
Figures come from the tape's one-minute rollup. Percentiles are within 1.6 %, over the calls stored. Where calls were \
sampled out or dropped, `total` is scaled up by them and marked ~. It is wall time summed over threads, from call to \
end: a caller's includes its callees', a coroutine's its waiting. Calls that have not ended are not in the rollup: see `tail`.

Examples:
  calltape top --since 10m --sort p99
  calltape top 'shop.*' --limit 5

Each line of --json: function, group, kind, calls, stored, sampled_out, dropped, errors, total_ns, min_ns, max_ns, \
p50_ns, p95_ns, p99_ns. `total_ns` is of the stored calls.")]
pub(crate) struct Top {
    /// Only calls that ended since: 10m, 2h, 3d, or a time such as 2026-10-14T09:00; whole minutes
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// What to sort by
    #[arg(long, value_name = "COLUMN", value_enum, default_value_t = SortColumn::Total)]
    pub(crate) sort: SortColumn,
    /// At most so many functions
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
}

/// What `top` sorts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortColumn {
    Total,
    Calls,
    Errors,
    P50,
    P95,
    P99,
    Max,
    Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A line a call: id, when it began, how long it took, what it was called with and what the program set while it ran, what \
came back. With -f a call appears when it ends; one that takes longer than a second also appears while it runs.

Examples:
  calltape tail -f
  calltape tail -n 100 place --json

Each line of --json: id, parent_id, root_id, function, group, kind, status, started_ns, started_at, duration_ns, \
active_ns, yields, args, result, error_type, error_message, thread, task, pid, host, run_id, weight.")]
pub(crate) struct Tail {
    /// Go on with the calls that come
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Begin with the last N calls
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20)]
    pub(crate) lines: usize,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
`calltape tail` and `calltape errors` show ids.

Example:
  calltape show 352334411220011

--json: one object with the fields of `tail --json` and file, line, python, program, traceback (the chain of \
exceptions, outermost first) and tree: a list of {depth, id, function, kind, status, started_ns, duration_ns, active_ns, \
yields, task, error_type, marked}, or {depth, callers_left_out}, or {depth, calls_left_out, at_least}.")]
pub(crate) struct Show {
    /// The call's id
    #[arg(value_name = "ID", value_parser = call_id)]
    pub(crate) id: u64,
}

fn call_id(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "an id is a whole number; `calltape tail` and `calltape errors` show them")
}

#[derive(Debug, Args)]
#[command(after_help = "\
Errors are the same when the same function's calls ended in the same type of exception, raised at the same place. An \
exception that passes through several monitored functions counts in each. A call that was cancelled did not end in an \
error. Errors there was no room for are counted by kind and marked so; a kind of which none was stored has no last call.

Example:
  calltape errors --since 1h

Each line of --json: error_type, function, file, line, place, count, counted_only, first_seen_ns, last_seen_ns, \
last_message, last_call_id.")]
pub(crate) struct Errors {
    /// Only calls that began since: 10m, 2h, 3d, or a time such as 2026-10-14T09:00
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// At most so many groups
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
calls = stored + sampled out + dropped + in flight + unknown, for each function and in total.

Each line of --json is one of: {\"kind\":\"tape\", path, database_bytes, wal_bytes, journal_bytes, waiting_bytes, sqlite}, \
{\"kind\":\"total\" or \"function\", function, group, calls, stored, sampled_out, dropped, dropped_errors, pruned, in_flight, \
unknown}, {\"kind\":\"incident\", run_id, incident, began_ns, ended_ns, times, detail}, {\"kind\":\"lost_errors\", function, \
group, error_type, file, line, place, calls, first_ns, last_ns}, {\"kind\":\"run\", run_id, pid, host, program, python, \
started_ns, ended_ns, ending, and the books}, {\"kind\":\"journal\", run_id, pid, program, alive}, {\"kind\":\"set_aside\", \
path}. `unknown` is null where nobody can tell; `pruned` is of the stored.")]
pub(crate) struct Stats {
    /// At most so many functions and runs
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A process that records on the tape does this by itself, within a second; then this says so. A database that is gone is \
made again. Each run is a line: what was stored of it, which calls were interrupted, what nobody can tell any more.

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

fn age(text: &str) -> Result<Duration, &'static str> {
    let age = settings::time(text.trim()).ok_or("an age is a number and a unit, such as 12h, 3d or 90m")?;
    if age.is_zero() { Err("0 would remove every call that has ended; to do that give 1ms") } else { Ok(age) }
}

fn size(text: &str) -> Result<u64, &'static str> {
    let bytes = settings::bytes(text.trim()).ok_or("a size is a number and a unit, such as 500MiB or 2GiB")?;
    if bytes == 0 { Err("0 would remove every call that has ended; to do that give 1k") } else { Ok(bytes) }
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
