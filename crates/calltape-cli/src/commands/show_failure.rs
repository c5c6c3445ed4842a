//! The error of a shown call: the chain of exceptions, outermost first, each with its frames.

use calltape_engine::query::{Failure as Raised, Frame, Relation};

use super::show::{INDENT, write_folded};
use crate::entry::Failure;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::fit;
use crate::text::plain::plain;

pub(super) fn write(raised: &Raised, output: &mut Output<'_>) -> Result<(), Failure> {
    for (position, link) in raised.chain().iter().enumerate() {
        let relation = match link.relation {
            Some(Relation::Cause) => "caused by ",
            Some(Relation::Context) => "while handling ",
            None if position > 0 => "and ",
            None => "",
        };
        write_message(relation, &link.error_type, &link.message, output)?;
        for note in &link.notes {
            for line in note.lines() {
                write_folded(&plain(line), 2 * INDENT, "note: ", output)?;
            }
        }
        for frame in &link.frames {
            write_frame(frame, output)?;
        }
    }
    Ok(())
}

/// The type and the message, line by line as the message has them.
fn write_message(relation: &str, error_type: &str, message: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let separator = if message.is_empty() { "" } else { ": " };
    let whole = format!("{error_type}{separator}{message}");
    let relation_width = relation.len();
    let room = output.width.saturating_sub(INDENT + relation_width);
    let mut first = true;
    for line in whole.lines() {
        for part in fit::fold(&plain(line), room) {
            let begin = if first { relation.to_owned() } else { " ".repeat(relation_width) };
            first = false;
            let (begin, part) = (output.paint(Tone::Faint, &begin), output.paint(Tone::Bad, &part));
            output.line(&format!("{:INDENT$}{begin}{part}", ""))?;
        }
    }
    Ok(())
}

/// `function  file:line` and the source line below it.
fn write_frame(frame: &Frame, output: &mut Output<'_>) -> Result<(), Failure> {
    const MARGIN: usize = 2 * INDENT;
    let (file, line, function, source) = match frame {
        Frame::Cut(note) => {
            let note = output.paint(Tone::Faint, &plain(note));
            return Ok(output.line(&format!("{:MARGIN$}{note}", ""))?);
        }
        Frame::At { file, line, function, source } => (file, line, function, source),
    };
    let (function, line) = (plain(function), if *line > 0 { format!(":{line}") } else { String::new() });
    let room = output.width.saturating_sub(MARGIN + fit::width(&function) + "  ".len() + line.len()).max(12);
    let place = output.paint(Tone::Faint, &format!("{}{line}", fit::keep_end(&plain(file), room)));
    output.line(&format!("{:MARGIN$}{function}  {place}", ""))?;
    if let Some(source) = source {
        let margin = MARGIN + INDENT;
        let source = fit::keep_start(&plain(source), output.width.saturating_sub(margin));
        let source = output.paint(Tone::Faint, &source);
        output.line(&format!("{:margin$}{source}", ""))?;
    }
    Ok(())
}
