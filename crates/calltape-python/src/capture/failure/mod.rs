//! What a call raised: the exception with its chain, its groups, its notes, its frames and their locals, read from
//! storage on the calling thread.
//!
//! ```text
//! raised.rs   the exception, taken from the interpreter and put back unchanged
//! chain.rs    which exceptions are kept, how they belong together, what an END holds of them
//! frames.rs   where each came from
//! outside.rs  which frames are not the program's own
//! locals.rs   what the innermost frames held, where that is asked for
//! message.rs  what an exception says
//! named.rs    what its type is called, and what was added to it
//! masking.rs  texts: masked first, then cut
//! stored.rs   what an object holds, read without asking it
//! ```
//!
//! Who calls it: `wrapper` at the END of a call that raised, and `kinds` for an exception that is a value. What it must
//! never do: run the program's code (`__str__`, properties, a lying `exceptions`), read a file (the drain adds source
//! lines), or leave anything as it was not: the exception goes back as it came, and every reference is given back.
//!
//! Constraints: exceptions, frames, notes and members are counted, and the bytes of all of them together stay below a
//! segment of the journal, however they are nested.

mod chain;
mod frames;
mod locals;
mod masking;
mod message;
mod named;
mod outside;
mod raised;
mod stored;

pub(crate) use chain::{kind_of, write_bare_failure_of, write_failure_of};
pub(crate) use locals::Variables;
pub(super) use message::message_of;
pub(crate) use raised::Raised;
