//! ENDs: how a call ended, and when. The fixed part is written on the caller's thread and must stay a few stores.

use super::Status;
use crate::DecodeError;
use crate::varint::{self, Input};

/// The bit of the status byte that says an [`Activity`] stands before the outcome.
const SUSPENDED: u8 = 0x80;

/// The bit of the status byte that says the call was certain to be kept: its weight is 1.
const CERTAIN: u8 = 0x40;

/// What an END says before its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndHead {
    /// The call's id.
    pub id: u64,
    /// CLOCK_MONOTONIC ns.
    pub ended: u64,
    /// The function's number in its run.
    pub function: u32,
    /// How it ended.
    pub status: Status,
    /// The call would have been kept at any sample rate, so it stands for itself alone, whatever its START says.
    pub certain: bool,
}

/// Writes an END's head into `out`, emptied first; the outcome follows: a captured value, or [`write_failure`], or
/// nothing where the result was not captured.
#[inline(always)]
pub fn begin_end(out: &mut Vec<u8>, head: &EndHead) {
    write_head(out, head, 0);
}

/// Writes the END's head of a call whose body can be suspended into `out`, emptied first; the outcome follows as after
/// [`begin_end`].
#[inline]
pub fn begin_suspended_end(out: &mut Vec<u8>, head: &EndHead, activity: &Activity<'_>) {
    write_head(out, head, SUSPENDED);
    varint::put(out, activity.active_ns);
    varint::put(out, activity.yields.map_or(0, |yields| yields.saturating_add(1)));
    varint::put_bytes(out, activity.task.as_bytes());
}

#[inline(always)]
fn write_head(out: &mut Vec<u8>, head: &EndHead, flags: u8) {
    out.clear();
    out.extend_from_slice(&head.id.to_le_bytes());
    out.extend_from_slice(&head.ended.to_le_bytes());
    varint::put(out, u64::from(head.function));
    out.push(head.status as u8 | if head.certain { CERTAIN } else { 0 } | flags);
}

/// What a call whose body can be suspended adds to its END.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity<'a> {
    /// Nanoseconds spent inside the body, between its suspensions.
    pub active_ns: u64,
    /// Values it yielded; `None` where it yields none to its caller, as a coroutine.
    pub yields: Option<u64>,
    /// The name of the task that ran it; empty for none.
    pub task: &'a str,
}

impl<'a> Activity<'a> {
    fn decode(input: &mut Input<'a>) -> Result<Self, DecodeError> {
        let (active_ns, yields) = (input.varint()?, input.varint()?.checked_sub(1));
        let task = std::str::from_utf8(input.len_prefixed()?).map_err(|_| DecodeError::Text)?;
        Ok(Self { active_ns, yields, task })
    }
}

/// Why a call failed, as its END says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure<'a> {
    /// The exception's type with its module (`json.decoder.JSONDecodeError`; builtins bare).
    pub error_type: String,
    /// Its message, bounded by the capture.
    pub message: String,
    /// The file that raised it; empty where unknown.
    pub file: String,
    /// The line in `file`.
    pub line: u32,
    /// The function that raised it.
    pub place: String,
    /// The chain of causes with their frames, as a captured value.
    pub chain: &'a [u8],
}

/// Appends a failure's fixed part to an END; the chain follows as one captured value.
pub fn write_failure(out: &mut Vec<u8>, failure: &Failure<'_>) {
    varint::put_bytes(out, failure.error_type.as_bytes());
    varint::put_bytes(out, failure.message.as_bytes());
    varint::put_bytes(out, failure.file.as_bytes());
    varint::put(out, u64::from(failure.line));
    varint::put_bytes(out, failure.place.as_bytes());
    out.extend_from_slice(failure.chain);
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// With a value, as captured; empty when it was not.
    Value(&'a [u8]),
    /// With an exception.
    Failure(Failure<'a>),
}

/// A call's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndEvent<'a> {
    /// The call's id.
    pub id: u64,
    /// CLOCK_MONOTONIC ns.
    pub ended: u64,
    /// The function's number in its run.
    pub function: u32,
    /// How it ended.
    pub status: Status,
    /// See [`EndHead::certain`].
    pub certain: bool,
    /// How its body ran, of a call whose body can be suspended.
    pub activity: Option<Activity<'a>>,
    /// With what.
    pub outcome: Outcome<'a>,
}

impl<'a> EndEvent<'a> {
    /// Reads an END back.
    ///
    /// # Errors
    /// When the bytes are not one whole END. A captured value is read by [`crate::value::render_json`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Input::new(bytes);
        let (id, ended) = (input.fixed()?, input.fixed()?);
        let function = u32::try_from(input.varint()?).map_err(|_| DecodeError::Range)?;
        let status = input.byte()?;
        let activity = if status & SUSPENDED == 0 { None } else { Some(Activity::decode(&mut input)?) };
        let certain = status & CERTAIN != 0;
        let status = Status::try_from(status & !(SUSPENDED | CERTAIN))?;
        let failed = matches!(status, Status::Error | Status::Cancelled) && !input.is_empty();
        let outcome = if failed {
            Outcome::Failure(Failure {
                error_type: input.text()?,
                message: input.text()?,
                file: input.text()?,
                line: u32::try_from(input.varint()?).map_err(|_| DecodeError::Range)?,
                place: input.text()?,
                chain: input.rest(),
            })
        } else {
            Outcome::Value(input.rest())
        };
        Ok(Self { id, ended, function, status, certain, activity, outcome })
    }
}
