//! Which calls a command is about: the options that all commands which read calls share. Holds no behaviour but how one
//! option's text is read; [`crate::asked`] makes a filter of them.

use calltape_engine::query::parse_run;
use calltape_record::Status;
use clap::Args;

use crate::commands::status_word;
use crate::text::span;

/// Every way a call can stand.
const STATUSES: [Status; 7] = [
    Status::Ok,
    Status::Error,
    Status::Cancelled,
    Status::Closed,
    Status::Abandoned,
    Status::Running,
    Status::Interrupted,
];

/// The language of conditions, for the help of the commands that take one.
pub(super) const CONDITION_HELP: &str = "\
Conditions: comparisons joined by and, or, not and parentheses.
  args.user_id = 42             an argument; a part of one: args.order.lines[0]
  result.status >= 500          a part of the result
  function ~ '^shop\\.'          a column, and a regular expression
  status in (error, cancelled)  one of several
  duration > 50ms               spans: ns us ms s m h d
  started >= '09:00'            times: 10m (ago), 09:00, 2026-10-14T09:00
  has args.coupon               whether it is there at all

Operators: = != < <= > >= ~ !~ in. Columns: function group kind status duration active started error_type \
error_message thread task pid host run parent root id weight yields. What is not there meets no comparison.";

/// Which calls: what is given must all be met.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which calls")]
pub(crate) struct CallOptions {
    /// Only calls that meet this condition: 'args.user_id = 42'; `calltape find --help` has the language
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: Option<String>,
    /// Only calls that stand so: ok, error, cancelled, closed, abandoned, running, interrupted; several with commas
    #[arg(long = "status", value_name = "STATUS", value_delimiter = ',', value_parser = status)]
    pub(crate) statuses: Vec<Status>,
    /// Only calls that raised this: ValueError, shop.errors.PaymentFailed, 'shop.errors.*'
    #[arg(long, value_name = "TYPE")]
    pub(crate) error_type: Option<String>,
    /// Only calls of functions of this group; a glob
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Only calls that began since: 10m, 2h, 3d, 09:00, yesterday, or a time such as 2026-10-14T09:00
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Only calls that began until then; written as --since
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// Only calls that took at least so long: 50ms, 1.5s
    #[arg(long, value_name = "SPAN", value_parser = nanoseconds)]
    pub(crate) slower_than: Option<u64>,
    /// Only calls that took at most so long
    #[arg(long, value_name = "SPAN", value_parser = nanoseconds)]
    pub(crate) faster_than: Option<u64>,
    /// Only calls in threads of this name; a glob
    #[arg(long, value_name = "NAME")]
    pub(crate) thread: Option<String>,
    /// Only calls in tasks of this name; a glob
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<String>,
    /// Only calls of this process
    #[arg(long, value_name = "PID", value_parser = pid)]
    pub(crate) pid: Option<i64>,
    /// Only calls of this run, as `calltape show` and `calltape stats` write it
    #[arg(long, value_name = "RUN", value_parser = run_id)]
    pub(crate) run: Option<u64>,
    /// Only calls that this call made itself
    #[arg(long, value_name = "ID", value_parser = call_id)]
    pub(crate) parent: Option<u64>,
    /// Only calls of this outermost call's tree, itself included
    #[arg(long, value_name = "ID", value_parser = call_id)]
    pub(crate) root: Option<u64>,
}

fn status(text: &str) -> Result<Status, String> {
    let word = text.trim().to_lowercase();
    STATUSES.into_iter().find(|&status| status_word(status) == word).ok_or_else(|| {
        let words: Vec<&str> = STATUSES.into_iter().map(status_word).collect();
        format!("a call is one of {}", words.join(", "))
    })
}

fn nanoseconds(text: &str) -> Result<u64, String> {
    span::parse(text).ok_or_else(|| format!("give {}", span::EXAMPLES))
}

fn call_id(text: &str) -> Result<u64, &'static str> {
    text.trim().parse().map_err(|_| "an id is a whole number; `calltape tail` and `calltape errors` show them")
}

pub(crate) fn run_id(text: &str) -> Result<u64, &'static str> {
    parse_run(text).ok_or("a run is 16 digits as `calltape stats` and `calltape show` have them")
}

fn pid(text: &str) -> Result<i64, &'static str> {
    text.trim().parse().ok().filter(|pid| *pid >= 0).ok_or("a process is a whole number; `calltape stats` shows them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_of_those_the_tape_has() {
        assert_eq!(status(" Error"), Ok(Status::Error));
        assert!(status("failed").unwrap_err().contains("interrupted"));
    }
}
