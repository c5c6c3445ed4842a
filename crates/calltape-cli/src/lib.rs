//! calltape's command line: what was called with what, what came back, what failed and how long it took, in a terminal.
//!
//! ```text
//! arguments -> commands -> (engine::query) -> text -> terminal
//! ```
//!
//! [`run`] is what the Python entry point and the thin `calltape` binary call; [`run_in`] is the same with everything
//! around it given, for tests. Deliberately absent: SQL; what
//! changes a tape (`prune`, `recover`, `drain`) does so in the engine.
//!
//! Exit codes: 0 found or done, 1 nothing found or something to do, 2 wrong usage, no tape, or a tape that cannot be used,
//! 130 stopped while it waited for a locked tape or for an answer. A closed pipe and any other stop end quietly with 0.

mod arguments;
mod asked;
mod commands;
mod entry;
mod json;
mod output;
mod palette;
mod progress;
mod surroundings;
mod text;

pub use entry::{run, run_in};
pub use output::Streams;
pub use surroundings::Surroundings;
