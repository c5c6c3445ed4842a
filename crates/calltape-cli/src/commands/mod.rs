//! The commands, one a file. Most ask the tape, and arrange the answer for people or as JSON lines;
//! `prune`, `recover` and `drain` change it, through the engine and under its writer lease.

mod call_line;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod diff;
mod diff_sides;
pub(crate) mod doctor;
pub(crate) mod drain;
pub(crate) mod errors;
pub(crate) mod export;
mod export_file;
pub(crate) mod find;
mod nothing;
pub(crate) mod prune;
pub(crate) mod recover;
pub(crate) mod running;
pub(crate) mod show;
mod show_failure;
mod show_tree;
mod signals;
pub(crate) mod slow;
pub(crate) mod sql;
mod standing;
pub(crate) mod stats;
mod stats_incidents;
pub(crate) mod tail;
pub(crate) mod top;
pub(crate) mod tree;
pub(crate) mod waiting;

pub(crate) use standing::status_word;
use standing::{active, items, status_tone};
