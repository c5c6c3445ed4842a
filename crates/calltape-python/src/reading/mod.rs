//! A tape that is read from Python: `calltape.open` wraps the native [`Tape`] made here.
//!
//! ```text
//! tape.rs     the type: opening, asking, one method a question
//! arrow.rs    calls as a stream of Arrow's
//! pool.rs     its connections: one for each question at a time, none taken over by a forked child
//! filter.rs   which calls, as Python says it
//! rows.rs     what the engine answers, as tuples and dicts that the dataclasses of `calltape._rows` are made of
//! failing.rs  what goes wrong, as the exceptions of `calltape._faults`
//! ```
//!
//! It never uses another SQLite than the engine's own, which is the one that records here, and never holds the
//! interpreter lock while it reads. Words about arguments are Python's part.

mod arrow;
mod failing;
mod filter;
mod pool;
mod rows;
mod tape;

pub(crate) use filter::{check_condition, read_moment, read_run, read_span, statuses};
pub(crate) use tape::Tape;
