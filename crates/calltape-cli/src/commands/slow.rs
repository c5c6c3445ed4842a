//! `calltape slow`: the calls that took longest, and how long calls take at all.

use calltape_engine::query::{CallFilter, Histogram, Tape};

use super::{call_line, nothing};
use crate::arguments::Slow;
use crate::asked;
use crate::entry::{Failure, Found};
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::{count, counted, duration};
use crate::text::sparkline::sparkline;
use crate::text::{histogram, times};

/// Columns of the line that shows when calls ended.
const ACTIVITY_WIDTH: usize = 30;

/// In fewer minutes there is no course to see.
const LEAST_MINUTES: i64 = 3;

/// Nanoseconds of a minute.
const MINUTE_NS: i64 = 60_000_000_000;

pub(crate) fn run(slow: &Slow, tape: &Tape, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let filter = asked::filter(slow.pattern.as_deref(), &slow.calls, output)?;
    let mut calls = tape.slowest(&filter, slow.limit)?;
    // What never ended took nobody knows how long.
    calls.retain(|call| call.duration_ns.is_some());
    if calls.is_empty() {
        nothing::say("no such call has ended", tape, &filter, output)?;
        return Ok(Found::Nothing);
    }
    // Where it is not to be had from the figures by the minute, every call would be read for it.
    if !json && filter.is_by_function() {
        let latency = tape.latency(&filter)?;
        if latency.count > calls.len() as u64 {
            write_histogram(&latency, output)?;
            write_activity(&filter, tape, output)?;
            output.line("")?;
        }
    }
    for call in &calls {
        call_line::write(call, json, output)?;
    }
    Ok(Found::Something)
}

/// How long calls take at all: the percentiles, and a bar for those that took about so long.
fn write_histogram(latency: &Histogram, output: &mut Output<'_>) -> Result<(), Failure> {
    let figures = [("p50", latency.p50_ns), ("p95", latency.p95_ns), ("p99", latency.p99_ns)];
    let figures: Vec<String> =
        figures.into_iter().filter_map(|(name, ns)| Some(format!("{name} {}", duration(ns?)))).collect();
    let head = output.paint(Tone::Strong, &format!("{} ended", counted(latency.count, "call", "calls")));
    output.line(&format!("{head}  {}", figures.join(" · ")))?;
    for line in histogram::lines(&latency.buckets) {
        let line = output.paint(Tone::Faint, &line);
        output.line(&line)?;
    }
    Ok(())
}

/// When they ended, where that was in more than a few minutes.
fn write_activity(filter: &CallFilter, tape: &Tape, output: &mut Output<'_>) -> Result<(), Failure> {
    // The figures by the minute are had by function, not by group.
    if filter.group.is_some() {
        return Ok(());
    }
    let minutes = tape.minutes(filter.functions.as_ref(), filter.range)?;
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else { return Ok(()) };
    if last.minute - first.minute < LEAST_MINUTES {
        return Ok(());
    }
    let points: Vec<(i64, u64)> = minutes.iter().map(|minute| (minute.minute, minute.calls)).collect();
    let most = minutes.iter().map(|minute| minute.calls).max().unwrap_or(0);
    let moment = |minute: i64| times::moment(minute.saturating_mul(MINUTE_NS), false, output.now, &output.zone);
    let (from, to, line) = (moment(first.minute), moment(last.minute), sparkline(&points, ACTIVITY_WIDTH));
    let text = output.paint(Tone::Faint, &format!("{line}  {from} to {to}, at most {} a minute", count(most)));
    Ok(output.line(&text)?)
}
