//! What `calltape diff` compares: two ranges of time, the times before and after a moment, or two runs.

use calltape_engine::query::{CallFilter, RunAccount, Side, Tape, TimeRange};

use crate::arguments::{Diff, run_id};
use crate::entry::Failure;
use crate::output::Output;
use crate::text::plain::plain;
use crate::text::{times, when};

/// Nanoseconds of a minute: figures by function are of whole ones.
const MINUTE_NS: i64 = 60_000_000_000;

/// A side, and what to call it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) side: Side,
    pub(super) name: String,
}

/// The two sides that `diff` asks for: A and B; where only A is given, what was before it and what came since.
pub(super) fn sides(
    diff: &Diff,
    filter: &CallFilter,
    tape: &Tape,
    output: &Output<'_>,
) -> Result<(Named, Named), Failure> {
    let whole_minutes = filter.is_by_function();
    let side = |option, text: &str| match text.strip_prefix("run:") {
        Some(run) => Ok(run_side(&named_run(option, run, tape)?)),
        None => range_side(range(option, text, output)?, whole_minutes, output),
    };
    match (&diff.b, diff.a.strip_prefix("run:")) {
        (Some(b), _) => Ok((side("A", &diff.a)?, side("B", b)?)),
        (None, Some(run)) => {
            let after = named_run("A", run, tape)?;
            let before = run_before(&after, tape)?;
            Ok((run_side(&before), run_side(&after)))
        }
        (None, None) => around(&diff.a, whole_minutes, output),
    }
}

/// As long before the moment as has passed since.
fn around(text: &str, whole_minutes: bool, output: &Output<'_>) -> Result<(Named, Named), Failure> {
    if text.contains("..") {
        return Err(Failure::Usage(format!("A {text}: a range is compared with another; give B too, such as 1h..")));
    }
    let moment = when::parse("A", text, output.now, &output.zone).map_err(Failure::Usage)?;
    let now = i64::try_from(output.now.as_nanosecond()).unwrap_or(i64::MAX);
    let before =
        TimeRange { since_ns: Some(moment.saturating_sub(now.saturating_sub(moment))), until_ns: Some(moment) };
    let after = TimeRange { since_ns: Some(moment), until_ns: None };
    Ok((range_side(before, whole_minutes, output)?, range_side(after, whole_minutes, output)?))
}

fn range(option: &str, text: &str, output: &Output<'_>) -> Result<TimeRange, Failure> {
    let ends = when::range(option, text, output.now, &output.zone).map_err(Failure::Usage)?;
    Ok(TimeRange { since_ns: ends.0, until_ns: ends.1 })
}

/// A range up to its end and without it, so that two which meet share nothing.
fn range_side(range: TimeRange, whole_minutes: bool, output: &Output<'_>) -> Result<Named, Failure> {
    let grain = if whole_minutes { MINUTE_NS } else { 1 };
    let floor = |ns: i64| ns.div_euclid(grain).saturating_mul(grain);
    let (since, until) = (range.since_ns.map(floor), range.until_ns.map(floor));
    if since.zip(until).is_some_and(|(since, until)| since >= until) {
        return Err(Failure::Usage(
            "a side is of whole minutes, and this one has none: give it at least one".to_owned(),
        ));
    }
    let shown = |ns: Option<i64>, open: &str| {
        ns.map_or_else(|| open.to_owned(), |ns| times::moment(ns, false, output.now, &output.zone))
    };
    let name = format!("{} to {}", shown(since, "the beginning"), shown(until, "now"));
    let range = TimeRange { since_ns: since, until_ns: until.map(|until| until.saturating_sub(1)) };
    Ok(Named { side: Side::Range(range), name })
}

fn run_side(run: &RunAccount) -> Named {
    let name = format!("run {:016x} · {} · pid {}", run.id, plain(&run.program), run.pid);
    Named { side: Side::Run(run.id), name }
}

/// The run that `text` names: `last`, or its id.
fn named_run(option: &str, text: &str, tape: &Tape) -> Result<RunAccount, Failure> {
    let (runs, _) = tape.runs(usize::MAX)?;
    let is_wanted = match text {
        "last" => None,
        text => Some(run_id(text).map_err(|remedy| Failure::Usage(format!("{option} run:{text}: {remedy}")))?),
    };
    let found = runs.into_iter().find(|run| is_wanted.is_none_or(|id| run.id == id));
    found.ok_or_else(|| Failure::Usage(format!("{option} run:{text}: no such run; `calltape stats --json` lists them")))
}

/// The run that began last before `run`.
fn run_before(run: &RunAccount, tape: &Tape) -> Result<RunAccount, Failure> {
    let (runs, _) = tape.runs(usize::MAX)?;
    let before = runs.into_iter().filter(|other| other.id != run.id && other.started_ns <= run.started_ns);
    before
        .max_by_key(|other| other.started_ns)
        .ok_or_else(|| Failure::Usage(format!("A run:{:016x}: it is the first run on this tape; give A and B", run.id)))
}
