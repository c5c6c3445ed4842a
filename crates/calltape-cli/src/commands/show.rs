//! `calltape show`: all the tape knows of one call.

use calltape_engine::query::{Call, CallDetail, CallTree, Tape, TreeItem, TreeLimits};
use calltape_record::{NOTES_MEMBER, Status, value};

use super::tail::{DEFAULTS, defaults, notes};
use super::{active, items, show_failure, show_tree, status_tone, status_word};
use crate::arguments::Show;
use crate::entry::{Failure, Found};
use crate::json::{self, Object};
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::duration;
use crate::text::plain::plain;
use crate::text::{fit, times};

/// Columns text is set in from the left.
pub(super) const INDENT: usize = 2;

pub(crate) fn run(show: &Show, tape: &Tape, as_json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let (detail, tree) = (tape.call(show.id)?, tape.tree(show.id, &TreeLimits::default())?);
    let (Some(detail), Some(tree)) = (detail, tree) else {
        let path = tape.path().display().to_string();
        output.remark(&plain(&format!("no call {} on {path}; `calltape tail` shows the last ids", show.id)))?;
        return Ok(Found::Nothing);
    };
    if as_json {
        output.line(&object(&detail, &tree).finish())?;
        return Ok(Found::Something);
    }
    write_head(&detail, output)?;
    write_arguments(&detail.call, output)?;
    if let Some(result) = &detail.call.result {
        output.heading("Result")?;
        write_folded(&plain(result), INDENT, "", output)?;
    }
    if let Some(failure) = &detail.failure {
        output.heading(if detail.call.status == Status::Cancelled { "Cancellation" } else { "Error" })?;
        show_failure::write(failure, output)?;
    }
    output.heading("Call tree")?;
    show_tree::write(&tree, output)?;
    Ok(Found::Something)
}

fn write_head(detail: &CallDetail, output: &mut Output<'_>) -> Result<(), Failure> {
    let call = &detail.call;
    let name = output.paint(Tone::Strong, &plain(&call.function));
    let kind = output.paint(Tone::Faint, &plain(&call.kind));
    let status = output.paint(status_tone(call.status), status_word(call.status));
    output.line(&format!("{name}  {kind}  {status}"))?;
    write_fact("id", &ids(call), output)?;
    let when = format!("{} ({})", times::full(call.started_ns, &output.zone), output.ago(call.started_ns));
    write_fact("when", &when, output)?;
    write_fact("duration", &took(call), output)?;
    let task = call.task.as_ref().map_or_else(String::new, |task| format!(" · task {task}"));
    write_fact("where", &format!("thread {}{task} · pid {} · host {}", call.thread, call.pid, call.host), output)?;
    write_fact("run", &format!("{:016x} · {} · Python {}", call.run_id, detail.program, detail.python), output)?;
    let group = call.group.as_ref().map_or_else(String::new, |group| format!(" · group {group}"));
    let place = match detail.file.as_str() {
        "" => "no source file".to_owned(),
        file => format!("{file}:{}", detail.line),
    };
    write_fact("defined", &format!("{place}{group}"), output)?;
    if call.weight != 1.0 {
        write_fact("weight", &format!("stands for {} calls", call.weight), output)?;
    }
    Ok(())
}

fn ids(call: &Call) -> String {
    let parent = call.parent_id.map_or_else(String::new, |parent| format!(" · made by {parent}"));
    let root = match call.root_id {
        root if root == call.id || Some(root) == call.parent_id => String::new(),
        root => format!(" · root {root}"),
    };
    format!("{}{parent}{root}", call.id)
}

fn took(call: &Call) -> String {
    let mut text = match (call.status, call.duration_ns) {
        (_, Some(ns)) => duration(ns),
        (Status::Running, None) => "not over yet".to_owned(),
        (_, None) => "unknown: it never ended".to_owned(),
    };
    if call.status == Status::Abandoned {
        text.push_str(" until it was dropped; its body never began");
    }
    let yielded = call.yields.map(|yields| format!("{} yielded", items(yields)));
    for part in active(call).into_iter().chain(yielded) {
        text.push_str(&format!(" · {part}"));
    }
    text
}

/// A named fact of the head, folded beside its name.
fn write_fact(name: &str, value: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    const NAME_WIDTH: usize = 10;
    let text = plain(value);
    let columns = output.width.saturating_sub(INDENT + NAME_WIDTH);
    for (position, line) in fit::fold(&text, columns).iter().enumerate() {
        let name = output.paint(Tone::Faint, &format!("{:<NAME_WIDTH$}", if position == 0 { name } else { "" }));
        output.line(&format!("{:INDENT$}{name}{line}", ""))?;
    }
    Ok(())
}

