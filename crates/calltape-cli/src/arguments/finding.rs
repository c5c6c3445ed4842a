//! The arguments of the commands that look for calls: by a filter, by duration, those that run, those around one, and by
//! SQL. Holds no behaviour.

use std::sync::LazyLock;

use calltape_engine::query::Cursor;
use clap::Args;

use super::filter::{CONDITION_HELP, CallOptions};
use super::reading::{CALL_FIELDS, PATTERN_HELP, limit};

#[derive(Debug, Args)]
#[command(after_help = FIND_HELP.as_str())]
pub(crate) struct Find {
    /// At most so many calls
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = limit)]
    pub(crate) limit: usize,
    /// Go on after this call, the last of an earlier answer
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<Cursor>,
    /// The oldest first; without this the newest
    #[arg(long)]
    pub(crate) oldest_first: bool,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
    #[command(flatten)]
    pub(crate) calls: CallOptions,
}

static FIND_HELP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "A line a call, as `calltape tail` has them. All options must be met.\n\n{CONDITION_HELP}\n\nExamples:\n  \
        calltape find 'orders.*' --where 'args.user_id = 42' --status error --since 10m\n  \
        calltape find --slower-than 50ms --since 09:00 --until 09:30 --json\n  \
        calltape find place --where 'args.order.lines[0].sku in (A-1, B-22)'\n\n\
        Each line of --json: {CALL_FIELDS}."
    )
});

#[derive(Debug, Args)]
#[command(after_help = SLOW_HELP.as_str())]
pub(crate) struct Slow {
    /// At most so many calls
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = limit)]
    pub(crate) limit: usize,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
    #[command(flatten)]
    pub(crate) calls: CallOptions,
}

static SLOW_HELP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "The slowest first, a line a call as `calltape tail` has them. Above them how long calls take at all, and when \
        they ended: of all that ended, stored or only counted, where the question is about functions, groups and times alone.\n\nExamples:\n  calltape slow --since 1h\n  calltape slow orders.place --limit 5\n\n\
        Each line of --json: {CALL_FIELDS}."
    )
});

#[derive(Debug, Args)]
#[command(after_help = RUNNING_HELP.as_str())]
pub(crate) struct Running {
    /// At most so many calls
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = limit)]
    pub(crate) limit: usize,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
    #[command(flatten)]
    pub(crate) calls: CallOptions,
}

static RUNNING_HELP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "The calls that have begun and not ended, the oldest first, with how long they have run and where. A call appears \
        at the latest when it has run for a second. What a dead process left stands here until its journal is stored: \
        `calltape recover`; then it is `interrupted`.\n\n\
        Examples:\n  calltape running\n  calltape running 'orders.*' --json\n\n\
        Each line of --json: {CALL_FIELDS}, running_ns, alive. `running_ns` is how long it has run, in ns; `alive` whether \
        its process records still, null where nobody knows."
    )
});

#[derive(Debug, Args)]
#[command(after_help = "\
The callers up to the outermost one, the call, and what it made, also while it runs. Durations come first; what does not \
fit the limits is counted.

Examples:
  calltape tree 352334411220011
  calltape tree shop.api.handle --depth 3

Each line of --json: {depth, id, function, kind, status, started_ns, duration_ns, active_ns, yields, task, error_type, \
marked}, or {depth, callers_left_out}, or {depth, calls_left_out, at_least}.")]
pub(crate) struct Tree {
    /// The call's id, or a function: the last call of it
    #[arg(value_name = "ID or FUNCTION")]
    pub(crate) call: String,
    /// Levels above and below the call
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = limit)]
    pub(crate) depth: usize,
    /// At most so many calls
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = limit)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
One statement that reads. The views `calls`, `functions`, `function_minutes`, `runs`, `accounting` and `incidents` are the \
tape's format, which docs/tape-format.md describes; tables behind them may change. JSON is read as SQLite does: \
args ->> '$.order_id'.

Examples:
  calltape sql 'SELECT function, count(*) AS calls FROM calls GROUP BY function ORDER BY calls DESC'
  calltape sql \"SELECT id, args ->> '$.order_id' AS order_id FROM calls WHERE status = 'error'\" --json

Each line of --json: the columns of a row by name; bytes as hexadecimal text, and a name that comes twice with _2 behind \
it the second time.")]
pub(crate) struct Sql {
    /// The statement
    #[arg(value_name = "STATEMENT")]
    pub(crate) statement: String,
    /// At most so many rows
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = limit)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A side is a range of time, written as its two ends (2h..1h, 09:00..09:30, 1h..), or a run (run:last, run:<id>). A moment \
alone compares what came since with as long before it, a run alone with the run before it. By time figures are of whole \
minutes and of all calls that ended, stored or only counted; where more than functions and groups are asked for, they are of \
the rows. Of a run calls come from its books and the rest from its rows; where rows were removed, no durations are given.

First come the functions that stand out: called on one side only and at least 10 times, failing more or less often than \
chance explains, a median 1.3 times or a 95th percentile 1.5 times the other's where both sides have 30 calls. Then those \
whose time changed most.

Examples:
  calltape diff 10:30                      since the deployment at 10:30
  calltape diff yesterday..today today..
  calltape diff run:last --function 'orders.*'

Each line of --json: function, group, kind, stands_out, a_calls, a_errors, a_error_rate, a_total_ns, a_p50_ns, a_p95_ns, \
a_p99_ns, b_calls, b_errors, b_error_rate, b_total_ns, b_p50_ns, b_p95_ns, b_p99_ns, p50_ratio, p95_ratio, p99_ratio. \
`stands_out` is null, new, gone, slower, faster, fails more or fails less; a ratio is b / a.")]
pub(crate) struct Diff {
    /// A range of time, a moment or a run
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// What to compare it with
    #[arg(value_name = "B")]
    pub(crate) b: Option<String>,
    /// Only these functions: a name or a dotted part of one, a group, or a glob such as 'shop.*'
    #[arg(long, value_name = "PATTERN")]
    pub(crate) function: Option<String>,
    /// At most so many functions
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = limit)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) calls: CallOptions,
}
