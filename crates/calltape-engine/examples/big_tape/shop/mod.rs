//! A day of a shop's services, as a tape. Used by the program beside it and, by path, by the test of what it writes.
//!
//! ```text
//! catalogue.rs  the functions: who calls whom, how long, with what, how they fail
//! processes.rs  the machines and processes of the day
//! trees.rs      the calls of one request
//! text.rs       their arguments, results and messages
//! random.rs     what chance there is in it
//! tape.rs       rows, books, minutes and kinds of error, exact
//! generate.rs   the day
//! ```

mod catalogue;
mod generate;
mod processes;
mod random;
mod tape;
mod text;
mod trees;

pub(crate) use catalogue::FUNCTIONS;
pub(crate) use generate::write;