fn write_arguments(call: &Call, output: &mut Output<'_>) -> Result<(), Failure> {
    let Some(text) = &call.args else { return write_note("Arguments", "not captured", output) };
    let Some(members) = value::members(text) else {
        output.heading("Arguments")?;
        return write_folded(&plain(text), INDENT, "", output);
    };
    let (defaults, notes) = (defaults(&members), notes(&members).unwrap_or_default());
    let passed: Vec<(&str, &str)> =
        members.into_iter().filter(|(name, _)| *name != DEFAULTS && *name != NOTES_MEMBER).collect();
    match (passed.is_empty(), notes.is_empty()) {
        (true, true) => return write_note("Arguments", "none", output),
        // With notes, none and not captured look the same.
        (true, false) => {}
        (false, _) => write_members("Arguments", &passed, &defaults, output)?,
    }
    if notes.is_empty() { Ok(()) } else { write_members("Set while it ran", &notes, &[], output) }
}

fn write_note(heading: &str, note: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    output.heading(heading)?;
    let note = output.paint(Tone::Faint, note);
    Ok(output.line(&format!("{:INDENT$}{note}", ""))?)
}

/// Writes names and values under each other, the values folded beside the names.
fn write_members(
    heading: &str,
    members: &[(&str, &str)],
    defaults: &[&str],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    output.heading(heading)?;
    // A name longer than a third of the line does not push the others' values away.
    let widest = members.iter().map(|(name, _)| fit::width(&plain(name))).max().unwrap_or(0).min(output.width / 3);
    for (name, value) in members {
        let default = if defaults.contains(name) { " (default)" } else { "" };
        let name = plain(name);
        let fill = " ".repeat(widest.saturating_sub(fit::width(&name)));
        let begin = format!("{}{fill}  ", output.paint(Tone::Strong, &name));
        write_folded_after(&begin, &format!("{}{default}", plain(value)), INDENT + widest + 2, output)?;
    }
    Ok(())
}

/// Writes `text` folded, each line behind `margin` columns and the first behind `begin` too.
pub(super) fn write_folded(text: &str, margin: usize, begin: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let begin_width = fit::width(begin);
    for (position, line) in fit::fold(text, output.width.saturating_sub(margin + begin_width)).iter().enumerate() {
        let begin = if position == 0 { begin.to_owned() } else { " ".repeat(begin_width) };
        output.line(&format!("{:margin$}{begin}{line}", ""))?;
    }
    Ok(())
}

/// Writes `begin`, which may hold colours, and `text` folded beside it from `column` on.
fn write_folded_after(begin: &str, text: &str, column: usize, output: &mut Output<'_>) -> Result<(), Failure> {
    for (position, line) in fit::fold(text, output.width.saturating_sub(column)).iter().enumerate() {
        if position == 0 {
            output.line(&format!("{:INDENT$}{begin}{line}", ""))?;
        } else {
            output.line(&format!("{:column$}{line}", ""))?;
        }
    }
    Ok(())
}

fn object(detail: &CallDetail, tree: &CallTree) -> Object {
    json::call(&detail.call)
        .text("file", detail.file.as_str())
        .number("line", i128::from(detail.line))
        .text("python", detail.python.as_str())
        .text("program", detail.program.as_str())
        .recorded("traceback", detail.failure.as_ref().map(|failure| failure.traceback.as_str()))
        .list("tree", tree.items.iter().map(tree_object))
}

fn tree_object(item: &TreeItem) -> Object {
    let object = Object::new().unsigned("depth", item.depth() as u64);
    match item {
        TreeItem::Gap { callers, .. } => object.unsigned("callers_left_out", *callers as u64),
        TreeItem::More { calls, at_least, .. } => object.unsigned("calls_left_out", *calls).flag("at_least", *at_least),
        TreeItem::Call { call, marked, .. } => object
            .unsigned("id", call.id)
            .text("function", call.function.as_str())
            .text("kind", call.kind.as_str())
            .text("status", status_word(call.status))
            .number("started_ns", i128::from(call.started_ns))
            .unsigned("duration_ns", call.duration_ns)
            .unsigned("active_ns", call.active_ns)
            .unsigned("yields", call.yields)
            .text("task", call.task.as_deref())
            .text("error_type", call.error_type.as_deref())
            .flag("marked", *marked),
    }
}
