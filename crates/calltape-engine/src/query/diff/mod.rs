//! What changed between two times or two runs: per function, how often, how slow, how often in error.
//!
//! | file | job |
//! |---|---|
//! | `compare.rs` | the question, and its answer |
//! | `gather.rs` | the figures of one side |
//! | `stands_out.rs` | which changes are worth a look |
//!
//! A range of time is answered from the rollup, in whole minutes by the calls' ends; a run, of which the rollup knows
//! nothing, and whatever a filter asks beyond functions, from the rows of calls. Figures from rows count each with its
//! weight, so they estimate what sampling left out.

mod compare;
mod gather;
mod stands_out;

pub use compare::{Diff, FunctionDiff, Side};
pub use gather::Figures;
pub use stands_out::Why;

#[cfg(test)]
mod tests;
