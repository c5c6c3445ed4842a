//! From the options of a command line to the engine's filter. Every refusal names the option and says what would do.

use calltape_engine::query::{CallFilter, Condition, DurationRange, FunctionPattern, TextPattern, TimeRange};

use crate::arguments::CallOptions;
use crate::entry::Failure;
use crate::output::Output;
use crate::text::figures::duration;
use crate::text::when;

/// The calls that `functions` and `options` ask for.
///
/// # Errors
/// When a time, a range or a condition makes no sense.
pub(crate) fn filter(
    functions: Option<&str>,
    options: &CallOptions,
    output: &Output<'_>,
) -> Result<CallFilter, Failure> {
    let glob = |text: &Option<String>| text.as_deref().map(TextPattern::glob);
    let condition = match &options.condition {
        Some(text) => Some(Condition::parse_at(text, output.now, &output.zone).map_err(Failure::Condition)?),
        None => None,
    };
    Ok(CallFilter {
        functions: functions.map(FunctionPattern::new),
        group: glob(&options.group),
        statuses: options.statuses.clone(),
        error_type: glob(&options.error_type),
        range: range(options.since.as_deref(), options.until.as_deref(), output)?,
        duration: durations(options)?,
        thread: glob(&options.thread),
        task: glob(&options.task),
        pid: options.pid,
        run_id: options.run,
        parent_id: options.parent,
        root_id: options.root,
        condition,
    })
}

/// `--since` and `--until` as a range.
///
/// # Errors
/// When one says no time, or nothing can lie between them.
pub(crate) fn range(since: Option<&str>, until: Option<&str>, output: &Output<'_>) -> Result<TimeRange, Failure> {
    let moment = |option, text: Option<&str>| {
        text.map(|text| when::parse(option, text, output.now, &output.zone)).transpose().map_err(Failure::Usage)
    };
    let (since_ns, until_ns) = (moment("--since", since)?, moment("--until", until)?);
    match (since_ns, until_ns, since, until) {
        (Some(from), Some(to), Some(since), Some(until)) if from > to => {
            Err(Failure::Usage(format!("--until {until} lies before --since {since}: no call began between them")))
        }
        _ => Ok(TimeRange { since_ns, until_ns }),
    }
}

fn durations(options: &CallOptions) -> Result<DurationRange, Failure> {
    match (options.slower_than, options.faster_than) {
        (Some(least), Some(most)) if least > most => Err(Failure::Usage(format!(
            "--slower-than {} and --faster-than {}: no call took both",
            duration(least),
            duration(most)
        ))),
        (at_least_ns, at_most_ns) => Ok(DurationRange { at_least_ns, at_most_ns }),
    }
}
