//! Why a text is no condition. Made by the parser; shown as it stands by the CLI and by Python.

use std::fmt;
use std::ops::Range;

/// Why a text is no condition: what is wrong, where, and what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The text.
    pub text: String,
    /// The bytes of it that are wrong; empty, at the end, where something is missing. On the borders of characters.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// A condition that is right.
    pub example: &'static str,
}

impl fmt::Display for FilterError {
    /// What is wrong, the text, a caret below the place, and an example, on four lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let columns = |range: Range<usize>| self.text.get(range).map_or(0, |part| part.chars().count());
        let (before, wrong) = (columns(0..self.range.start), columns(self.range.clone()));
        writeln!(f, "{}", self.message)?;
        writeln!(f, "  {shown}")?;
        writeln!(f, "  {}{}", " ".repeat(before), "^".repeat(wrong.max(1)))?;
        write!(f, "such as: {}", self.example)
    }
}

impl std::error::Error for FilterError {}
