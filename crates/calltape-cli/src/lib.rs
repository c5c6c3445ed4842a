//! calltape's command line: what was called with what, what came back, what failed and how long it took, in a terminal.
//!
//! ```text
//! arguments -> commands -> (engine::query) -> text -> terminal
//! ```
//!
//! [`run`] is what the Python entry point and the thin `calltape` binary call; [`run_in`] is the same with everything
//! around it given, for tests. Deliberately absent: SQL, and any write to a tape.
//!
//! Exit codes: 0 found, 1 nothing found, 2 wrong usage, no tape, or a tape that cannot be read. A closed pipe and a stop
//! end quietly with 0.

mod arguments;
mod commands;
mod entry;
mod json;
mod output;
mod palette;
mod surroundings;
mod text;

pub use entry::{run, run_in};
pub use output::Streams;
pub use surroundings::Surroundings;
