//! Captured values as tagged bytes: the capture writes them with [`ValueWriter`], within a budget told by [`Width`], the
//! drain renders them as JSON, and [`members`] takes that apart again.
//!
//! A value is one tag byte and what the tag says follows. Integers from 0 to 127 are the tag itself. Containers run to
//! an end tag, so a walk need not know their length beforehand. Text is UTF-8 in which lone surrogates (which a Python
//! `str` may hold) stand in their generalised three-byte form.

mod chain;
mod json;
mod parts;
mod tag;
mod width;
mod writer;

pub use chain::{SourceLines, render_chain};
pub use json::{ObjectText, render_json};
pub(crate) use json::{escape_str, render, render_names, takes_left_out};
pub use parts::{items, members, unquoted};
pub use width::Width;
pub use writer::ValueWriter;

/// Containers nest at most this deep in recorded bytes; deeper bytes are refused when read. Far above what any capture
/// writes, far below what would exhaust the drain's stack.
pub const MAX_DEPTH: usize = 64;
