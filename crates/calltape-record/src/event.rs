//! The events of a call, as the payloads of journal frames.
//!
//! A thread's segment opens with a [`ThreadEvent`]; then each call writes a START when it begins and an END when it is
//! over. The START head is fixed width where the caller's path writes it, variable where that makes frames shorter:
//!
//! ```text
//! START  id u64 | started u64 | function varint <<1 |weighted | [weight f64] | parent zigzag, 0 none | [root zigzag] | arguments
//! END    id u64 | ended u64   | function varint | status u8 |certain <<6 |suspended <<7 | [activity] | outcome
//! NOTE   id u64 | key text    | value
//! ```
//!
//! A LATE START has a START's payload. A certain END makes its call's weight 1: whatever the sample rate, such a call is
//! kept. A NOTE is what the program adds to a call that runs; it may stand in another thread's segment than the call's START.
//! Times are CLOCK_MONOTONIC nanoseconds; the run's journal says what to add for Unix time. Parent and root are
//! differences to the id. ENDs stand in `event/end.rs`, notes in `event/note.rs`
//! and as text in `event/noted.rs`, all else here.

mod end;
mod note;
mod noted;

pub use end::{Activity, EndEvent, EndHead, Failure, Outcome, begin_end, begin_suspended_end, write_failure};
pub use note::{NoteEvent, begin_note};
pub use noted::{NOTES_MEMBER, merge_notes, with_notes};

use crate::varint::{self, Input};
use crate::{DecodeError, value};

/// Kinds of journal frames.
pub mod kind {
    /// A [`super::ThreadEvent`].
    pub const THREAD: u8 = 1;
    /// A [`super::StartEvent`].
    pub const START: u8 = 2;
    /// An [`super::EndEvent`].
    pub const END: u8 = 3;
    /// A [`super::NoteEvent`].
    pub const NOTE: u8 = 4;
    /// A [`super::StartEvent`] that was written when its call was over, its arguments taken then: of a call that was
    /// left out and turned out to be worth a row.
    pub const LATE_START: u8 = 5;
}

/// The parameter number under which arguments stand that fit no parameter (a wrong call).
pub const ARGUMENT_OVERFLOW: u64 = u32::MAX as u64;

/// The member of a call's arguments that says they were taken when it was over; no parameter can have such a name.
const LATE_MEMBER: &str = "(taken at end)";

/// How a call stands. The numbers are stored in the tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Returned.
    Ok = 0,
    /// Raised.
    Error = 1,
    /// Ended by a cancellation.
    Cancelled = 2,
    /// A generator closed before its end.
    Closed = 3,
    /// An object that never ran.
    Abandoned = 4,
    /// Not over yet.
    Running = 5,
    /// Cut off by the end of its process.
    Interrupted = 6,
}

impl Status {
    /// Every status, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Ok, Self::Error, Self::Cancelled, Self::Closed, Self::Abandoned, Self::Running, Self::Interrupted];

    /// The word the tape's view `calls` has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Closed => "closed",
            Self::Abandoned => "abandoned",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
        }
    }

    /// The status of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl TryFrom<u8> for Status {
    type Error = DecodeError;

    fn try_from(number: u8) -> Result<Self, DecodeError> {
        Ok(match number {
            0 => Self::Ok,
            1 => Self::Error,
            2 => Self::Cancelled,
            3 => Self::Closed,
            4 => Self::Abandoned,
            5 => Self::Running,
            6 => Self::Interrupted,
            found => return Err(DecodeError::Unknown { what: "status", found }),
        })
    }
}

/// Whose frames follow in a segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ThreadEvent {
    /// `threading.get_ident()`.
    pub ident: u64,
    /// The kernel's thread id.
    pub native_id: u64,
    /// The thread's name.
    pub name: String,
}

impl ThreadEvent {
    /// The event as a frame payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.name.len() + 24);
        varint::put(&mut out, self.ident);
        varint::put(&mut out, self.native_id);
        varint::put_bytes(&mut out, self.name.as_bytes());
        out
    }

    /// Reads the event back.
    ///
    /// # Errors
    /// When the bytes are not one whole event.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Input::new(bytes);
        Ok(Self { ident: input.varint()?, native_id: input.varint()?, name: input.text()? })
    }
}

