//! The arguments of the commands that read a tape. Holds no behaviour.

use std::sync::LazyLock;

use clap::{Args, ValueEnum};

use super::filter::CallOptions;

/// The fields of a call's JSON: the columns of the view `calls` but the traceback.
pub(super) const CALL_FIELDS: &str = "id, parent_id, root_id, function, group, kind, status, started_ns, started_at, \
    duration_ns, active_ns, yields, args, result, error_type, error_message, thread, task, pid, host, run_id, weight";

pub(super) const PATTERN_HELP: &str =
    "Only these functions: a name or a dotted part of one, a group, or a glob such as 'shop.*'";

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
    /// Only calls that ended since: 10m, 2h, 3d, 09:00, yesterday, or a time such as 2026-10-14T09:00; whole minutes
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Only calls that ended until then; written as --since
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// What to sort by
    #[arg(long, value_name = "COLUMN", value_enum, default_value_t = SortColumn::Total)]
    pub(crate) sort: SortColumn,
    /// At most so many functions
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = limit)]
    pub(crate) limit: usize,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
}

/// How many are shown at most.
pub(super) fn limit(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(0) => Err("0 would show nothing; give 1 or more"),
        Ok(limit) => Ok(limit),
        Err(_) => Err("give a whole number, 1 or more"),
    }
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

static TAIL_HELP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "A line a call: id, when it began, how long it took, what it was called with and what the program set while it \
        ran, what came back. With -f a call appears when it ends; one that takes longer than a second also appears while \
        it runs.\n\nExamples:\n  calltape tail -f\n  calltape tail -f --status error\n  \
        calltape tail -n 100 place --json\n\nEach line of --json: {CALL_FIELDS}."
    )
});

#[derive(Debug, Args)]
#[command(after_help = TAIL_HELP.as_str())]
pub(crate) struct Tail {
    /// Go on with the calls that come
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Begin with the last N calls
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20)]
    pub(crate) lines: usize,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
    #[command(flatten)]
    pub(crate) calls: CallOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
`calltape tail` and `calltape errors` show ids. What is no number is a function, as in `calltape tail`.

Examples:
  calltape show 352334411220011
  calltape show orders.place

--json: one object with the fields of `tail --json` and file, line, python, program, traceback (the chain of \
exceptions, outermost first) and tree: a list of {depth, id, function, kind, status, started_ns, duration_ns, active_ns, \
yields, task, error_type, marked}, or {depth, callers_left_out}, or {depth, calls_left_out, at_least}.")]
pub(crate) struct Show {
    /// The call's id, or a function: the last call of it
    #[arg(value_name = "ID or FUNCTION")]
    pub(crate) call: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Errors are the same when the same function's calls ended in the same type of exception, raised at the same place. An \
exception that passes through several monitored functions counts in each. A call that was cancelled did not end in an \
error. Errors there was no room for are counted by kind and marked so; a kind of which none was stored has no last call.

Example:
  calltape errors --since 1h

Each line of --json: error_type, function, file, line, place, message_form, count, counted_only, first_seen_ns, last_seen_ns, \
last_message, last_call_id, last_source, last_traceback.")]
pub(crate) struct Errors {
    /// Only calls that began since: 10m, 2h, 3d, 09:00, yesterday, or a time such as 2026-10-14T09:00
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Only calls that began until then; written as --since
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// Only errors of this type: ValueError, shop.errors.PaymentFailed, 'shop.errors.*'
    #[arg(long, value_name = "TYPE")]
    pub(crate) error_type: Option<String>,
    /// At most so many groups
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = limit)]
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
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = limit)]
    pub(crate) limit: usize,
}
