//! How a call stands, in the words and colours that all commands share.

use calltape_engine::query::Call;
use calltape_record::Status;

use crate::palette::Tone;
use crate::text::figures::{count, duration};

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
pub(super) fn status_tone(status: Status) -> Tone {
    match status {
        Status::Ok => Tone::Good,
        Status::Error | Status::Interrupted => Tone::Bad,
        Status::Running | Status::Cancelled | Status::Abandoned => Tone::Pending,
        // Its caller wanted no more: as good as a return.
        Status::Closed => Tone::Faint,
    }
}

/// How many items a generator yielded.
pub(super) fn items(yields: u64) -> String {
    format!("{} item{}", count(yields), if yields == 1 { "" } else { "s" })
}

/// The time inside the body, where it says something else than the duration: of a call whose body was suspended.
pub(super) fn active(call: &Call) -> Option<String> {
    let differs = call.active_ns != call.duration_ns && call.status != Status::Abandoned;
    call.active_ns.filter(|_| differs).map(|ns| format!("{} active", duration(ns)))
}
