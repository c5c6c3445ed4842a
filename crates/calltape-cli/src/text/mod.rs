//! Text as people read it: durations, counts, times, fitting widths, and escaping what must not reach a terminal raw.

pub(crate) mod caret;
pub(crate) mod figures;
pub(crate) mod fit;
pub(crate) mod histogram;
pub(crate) mod plain;
pub(crate) mod span;
pub(crate) mod sparkline;
pub(crate) mod table;
pub(crate) mod times;
pub(crate) mod values;
pub(crate) mod when;

/// The widest that prose is set: longer lines are hard to read.
pub(crate) const READABLE_WIDTH: usize = 100;
