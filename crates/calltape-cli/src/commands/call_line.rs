//! A call on one line, as `tail`, `find` and `slow` show it: `id  time  duration  function(arguments) -> result`.

use calltape_engine::query::Call;
use calltape_record::{NOTES_MEMBER, Status, value};

use super::{items, status_tone, status_word};
use crate::json;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::duration;
use crate::text::fit;
use crate::text::plain::plain;

/// Columns of an id: ids have 15 digits until 2027, 16 after.
const ID_WIDTH: usize = 15;

/// Columns of a duration, as in `1 min 12 s`.
const DURATION_WIDTH: usize = 8;

/// Arguments and outcome together get at least this part of what is left beside id, time and duration: a third.
const REST_SHARE: usize = 3;

/// The outcome gets at least this part of what the function's name leaves: half.
const OUTCOME_SHARE: usize = 2;

/// Writes a call's line, or its JSON.
pub(super) fn write(call: &Call, as_json: bool, output: &mut Output<'_>) -> std::io::Result<()> {
    let line = if as_json { json::call(call).finish() } else { line(call, output) };
    output.line(&line)
}

fn line(call: &Call, output: &Output<'_>) -> String {
    let id = call.id.to_string();
    let time = output.time(call.started_ns);
    let took = match (call.status, call.duration_ns) {
        (Status::Running, _) => status_word(Status::Running).to_owned(),
        (_, Some(ns)) => duration(ns),
        (_, None) => "-".to_owned(),
    };
    let head = id.len().max(ID_WIDTH) + fit::width(&time) + fit::width(&took).max(DURATION_WIDTH) + 3 * 2;
    let took_tone = if call.status == Status::Running { Tone::Pending } else { Tone::Plain };
    let mut text = String::new();
    text.push_str(&output.paint(Tone::Faint, &format!("{id:<ID_WIDTH$}  {time}  ")));
    text.push_str(&output.paint(took_tone, &format!("{took:>DURATION_WIDTH$}")));
    text.push_str("  ");
    text.push_str(&expression(call, output.width.saturating_sub(head), output));
    text
}

/// `function(arguments) -> result`, within `room` on a terminal.
pub(super) fn expression(call: &Call, room: usize, output: &Output<'_>) -> String {
    let mut function = plain(&call.function).into_owned();
    let mut inside = arguments(call.args.as_deref());
    let mut outcome = outcome(call);
    if output.fit {
        let room = room.saturating_sub("()".len());
        let rest = (fit::width(&inside) + fit::width(&outcome)).min(room / REST_SHARE);
        function = fit::keep_end(&function, room - rest);
        let room = room - fit::width(&function);
        let outcome_room =
            fit::width(&outcome).min((room / OUTCOME_SHARE).max(room.saturating_sub(fit::width(&inside))));
        inside = fit::keep_start(&inside, room.saturating_sub(outcome_room));
        outcome = fit::keep_start(&outcome, room.saturating_sub(fit::width(&inside)));
    }
    let tone = if call.status == Status::Ok { Tone::Faint } else { status_tone(call.status) };
    format!("{}({inside}){}", output.paint(Tone::Strong, &function), output.paint(tone, &outcome))
}

/// Arguments as in a call, those at their default left out; behind them what the program set while it ran.
fn arguments(args: Option<&str>) -> String {
    let Some(text) = args else { return "…".to_owned() };
    let Some(members) = value::members(text) else { return plain(text).into_owned() };
    let defaults = defaults(&members);
    let list = |members: &mut dyn Iterator<Item = &(&str, &str)>| {
        let shown: Vec<String> = members.map(|(name, value)| format!("{}={}", plain(name), plain(value))).collect();
        shown.join(", ")
    };
    let own = |(name, _): &&(&str, &str)| *name != DEFAULTS && *name != NOTES_MEMBER && !defaults.contains(name);
    let passed = list(&mut members.iter().filter(own));
    match notes(&members) {
        Some(notes) if passed.is_empty() => list(&mut notes.iter()),
        Some(notes) => format!("{passed}; {}", list(&mut notes.iter())),
        None => passed,
    }
}

/// The member of the arguments that lists the parameters that stood at their default.
pub(super) const DEFAULTS: &str = "(defaults)";

/// The parameters that stood at their default.
pub(super) fn defaults<'a>(members: &[(&str, &'a str)]) -> Vec<&'a str> {
    let list = members.iter().find(|(name, _)| *name == DEFAULTS).and_then(|(_, value)| value::items(value));
    list.unwrap_or_default().into_iter().map(value::unquoted).collect()
}

/// What the program set while the call ran.
pub(super) fn notes<'a>(members: &[(&str, &'a str)]) -> Option<Vec<(&'a str, &'a str)>> {
    members.iter().find(|(name, _)| *name == NOTES_MEMBER).and_then(|(_, value)| value::members(value))
}

/// What came of it, with the sign before it.
fn outcome(call: &Call) -> String {
    match (call.status, &call.error_type) {
        (Status::Running, _) => String::new(),
        (Status::Ok, _) => returned(call),
        (Status::Closed, _) => format!(" -> {}closed", yielded(call)),
        (Status::Error, Some(error_type)) => format!(" ! {}{}", plain(error_type), message(call)),
        (status, _) => format!(" ! {}{}", status_word(status), message(call)),
    }
}

/// A generator's items, and its result unless it is nothing, as is usual; another function's result.
fn returned(call: &Call) -> String {
    let result = call.result.as_deref().map(plain);
    match (call.yields, result) {
        (Some(yields), None) => format!(" -> {}", items(yields)),
        (Some(yields), Some(result)) if result == "null" => format!(" -> {}", items(yields)),
        (_, Some(result)) => format!(" -> {}{result}", yielded(call)),
        (None, None) => String::new(),
    }
}

fn yielded(call: &Call) -> String {
    call.yields.map_or_else(String::new, |yields| format!("{}, ", items(yields)))
}

fn message(call: &Call) -> String {
    match call.error_message.as_deref() {
        None | Some("") => String::new(),
        Some(message) => format!(": {}", plain(message)),
    }
}
