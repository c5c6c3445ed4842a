//! The call tree of a shown call: who made it and what it made, this call marked.

use calltape_engine::query::{Call, CallTree, TreeItem};
use calltape_record::Status;

use super::show::INDENT;
use super::{active, items, status_tone, status_word};
use crate::entry::Failure;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::{count, duration};
use crate::text::fit;
use crate::text::plain::plain;

/// What marks the call asked for.
const MARK: &str = "  <- this call";

/// Writes the tree; `with_ids` each call's id before it, for who asks for a call of it next.
pub(super) fn write(tree: &CallTree, with_ids: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    if let Some(caller) = tree.missing_caller {
        let text = format!("made by call {caller}, which is not on the tape");
        let text = output.paint(Tone::Faint, &text);
        output.line(&format!("{:INDENT$}{text}", ""))?;
    }
    let guides = guides(&tree.items);
    let ids: Vec<String> = tree.items.iter().map(|item| if with_ids { id(item) } else { String::new() }).collect();
    let id_width = ids.iter().map(String::len).max().unwrap_or(0);
    let took: Vec<String> = tree.items.iter().map(took).collect();
    let took_width = took.iter().map(|text| fit::width(text)).max().unwrap_or(0);
    // The task of each level's latest call: a call's own is shown where its caller ran in another.
    let mut tasks: Vec<Option<&str>> = Vec::new();
    for (((item, guide), took), id) in tree.items.iter().zip(&guides).zip(&took).zip(&ids) {
        tasks.truncate(item.depth());
        let above = tasks.last().copied().flatten();
        tasks.push(if let TreeItem::Call { call, .. } = item { call.task.as_deref() } else { above });
        let before = if with_ids { format!("{id:<id_width$}  ") } else { " ".repeat(INDENT) };
        let line = line(item, above, guide, [&before, &format!("{took:>took_width$}")], output);
        output.line(&line)?;
    }
    Ok(())
}

fn id(item: &TreeItem) -> String {
    match item {
        TreeItem::Call { call, .. } => call.id.to_string(),
        TreeItem::Gap { .. } | TreeItem::More { .. } => String::new(),
    }
}

/// What tells a call from a function's that ran through: kind, time inside the body, items, task.
fn about(call: &Call, task_above: Option<&str>) -> Vec<String> {
    let kind = (call.kind != "function").then(|| plain(&call.kind).into_owned());
    let task = call.task.as_deref().filter(|&task| task_above != Some(task)).map(|task| plain(task).into_owned());
    [kind, active(call), call.yields.map(items), task].into_iter().flatten().collect()
}

/// `parts` as one text within `room`; the last go first.
fn joined_within(mut parts: Vec<String>, room: usize) -> String {
    loop {
        if parts.is_empty() {
            return String::new();
        }
        let text = format!("  {}", parts.join(" · "));
        if fit::width(&text) <= room {
            return text;
        }
        parts.pop();
    }
}

/// The duration comes first, so that times stand under each other; the tree follows.
fn line(
    item: &TreeItem,
    task_above: Option<&str>,
    guide: &str,
    [before, took]: [&str; 2],
    output: &Output<'_>,
) -> String {
    let margin = if before.trim().is_empty() { before.to_owned() } else { output.paint(Tone::Faint, before) };
    let begin = format!("{margin}{took}  {}", output.paint(Tone::Faint, guide));
    let room = output.width.saturating_sub(fit::width(before) + fit::width(took) + 2 + fit::width(guide));
    match item {
        TreeItem::Gap { callers, .. } => {
            let text = format!("… {} callers left out", count(*callers as u64));
            format!("{begin}{}", output.paint(Tone::Faint, &text))
        }
        TreeItem::More { calls, at_least, .. } => {
            let calls = format!("{} more call{}", count(*calls), if *calls == 1 { "" } else { "s" });
            let text = format!("… {}{calls}", if *at_least { "at least " } else { "" });
            format!("{begin}{}", output.paint(Tone::Faint, &text))
        }
        TreeItem::Call { call, marked, .. } => {
            let mark = if *marked { MARK } else { "" };
            let outcome = outcome(call);
            let tail = fit::width(&outcome) + fit::width(mark);
            let name = fit::keep_end(&plain(&call.function), room.saturating_sub(tail).max(16));
            let about = joined_within(about(call, task_above), room.saturating_sub(fit::width(&name) + tail));
            let outcome = fit::keep_start(&outcome, room.saturating_sub(fit::width(&name) + fit::width(mark)));
            let name_tone = if *marked { Tone::Strong } else { Tone::Plain };
            format!(
                "{begin}{}{}{}{}",
                output.paint(name_tone, &name),
                output.paint(Tone::Faint, &about),
                output.paint(status_tone(call.status), &outcome),
                output.paint(Tone::Strong, mark)
            )
        }
    }
}

fn took(item: &TreeItem) -> String {
    match item {
        TreeItem::Call { call, .. } => call.duration_ns.map_or_else(|| "-".to_owned(), duration),
        TreeItem::Gap { .. } | TreeItem::More { .. } => String::new(),
    }
}

fn outcome(call: &Call) -> String {
    match (&call.error_type, call.status) {
        (_, Status::Ok) => String::new(),
        (Some(error_type), Status::Error) => format!("  {}", plain(error_type)),
        (_, status) => format!("  {}", status_word(status)),
    }
}

/// The lines that join each item to its parent. Walked backwards: whether an item is the last of its parent's is known
/// from what stands below it.
fn guides(items: &[TreeItem]) -> Vec<String> {
    let mut guides = vec![String::new(); items.len()];
    // Whether another item of that level, under the same parent, stands below.
    let mut open: Vec<bool> = Vec::new();
    for (item, guide) in items.iter().zip(&mut guides).rev() {
        let depth = item.depth();
        open.resize(depth + 1, false);
        for (level, &more) in open.iter().enumerate().skip(1) {
            let text = match (level == depth, more) {
                (true, true) => "├─ ",
                (true, false) => "└─ ",
                (false, true) => "│  ",
                (false, false) => "   ",
            };
            guide.push_str(text);
        }
        open[depth] = true;
    }
    guides
}
