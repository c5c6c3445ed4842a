//! `calltape prune`: calls that are too old, or too many, are removed and counted.

use std::time::Duration;

use calltape_engine::Settings;
use calltape_engine::prune::{Pruned, prune};
use calltape_engine::query::{Beyond, Tape};
use calltape_engine::retention::{Limits, Room};

use crate::arguments::Prune;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::progress::Progress;
use crate::text::figures::{bytes, count, counted, duration};

pub(crate) fn run(
    arguments: &Prune,
    settings: &Settings,
    json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    let limits = limits(arguments, settings)?;
    if arguments.dry_run {
        return dry(&limits, settings, json, output);
    }
    let mut stopped = false;
    let progress = progress(&limits, settings, output);
    let pruned = prune(&settings.db, limits, now_ns(output), &mut |pruned| {
        let (calls, taken) = (pruned.successes + pruned.errors, taken(pruned.after));
        progress.show(calls, format!("{} removed, the tape takes {}", counted(calls, "call", "calls"), bytes(taken)));
        stopped = should_stop();
        !stopped
    });
    progress.clear();
    let pruned = pruned.map_err(|fault| Failure::Refused(fault.to_string()))?;
    if json {
        output.line(&object(&pruned).finish())?;
    } else {
        write(&pruned, stopped, output)?;
    }
    Ok(Found::Something)
}

/// A bar towards what a dry run would say is removed; on a terminal only, as saying so counts rows.
fn progress(limits: &Limits, settings: &Settings, output: &Output<'_>) -> Progress {
    let beyond = || Tape::open(&settings.db).ok()?.beyond(limits, now_ns(output)).ok();
    let due = if output.progress { beyond() } else { None };
    match due.map_or(0, |due| due.successes + due.errors + due.by_size) {
        0 => Progress::words(output.progress),
        calls => Progress::bar(output.progress, calls),
    }
}

/// With options what they say, without what the settings say. An age that is not given is the settings' where the other
/// is, for failed calls outlive the others.
fn limits(arguments: &Prune, settings: &Settings) -> Result<Limits, Failure> {
    let Prune { older_than, errors_older_than, larger_than, dry_run: _ } = *arguments;
    let set = Limits::of(settings);
    if older_than.is_none() && errors_older_than.is_none() {
        return Ok(larger_than.map_or(set, |size| Limits { size: Some(size), ..Limits::default() }));
    }
    let age = older_than.or(set.age);
    if let Some(errors) = errors_older_than.filter(|errors| age.is_none_or(|age| *errors < age)) {
        let others = match (older_than, set.age) {
            (Some(age), _) => format!("--older-than is {}", duration(nanoseconds(age))),
            (None, Some(age)) => format!("retention_age is {}", duration(nanoseconds(age))),
            (None, None) => "retention_age is 0, for ever".to_owned(),
        };
        return Err(Failure::Usage(format!(
            "--errors-older-than {} would remove failed calls before others of their age ({others}): give an \
             --older-than of at most that",
            duration(nanoseconds(errors))
        )));
    }
    Ok(Limits { age, errors: errors_older_than.or(set.errors), minutes: None, size: larger_than })
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn now_ns(output: &Output<'_>) -> i64 {
    i64::try_from(output.now.as_nanosecond()).unwrap_or(i64::MAX)
}

fn taken(room: Room) -> u64 {
    room.used + room.free + room.wal
}

fn write(pruned: &Pruned, stopped: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    let calls = pruned.successes + pruned.errors;
    let mut text = format!("removed {}", counted(calls, "call", "calls"));
    if calls > 0 {
        text.push_str(&format!(", {} of them failed or interrupted", count(pruned.errors)));
    }
    let others = [
        (pruned.minutes, "minute of figures", "minutes of figures"),
        (pruned.runs, "run or incident", "runs and incidents"),
        (pruned.names, "name that nothing used", "names that nothing used"),
    ];
    for (number, one, many) in others.into_iter().filter(|(number, ..)| *number > 0) {
        text.push_str(&format!(", {}", counted(number, one, many)));
    }
    output.line(&text)?;
    let (before, after) = (taken(pruned.before), taken(pruned.after));
    output.line(&format!("the tape takes {} now, {} before", bytes(after), bytes(before)))?;
    if stopped {
        output.remark("stopped before everything was removed")?;
    }
    Ok(())
}

fn object(pruned: &Pruned) -> Object {
    Object::new()
        .unsigned("successes", pruned.successes)
        .unsigned("errors", pruned.errors)
        .unsigned("minutes", pruned.minutes)
        .unsigned("runs", pruned.runs)
        .unsigned("names", pruned.names)
        .unsigned("by_size", None)
        .unsigned("bytes_before", taken(pruned.before))
        .unsigned("bytes_after", taken(pruned.after))
        .flag("dry_run", false)
}

fn dry(limits: &Limits, settings: &Settings, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let tape = Tape::open(&settings.db).map_err(Failure::Open)?;
    let beyond = tape.beyond(limits, now_ns(output))?;
    if json {
        let object = Object::new()
            .unsigned("successes", beyond.successes)
            .unsigned("errors", beyond.errors)
            .unsigned("minutes", beyond.minutes)
            .unsigned("runs", None)
            .unsigned("names", None)
            .unsigned("by_size", beyond.by_size)
            .unsigned("bytes_before", taken(beyond.room))
            .unsigned("bytes_after", None)
            .flag("dry_run", true);
        output.line(&object.finish())?;
        return Ok(Found::Something);
    }
    write_dry(&beyond, output)?;
    Ok(Found::Something)
}

fn write_dry(beyond: &Beyond, output: &mut Output<'_>) -> Result<(), Failure> {
    let calls = beyond.successes + beyond.errors;
    let mut parts = Vec::new();
    if calls > 0 {
        let failed = count(beyond.errors);
        parts.push(format!("{} by age, {failed} of them failed or interrupted", counted(calls, "call", "calls")));
    }
    if beyond.by_size > 0 {
        let more = if calls > 0 { " more" } else { "" };
        parts.push(format!("about {}{more} by size", counted(beyond.by_size, "call", "calls")));
    }
    if beyond.minutes > 0 {
        parts.push(counted(beyond.minutes, "minute of figures", "minutes of figures"));
    }
    let text = match parts.is_empty() {
        true => "would remove nothing".to_owned(),
        false => format!("would remove {}", parts.join(", and ")),
    };
    output.line(&text)?;
    Ok(output.line(&format!("the tape takes {} now", bytes(taken(beyond.room))))?)
}
