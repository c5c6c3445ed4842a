//! What is secret: names whose values are withheld, and text that is a secret by its shape. Bytes in, ranges out.
//!
//! Capture asks [`Names::is_sensitive`] for every key, attribute and parameter, and [`may_hold_secret`] for every text;
//! [`find`] runs on the few texts that may hold something. All of it works in time linear in the text and without
//! going back over it, so that no input makes a monitored call slow. Deliberately absent: I/O, clocks, Python, records,
//! and any claim that all secrets are found: one that looks like plain prose is not.
#![forbid(unsafe_code)]

mod assignments;
mod bytes;
mod find;
mod names;
mod prefilter;
mod runs;
mod shapes;

pub use find::{Extent, LOOKAHEAD, MARK, find, masked};
pub use names::{BadName, Names};
pub use prefilter::may_hold_secret;
pub use shapes::cards::is_card_number;
