//! `calltape show`: all the tape knows of one call.

use calltape_engine::query::{Call, CallDetail, CallFilter, CallTree, FunctionPattern, Tape, TreeItem, TreeLimits};
use calltape_record::{NOTES_MEMBER, Status, value};

use super::call_line::{DEFAULTS, defaults, notes};
use super::{active, items, show_failure, show_tree, status_tone, status_word};
use crate::arguments::Show;
use crate::entry::{Failure, Found};
use crate::json::{self, Object};
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::duration;
use crate::text::plain::plain;
use crate::text::{fit, times, values};

/// Columns text is set in from the left.
pub(super) const INDENT: usize = 2;

pub(crate) fn run(show: &Show, tape: &Tape, as_json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let found = match call_named(&show.call, tape)? {
        Some(id) => tape.call(id)?.zip(tape.tree(id, &TreeLimits::default())?),
        None => None,
    };
    let Some((detail, tree)) = found else { return say_nothing(&show.call, tape, output) };
    if as_json {
        output.line(&object(&detail, &tree).finish())?;
        return Ok(Found::Something);
    }
    write_head(&detail, output)?;
    write_arguments(&detail.call, output)?;
    if let Some(result) = &detail.call.result {
        output.heading("Result")?;
        write_value(&format!("{:INDENT$}", ""), INDENT, &plain(result), "", output)?;
    }
    if let Some(failure) = &detail.failure {
        output.heading(if detail.call.status == Status::Cancelled { "Cancellation" } else { "Error" })?;
        show_failure::write(failure, output)?;
    }
    output.heading("Call tree")?;
    show_tree::write(&tree, false, output)?;
    Ok(Found::Something)
}

/// The call that `text` names: an id, or a function, of which it is the last call.
pub(super) fn call_named(text: &str, tape: &Tape) -> Result<Option<u64>, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(Some(id));
    }
    let filter = CallFilter { functions: Some(FunctionPattern::new(text)), ..CallFilter::default() };
    Ok(tape.latest(&filter, 1)?.first().map(|call| call.id))
}

/// Says that there is no call that `text` names.
pub(super) fn say_nothing(text: &str, tape: &Tape, output: &mut Output<'_>) -> Result<Found, Failure> {
    let path = tape.path().display();
    let said = match text.parse::<u64>() {
        Ok(id) => format!("no call {id} on {path}; `calltape tail` shows the last ids"),
        Err(_) => format!(
            "no call of {text} on {path}; `calltape top` lists the functions, `calltape tail` the last calls with their \
             ids"
        ),
    };
    output.remark(&plain(&said))?;
    Ok(Found::Nothing)
}

fn write_head(detail: &CallDetail, output: &mut Output<'_>) -> Result<(), Failure> {
    let call = &detail.call;
    let name = output.paint(Tone::Strong, &plain(&call.function));
    let kind = output.paint(Tone::Faint, &plain(&call.kind));
    let status = output.paint(status_tone(call.status), status_word(call.status));
    output.line(&format!("{name}  {kind}  {status}"))?;
    write_fact("id", ids(call), output)?;
    let when = format!("{} ({})", times::full(call.started_ns, &output.zone), output.ago(call.started_ns));
    write_fact("when", vec![when], output)?;
    write_fact("duration", took(call), output)?;
    let mut place = vec![format!("thread {}", call.thread)];
    place.extend(call.task.as_ref().map(|task| format!("task {task}")));
    place.extend([format!("pid {}", call.pid), format!("host {}", call.host)]);
    write_fact("where", place, output)?;
    let run = vec![format!("{:016x}", call.run_id), detail.program.clone(), format!("Python {}", detail.python)];
    write_fact("run", run, output)?;
    let mut defined = match detail.file.as_str() {
        "" => vec!["no source file".to_owned()],
        file => vec![format!("{file}:{}", detail.line)],
    };
    defined.extend(call.group.as_ref().map(|group| format!("group {group}")));
    write_fact("defined", defined, output)?;
    if call.weight != 1.0 {
        write_fact("weight", vec![format!("stands for {} calls", call.weight)], output)?;
    }
    Ok(())
}

fn ids(call: &Call) -> Vec<String> {
    let mut ids = vec![call.id.to_string()];
    ids.extend(call.parent_id.map(|parent| format!("made by {parent}")));
    if call.root_id != call.id && Some(call.root_id) != call.parent_id {
        ids.push(format!("root {}", call.root_id));
    }
    ids
}

fn took(call: &Call) -> Vec<String> {
    let mut text = match (call.status, call.duration_ns) {
        (_, Some(ns)) => duration(ns),
        (Status::Running, None) => "not over yet".to_owned(),
        (_, None) => "unknown: it never ended".to_owned(),
    };
    if call.status == Status::Abandoned {
        text.push_str(" until it was dropped; its body never began");
    }
    let yielded = call.yields.map(|yields| format!("{} yielded", items(yields)));
    [Some(text), active(call), yielded].into_iter().flatten().collect()
}

/// A named fact of the head in its parts, folded between them beside its name.
fn write_fact(name: &str, parts: Vec<String>, output: &mut Output<'_>) -> Result<(), Failure> {
    const NAME_WIDTH: usize = 10;
    let parts: Vec<String> = parts.iter().map(|part| plain(part).into_owned()).collect();
    let columns = output.width.saturating_sub(INDENT + NAME_WIDTH);
    let lines = if output.fit { fit::fold_parts(&parts, columns) } else { vec![parts.join(" · ")] };
    for (position, line) in lines.iter().enumerate() {
        let name = output.paint(Tone::Faint, &format!("{:<NAME_WIDTH$}", if position == 0 { name } else { "" }));
        output.line(&format!("{:INDENT$}{name}{line}", ""))?;
    }
    Ok(())
}

fn write_arguments(call: &Call, output: &mut Output<'_>) -> Result<(), Failure> {
    let Some(text) = &call.args else { return write_note("Arguments", "not captured", output) };
    let Some(members) = value::members(text) else {
        output.heading("Arguments")?;
        return write_value(&format!("{:INDENT$}", ""), INDENT, &plain(text), "", output);
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
        let begin = format!("{:INDENT$}{}{fill}  ", "", output.paint(Tone::Strong, &name));
        write_value(&begin, INDENT + widest + 2, &plain(value), default, output)?;
    }
    Ok(())
}

/// Writes `text` folded, each line behind `margin` columns and the first behind `begin` too.
pub(super) fn write_folded(text: &str, margin: usize, begin: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let begin_width = fit::width(begin);
    for (position, line) in output.fold(text, output.width.saturating_sub(margin + begin_width)).iter().enumerate() {
        let begin = if position == 0 { begin.to_owned() } else { " ".repeat(begin_width) };
        output.line(&format!("{:margin$}{begin}{line}", ""))?;
    }
    Ok(())
}

/// Writes `begin`, which may hold colours, and a recorded value beside it from `column` on, `after` at its end.
pub(super) fn write_value(
    begin: &str,
    column: usize,
    value: &str,
    after: &str,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let columns = output.width.saturating_sub(column + fit::width(after));
    let mut lines = if output.fit { values::lay_out(value, columns) } else { vec![value.to_owned()] };
    if let Some(last) = lines.last_mut() {
        last.push_str(after);
    }
    for (position, line) in lines.iter().enumerate() {
        match position {
            0 => output.line(&format!("{begin}{line}"))?,
            _ => output.line(&format!("{:column$}{line}", ""))?,
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

pub(super) fn tree_object(item: &TreeItem) -> Object {
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
