//! `calltape prune`: calls that are too old, or too many, are removed and counted.

use calltape_engine::Settings;
use calltape_engine::prune::{Pruned, prune};
use calltape_engine::query::{Beyond, Tape};
use calltape_engine::retention::{Limits, Room};

use crate::arguments::Prune;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::text::figures::{bytes, count};

pub(crate) fn run(
    arguments: &Prune,
    settings: &Settings,
    json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    let limits = limits(arguments, settings);
    if arguments.dry_run {
        return dry(&limits, settings, json, output);
    }
    let mut stopped = false;
    let pruned = prune(&settings.db, limits, now_ns(output), &mut |pruned| {
        let (calls, taken) = (pruned.successes + pruned.errors, taken(pruned.after));
        output.progress(&format!("{} calls removed, the tape takes {}", count(calls), bytes(taken)));
        stopped = should_stop();
        !stopped
    });
    output.progress("");
    let pruned = pruned.map_err(|fault| Failure::Refused(fault.to_string()))?;
    if json {
        output.line(&object(&pruned).finish())?;
    } else {
        write(&pruned, stopped, output)?;
    }
    Ok(Found::Something)
}

/// With options what they say, without what the settings say.
fn limits(arguments: &Prune, settings: &Settings) -> Limits {
    let Prune { older_than, errors_older_than, larger_than, dry_run: _ } = *arguments;
    if older_than.is_none() && errors_older_than.is_none() && larger_than.is_none() {
        return Limits::of(settings);
    }
    Limits { age: older_than, errors: errors_older_than.or(older_than), minutes: None, size: larger_than }
}

fn now_ns(output: &Output<'_>) -> i64 {
    i64::try_from(output.now.as_nanosecond()).unwrap_or(i64::MAX)
}

fn taken(room: Room) -> u64 {
    room.used + room.free + room.wal
}

fn write(pruned: &Pruned, stopped: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    let calls = pruned.successes + pruned.errors;
    let mut text = format!("removed {} calls", count(calls));
    if calls > 0 {
        text.push_str(&format!(", {} of them failed or interrupted", count(pruned.errors)));
    }
    for (number, what) in [(pruned.minutes, "minutes of figures"), (pruned.runs, "runs"), (pruned.names, "names")] {
        if number > 0 {
            text.push_str(&format!(", {} {what}", count(number)));
        }
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
    let mut text = format!("would remove {} calls by age", count(calls));
    if calls > 0 {
        text.push_str(&format!(", {} of them failed or interrupted", count(beyond.errors)));
    }
    if beyond.by_size > 0 {
        text.push_str(&format!(", and about {} more by size", count(beyond.by_size)));
    }
    if beyond.minutes > 0 {
        text.push_str(&format!(", and {} minutes of figures", count(beyond.minutes)));
    }
    output.line(&text)?;
    Ok(output.line(&format!("the tape takes {} now", bytes(taken(beyond.room))))?)
}
