//! The commands, one a file. Each asks the tape, and arranges the answer for people or as JSON lines.

pub(crate) mod errors;
pub(crate) mod show;
mod show_failure;
mod show_tree;
mod standing;
pub(crate) mod stats;
pub(crate) mod tail;
pub(crate) mod top;
pub(crate) mod waiting;

pub(crate) use standing::status_word;
use standing::{active, items, status_tone};
