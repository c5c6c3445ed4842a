//! The error of a shown call: the chain of exceptions, outermost first, the members of groups set in under them, each
//! with its notes and its frames as Python prints tracebacks.

use calltape_engine::query::{ChainLink, Failure as Raised, Frame, Relation};

use super::show::{INDENT, write_folded, write_value};
use crate::entry::Failure;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::fit;
use crate::text::plain::plain;

/// The deepest that members of groups are set in.
const MOST_LEVELS: usize = 6;
/// Frames outside the program that are folded into one line when so many follow each other.
const FOLDED: usize = 2;

pub(super) fn write(raised: &Raised, output: &mut Output<'_>) -> Result<(), Failure> {
    let chain = raised.chain();
    let mut next = vec![0];
    while let Some(position) = next.pop() {
        write_link(&chain, position, output)?;
        // What it came from follows what it holds, in the order recorded.
        let belongs = |link: &ChainLink| link.of == Some(position) && link.relation != Some(Relation::Member);
        let holds = |link: &ChainLink| link.of == Some(position) && link.relation == Some(Relation::Member);
        let after = |choose: &dyn Fn(&ChainLink) -> bool| -> Vec<usize> {
            (position + 1..chain.len()).rev().filter(|&at| choose(&chain[at])).collect()
        };
        next.extend(after(&belongs));
        next.extend(after(&holds));
    }
    if let Some(note) = raised.left_out() {
        let note = output.paint(Tone::Faint, &format!("{} exceptions", plain(&note)));
        output.line(&format!("{:INDENT$}{note}", ""))?;
    }
    Ok(())
}

/// How many groups hold the exception, directly or not.
fn level(chain: &[ChainLink], mut position: usize) -> usize {
    let mut level = 0;
    // Each belongs to one before it.
    while let Some(of) = chain[position].of.filter(|&of| of < position) {
        level += usize::from(chain[position].relation == Some(Relation::Member));
        position = of;
    }
    level.min(MOST_LEVELS)
}

fn write_link(chain: &[ChainLink], position: usize, output: &mut Output<'_>) -> Result<(), Failure> {
    let link = &chain[position];
    let margin = INDENT + INDENT * level(chain, position);
    let relation = match link.relation {
        Some(Relation::Cause) => "caused by ",
        Some(Relation::Context) => "while handling ",
        Some(Relation::Member) => "- ",
        None if position > 0 => "and ",
        None => "",
    };
    write_message(relation, &link.error_type, &link.message, margin, output)?;
    let margin = margin + INDENT;
    for note in &link.notes {
        for line in note.lines() {
            write_folded(&plain(line), margin, "note: ", output)?;
        }
    }
    write_frames(&link.frames, margin, output)
}

/// The type and the message, line by line as the message has them.
fn write_message(
    relation: &str,
    error_type: &str,
    message: &str,
    margin: usize,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let separator = if message.is_empty() { "" } else { ": " };
    let whole = format!("{error_type}{separator}{message}");
    let relation_width = relation.len();
    let room = output.width.saturating_sub(margin + relation_width);
    let mut first = true;
    for line in whole.lines() {
        for part in output.fold(&plain(line), room) {
            let begin = if first { relation.to_owned() } else { " ".repeat(relation_width) };
            first = false;
            let (begin, part) = (output.paint(Tone::Faint, &begin), output.paint(Tone::Bad, &part));
            output.line(&format!("{:margin$}{begin}{part}", ""))?;
        }
    }
    Ok(())
}

/// The frames; of those outside the program that follow each other only the last is shown, which says what was called.
fn write_frames(frames: &[Frame], margin: usize, output: &mut Output<'_>) -> Result<(), Failure> {
    let is_outside = |frame: &Frame| matches!(frame, Frame::At { is_outside: true, locals, .. } if locals.is_empty());
    for group in frames.chunk_by(|one, other| is_outside(one) && is_outside(other)) {
        let folded = if group.len() > FOLDED { group.len() - 1 } else { 0 };
        if folded > 0 {
            let note = output.paint(Tone::Faint, &format!("... {folded} frames outside"));
            output.line(&format!("{:margin$}{note}", ""))?;
        }
        for frame in &group[folded..] {
            write_frame(frame, margin, output)?;
        }
    }
    Ok(())
}

/// `function  file:line`, below it the source line, and set in under that the variables, which look like source.
fn write_frame(frame: &Frame, margin: usize, output: &mut Output<'_>) -> Result<(), Failure> {
    let Frame::At { file, line, function, source, is_outside, locals } = frame else {
        let Frame::Cut(note) = frame else { return Ok(()) };
        let note = output.paint(Tone::Faint, &plain(note));
        return Ok(output.line(&format!("{:margin$}{note}", ""))?);
    };
    let (function, line) = (plain(function), if *line > 0 { format!(":{line}") } else { String::new() });
    let room = output.width.saturating_sub(margin + fit::width(&function) + "  ".len() + line.len()).max(12);
    let place = output.paint(Tone::Faint, &format!("{}{line}", fit::keep_end(&plain(file), room)));
    let function = output.paint(if *is_outside { Tone::Faint } else { Tone::Plain }, &function);
    output.line(&format!("{:margin$}{function}  {place}", ""))?;
    let margin = margin + INDENT;
    if let Some(source) = source {
        let source = fit::keep_start(&plain(source), output.width.saturating_sub(margin));
        let source = output.paint(Tone::Faint, &source);
        output.line(&format!("{:margin$}{source}", ""))?;
    }
    let margin = margin + INDENT;
    for (name, value) in locals {
        if name == "..." {
            let more = output.paint(Tone::Faint, &format!("... {}", plain(value.trim_matches('"'))));
            output.line(&format!("{:margin$}{more}", ""))?;
            continue;
        }
        let begin = format!("{:margin$}{} = ", "", plain(name));
        write_value(&begin, fit::width(&begin), &plain(value), "", output)?;
    }
    Ok(())
}
