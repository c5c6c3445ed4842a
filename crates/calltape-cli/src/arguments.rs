//! The command line as clap reads it: every command, option and help text. Holds no behaviour.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod export;
mod filter;
mod finding;
mod keeping;
mod reading;

pub(crate) use export::Export;
pub(crate) use filter::{CallOptions, run_id};
pub(crate) use finding::{Diff, Find, Running, Slow, Sql, Tree};
pub(crate) use keeping::{Completions, Config, Drain, Prune, Recover};
pub(crate) use reading::{Errors, Show, SortColumn, Stats, Tail, Top};

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
    after_help = "Exit codes: 0 found or done, 1 nothing found or something to do, 2 wrong usage, no tape, or it cannot be used, \
        130 stopped before there was an answer.\n\nExamples:\n  \
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
    /// The calls that meet a filter: by function, time, duration, status, arguments
    Find(Find),
    /// The slowest calls, and how long calls take
    Slow(Slow),
    /// The calls that have not ended, the oldest first
    Running(Running),
    /// One call: arguments, result, error and call tree
    Show(Show),
    /// The calls around one call: who made it, and what it made
    Tree(Tree),
    /// Errors, grouped by type and place
    Errors(Errors),
    /// What changed between two times or two runs; what stands out first
    Diff(Diff),
    /// A question of your own in SQL: read-only and limited
    Sql(Sql),
    /// Calls as a file for other tools: JSON Lines, CSV, Parquet, or a trace for Perfetto
    Export(Export),
    /// The recorder's health: is every call accounted for, and what does the tape take
    Stats(Stats),
    /// Look journal, database, books, settings and disk over: each is ok, or what to do
    #[command(after_help = keeping::DOCTOR_HELP)]
    Doctor,
    /// Store what processes that died left in their journals
    Recover(Recover),
    /// Remove calls that are too old, or too many
    Prune(Prune),
    /// Drain the journals of all programs that record on the tape, until stopped
    Drain(Drain),
    /// Each setting, its value, and where that comes from
    Config(Config),
    /// What makes the shell complete commands and options
    Completions(Completions),
}
