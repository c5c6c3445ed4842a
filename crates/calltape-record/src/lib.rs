//! What a recorded call is: its events, its captured values, and their bytes.
//!
//! The wrapper writes events with this crate on the caller's thread, the journal carries them as opaque payloads, and
//! the drain reads them back and renders them as JSON. Deliberately absent: I/O, clocks, threads, and anything that
//! knows Python or SQLite.
#![forbid(unsafe_code)]

mod definition;
mod error;
mod event;
pub mod ids;
pub mod latency;
pub mod value;
mod varint;

pub use definition::FunctionDef;
pub use error::DecodeError;
pub use event::{
    ARGUMENT_OVERFLOW, Activity, ArgumentWriter, EndEvent, EndHead, Failure, NOTES_MEMBER, NoteEvent, Outcome,
    StartEvent, StartHead, Status, ThreadEvent, begin_end, begin_note, begin_start, begin_suspended_end, kind,
    merge_notes, with_notes, write_failure,
};
