//! The commands, one a file. Each asks the tape, and arranges the answer for people or as JSON lines.

pub(crate) mod errors;
pub(crate) mod show;
mod show_failure;
mod show_tree;
pub(crate) mod stats;
pub(crate) mod tail;
pub(crate) mod top;

use calltape_record::Status;

use crate::palette::Tone;

/// A status as the view `calls` writes it.
pub(crate) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Error => "error",
        Status::Cancelled => "cancelled",
        Status::Closed => "closed",
        Status::Abandoned => "abandoned",
        Status::Running => "running",
        Status::Interrupted => "interrupted",
    }
}

/// How a status looks.
fn status_tone(status: Status) -> Tone {
    match status {
        Status::Ok => Tone::Good,
        Status::Error | Status::Interrupted => Tone::Bad,
        Status::Running => Tone::Pending,
        Status::Cancelled | Status::Closed | Status::Abandoned => Tone::Faint,
    }
}