/// What a START says before its arguments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartHead {
    /// The call's id.
    pub id: u64,
    /// The call that made it; 0 for none.
    pub parent: u64,
    /// The outermost call of its tree; the id itself when there is no parent.
    pub root: u64,
    /// CLOCK_MONOTONIC ns.
    pub started: u64,
    /// The function's number in its run.
    pub function: u32,
    /// Calls this one stands for.
    pub weight: f64,
}

/// Writes a START's head into `out`, emptied first; the arguments follow through an [`ArgumentWriter`].
#[inline(always)]
pub fn begin_start(out: &mut Vec<u8>, head: &StartHead) {
    out.clear();
    out.extend_from_slice(&head.id.to_le_bytes());
    out.extend_from_slice(&head.started.to_le_bytes());
    let weighted = head.weight != 1.0;
    varint::put(out, u64::from(head.function) << 1 | u64::from(weighted));
    if weighted {
        out.extend_from_slice(&head.weight.to_le_bytes());
    }
    if head.parent == 0 {
        out.push(0);
    } else {
        varint::put_signed(out, head.id.wrapping_sub(head.parent) as i64);
        varint::put_signed(out, head.id.wrapping_sub(head.root) as i64);
    }
}

/// Writes the arguments of a START: first those for the leading parameters in order, then others by parameter number.
#[derive(Debug)]
pub struct ArgumentWriter;

impl ArgumentWriter {
    /// Says how many of the leading parameters have their values next, one after the other.
    #[inline]
    pub fn leading(out: &mut Vec<u8>, count: usize) {
        varint::put(out, count as u64);
    }

    /// Says that the next value belongs to `parameter` ([`ARGUMENT_OVERFLOW`] for none), and whether it is its default.
    #[inline]
    pub fn named(out: &mut Vec<u8>, parameter: u64, default: bool) {
        varint::put(out, parameter << 1 | u64::from(default));
    }
}

/// A call's beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartEvent<'a> {
    /// Everything but the arguments.
    pub head: StartHead,
    /// The arguments as captured; empty when they were not.
    pub arguments: &'a [u8],
}

impl<'a> StartEvent<'a> {
    /// Reads a START back.
    ///
    /// # Errors
    /// When the head is not whole. The arguments are read by [`Self::render_arguments`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Input::new(bytes);
        let (id, started) = (input.fixed()?, input.fixed()?);
        let function = input.varint()?;
        let weight = if function & 1 == 1 { f64::from_bits(input.fixed()?) } else { 1.0 };
        let function = u32::try_from(function >> 1).map_err(|_| DecodeError::Range)?;
        let (parent, root) = match input.signed()? {
            0 => (0, id),
            difference => (id.wrapping_sub(difference as u64), id.wrapping_sub(input.signed()? as u64)),
        };
        let head = StartHead { id, parent, root, started, function, weight };
        Ok(Self { head, arguments: input.rest() })
    }

    /// Appends the arguments to `json` as one object by parameter name; `parameters` are the function's.
    /// Those that stand at their default are listed under `"(defaults)"`, those that fit no parameter under `"(extra)"`;
    /// `late` ones, taken when the call was over, have a member that says so.
    /// Returns false, and appends nothing, when the arguments were not captured.
    ///
    /// # Errors
    /// When the captured bytes are malformed; `json` then ends in the middle of the object.
    pub fn render_arguments(&self, parameters: &[String], late: bool, json: &mut String) -> Result<bool, DecodeError> {
        if self.arguments.is_empty() {
            return Ok(false);
        }
        let mut input = Input::new(self.arguments);
        let mut object = value::ObjectText::open(json);
        for position in 0..input.varint()? {
            if value::takes_left_out(&mut input)? {
                continue;
            }
            object.key(name_of(parameters, position), json);
            value::render(&mut input, json)?;
        }
        let mut defaults: Vec<&str> = Vec::new();
        while !input.is_empty() {
            let number = input.varint()?;
            let name = name_of(parameters, number >> 1);
            if value::takes_left_out(&mut input)? {
                continue;
            }
            if number & 1 == 1 {
                defaults.push(name);
            }
            object.key(name, json);
            value::render(&mut input, json)?;
        }
        if !defaults.is_empty() {
            object.key("(defaults)", json);
            value::render_names(&defaults, json);
        }
        if late {
            object.key(LATE_MEMBER, json);
            json.push_str("true");
        }
        object.close(json);
        Ok(true)
    }
}

fn name_of(parameters: &[String], number: u64) -> &str {
    usize::try_from(number).ok().and_then(|index| parameters.get(index)).map_or("(extra)", String::as_str)
}

#[cfg(test)]
mod tests;
