//! `calltape errors`: what fails, where, how often and since when.

use calltape_engine::drain::ANY_MESSAGE;
use calltape_engine::query::{
    CallFilter, ErrorFilter, ErrorGroup, Frame, FunctionPattern, Relation, Tape, TextPattern,
};

use super::nothing;
use crate::arguments::Errors;
use crate::asked;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::count;
use crate::text::fit;
use crate::text::plain::plain;
use crate::text::table::{self, Stand};

/// Characters of a message the table shows on a terminal; `show` has it whole.
const MESSAGE_WIDTH: usize = 200;

pub(crate) fn run(errors: &Errors, tape: &Tape, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let range = asked::range(errors.since.as_deref(), errors.until.as_deref(), output)?;
    let filter = ErrorFilter {
        since_ns: range.since_ns,
        until_ns: range.until_ns,
        error_type: errors.error_type.as_deref().map(TextPattern::glob),
        pattern: errors.pattern.as_deref().map(FunctionPattern::new),
        // One more than is shown tells whether there are more.
        limit: Some(errors.limit.saturating_add(1)),
    };
    let mut groups = tape.errors(&filter)?;
    let more = groups.len() > errors.limit;
    groups.truncate(errors.limit);
    if groups.is_empty() && !more {
        let ErrorFilter { error_type, pattern: functions, .. } = filter;
        let filter = CallFilter { functions, error_type, range, ..CallFilter::default() };
        nothing::say(&nothing_of(errors), tape, &filter, output)?;
        return Ok(Found::Nothing);
    }
    if json {
        for group in &groups {
            output.line(&object(group).finish())?;
        }
        return Ok(Found::Something);
    }
    write_table(&groups, output)?;
    if more {
        let more = output.paint(Tone::Faint, "… and more; --limit shows them");
        output.line(&more)?;
    }
    Ok(Found::Something)
}

/// What is not there when no error is found.
fn nothing_of(errors: &Errors) -> String {
    let named =
        |word: &str, text: &Option<String>| text.as_ref().map_or_else(String::new, |text| format!(" {word} {text}"));
    let error = errors.error_type.as_deref().unwrap_or("an error");
    let (of, since, until) =
        (named("of", &errors.pattern), named("since", &errors.since), named("until", &errors.until));
    format!("no call{of} ended in {error}{since}{until}")
}

fn write_table(groups: &[ErrorGroup], output: &mut Output<'_>) -> Result<(), Failure> {
    let headings =
        [("count", Stand::Right), ("last seen", Stand::Left), ("last call", Stand::Left), ("error", Stand::Left)];
    let mut fixed = [5, 9, 9];
    for group in groups {
        let cells = [count(group.count), output.ago(group.last_seen_ns), last_call(group)];
        for (width, cell) in fixed.iter_mut().zip(&cells) {
            *width = fit::width(cell).max(*width);
        }
    }
    let room = output.width.saturating_sub(fixed.iter().map(|width| width + table::GAP).sum()).max(24);
    let mut table = table::table(output, &headings);
    for group in groups {
        let mut message = plain(message(group)).into_owned();
        if output.fit {
            message = fit::keep_start(&message, MESSAGE_WIDTH);
        }
        let separator = if message.is_empty() { "" } else { ": " };
        let error = output.fold(&format!("{}{separator}{message}", plain(&group.error_type)), room).join("\n");
        table.add_row([
            output.palette.cell(Tone::Strong, count(group.count)),
            output.palette.cell(Tone::Plain, output.ago(group.last_seen_ns)),
            output.palette.cell(Tone::Faint, last_call(group)),
            output.palette.cell(Tone::Bad, error),
        ]);
        let blank = || output.palette.cell(Tone::Plain, "");
        let mut lines = place(group, room);
        for more in [lost(group), last_of_several(group, output)].into_iter().flatten() {
            lines.push('\n');
            lines.push_str(&output.fold(&more, room).join("\n"));
        }
        for line in details(group) {
            lines.push('\n');
            lines.push_str(&fit::keep_start(&line, room));
        }
        let lines = output.palette.cell(Tone::Faint, lines);
        table.add_row([blank(), blank(), blank(), lines]);
    }
    Ok(table::write(output, &table)?)
}

/// The last call of a group that has a row; a dash for none.
fn last_call(group: &ErrorGroup) -> String {
    group.last.as_ref().map_or_else(|| "-".to_owned(), |last| last.call_id.to_string())
}

