//! `calltape running`: the calls that have not ended, the one that has run longest first.

use calltape_engine::query::{Call, JournalState, Tape};

use super::{call_line, nothing};
use crate::arguments::Running;
use crate::asked;
use crate::entry::{Failure, Found};
use crate::json;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::duration;
use crate::text::fit;
use crate::text::plain::plain;

/// Columns of an id.
const ID_WIDTH: usize = 15;

/// The part of a line that says where a call runs at most: a third.
const WHERE_SHARE: usize = 3;

pub(crate) fn run(running: &Running, tape: &Tape, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let filter = asked::filter(running.pattern.as_deref(), &running.calls, output)?;
    // One more than is shown tells whether there are more.
    let mut calls = tape.running(&filter, running.limit.saturating_add(1))?;
    if calls.is_empty() {
        nothing::say("no such call runs", tape, &filter, output)?;
        return Ok(Found::Nothing);
    }
    let journals = tape.journals();
    let is_more = calls.len() > running.limit;
    calls.truncate(running.limit);
    if json {
        for call in &calls {
            let alive = is_alive(call, &journals);
            let object = json::call(call).unsigned("running_ns", running_ns(call, output));
            output.line(&object.choice("alive", alive).finish())?;
        }
        return Ok(Found::Something);
    }
    write_lines(&calls, &journals, output)?;
    if is_more {
        let more = output.paint(Tone::Faint, "… and more; --limit shows them");
        output.line(&more)?;
    }
    Ok(Found::Something)
}

/// How long a call has run. The clocks of two machines differ; what seems to begin later has just begun.
fn running_ns(call: &Call, output: &Output<'_>) -> u64 {
    u64::try_from(output.now.as_nanosecond() - i128::from(call.started_ns)).unwrap_or(0)
}

/// `id  for  function(arguments)  thread · task · pid`, the parts under each other.
fn write_lines(calls: &[Call], journals: &[JournalState], output: &mut Output<'_>) -> Result<(), Failure> {
    let took: Vec<String> = calls.iter().map(|call| duration(running_ns(call, output))).collect();
    let took_width = took.iter().map(|text| fit::width(text)).max().unwrap_or(0);
    let room = output.width.saturating_sub(ID_WIDTH + took_width + 3 * 2);
    let places: Vec<String> = calls.iter().map(|call| place(call, journals, room / WHERE_SHARE, output)).collect();
    let place_width = places.iter().map(|text| fit::width(text)).max().unwrap_or(0);
    for ((call, took), place) in calls.iter().zip(&took).zip(&places) {
        let expression = call_line::expression(call, room.saturating_sub(place_width), output);
        let line = format!(
            "{}  {}  {}  {expression}",
            output.paint(Tone::Faint, &format!("{:<ID_WIDTH$}", call.id)),
            output.paint(Tone::Pending, &format!("{took:>took_width$}")),
            output.paint(Tone::Faint, &format!("{place}{}", " ".repeat(place_width - fit::width(place)))),
        );
        output.line(&line)?;
    }
    Ok(())
}

/// Whether the call's process records still; `None` where its journal is no more beside the tape.
fn is_alive(call: &Call, journals: &[JournalState]) -> Option<bool> {
    journals.iter().find(|journal| journal.run_id == call.run_id).map(|journal| journal.alive)
}

/// Process, and the task or else the thread: what has the call in hand.
fn place(call: &Call, journals: &[JournalState], room: usize, output: &Output<'_>) -> String {
    let within = call.task.as_deref().unwrap_or(&call.thread);
    let dead = if is_alive(call, journals) == Some(false) { " (dead)" } else { "" };
    let text = format!("{}{dead} {}", call.pid, plain(within));
    if output.fit { fit::keep_start(&text, room) } else { text }
}