/// What the messages of a group say: one alone says it itself, several have their form in common.
fn message(group: &ErrorGroup) -> &str {
    let said_alike = group.count > 1 && group.message_form != ANY_MESSAGE;
    if said_alike { &group.message_form } else { last_message(group).unwrap_or_default() }
}

/// What the last of several errors said, where they differ.
fn last_of_several(group: &ErrorGroup, output: &Output<'_>) -> Option<String> {
    let last = plain(last_message(group).filter(|last| *last != message(group))?);
    Some(if output.fit { format!("last: {}", fit::keep_start(&last, MESSAGE_WIDTH)) } else { format!("last: {last}") })
}

fn last_message(group: &ErrorGroup) -> Option<&str> {
    group.last.as_ref().map(|last| last.failure.message.as_str())
}

/// Says of a group how much of it was only counted.
fn lost(group: &ErrorGroup) -> Option<String> {
    let lost = count(group.lost);
    match group.lost {
        0 => None,
        all if all == group.count => Some("counted only: there was no room for them".to_owned()),
        _ => Some(format!("{lost} of them counted only: there was no room for them")),
    }
}

/// The function that ended in it and where it was raised, on one line if both fit, else on a line each.
fn place(group: &ErrorGroup, room: usize) -> String {
    let raised = match (group.place.as_str(), group.file.as_str()) {
        ("", "") => None,
        (place, "") => Some(format!("raised by {}", plain(place))),
        (place, file) => {
            let line = format!(":{}", group.line);
            let begin = format!("raised by {} at ", plain(place));
            let file_room = room.saturating_sub(fit::width(&begin) + line.len()).max(12);
            Some(format!("{begin}{}{line}", fit::keep_end(&plain(file), file_room)))
        }
    };
    let function = format!("in {}", fit::keep_end(&plain(&group.function), room.saturating_sub(3)));
    let Some(raised) = raised else { return function };
    let both = format!("{function}, {raised}");
    if fit::width(&both) <= room {
        return both;
    }
    format!("{function}\n{}", fit::keep_end(&raised, room))
}

/// Lines of what the table shows of causes, of members of groups, and of notes.
const DETAILS: usize = 3;

/// The line of source that raised it, its notes, and what it came from and holds, a line each: of the last one.
fn details(group: &ErrorGroup) -> Vec<String> {
    let Some(last) = &group.last else { return Vec::new() };
    let chain = last.failure.chain();
    let source = source(group).map(|source| format!("  {}", plain(&source)));
    let notes = chain[0].notes.iter().take(DETAILS).map(|note| format!("note: {}", plain(note)));
    let others = chain.iter().skip(1).take(DETAILS).map(|link| {
        let relation = match link.relation {
            Some(Relation::Member) => "with ",
            Some(Relation::Context) => "while handling ",
            _ => "caused by ",
        };
        let separator = if link.message.is_empty() { "" } else { ": " };
        format!("{relation}{}{separator}{}", plain(&link.error_type), plain(&link.message))
    });
    let more = chain.len().saturating_sub(1 + DETAILS);
    let more = (more > 0).then(|| format!("… and {more} more exceptions; `calltape show` has them"));
    source.into_iter().chain(notes).chain(others).chain(more).collect()
}

/// The line of source that the last one was raised at.
fn source(group: &ErrorGroup) -> Option<String> {
    match group.last.as_ref()?.failure.chain().swap_remove(0).frames.pop() {
        Some(Frame::At { source, .. }) => source,
        _ => None,
    }
}

fn object(group: &ErrorGroup) -> Object {
    Object::new()
        .text("error_type", group.error_type.as_str())
        .text("function", group.function.as_str())
        .text("file", group.file.as_str())
        .number("line", i128::from(group.line))
        .text("place", group.place.as_str())
        .text("message_form", group.message_form.as_str())
        .unsigned("count", group.count)
        .unsigned("counted_only", group.lost)
        .number("first_seen_ns", i128::from(group.first_seen_ns))
        .number("last_seen_ns", i128::from(group.last_seen_ns))
        .text("last_message", last_message(group))
        .unsigned("last_call_id", group.last.as_ref().map(|last| last.call_id))
        .text("last_source", source(group).as_deref())
        .recorded("last_traceback", group.last.as_ref().map(|last| last.failure.traceback.as_str()))
}
