//! Why recorded bytes could not be read back. Made by every decoder of this crate; the drain counts them.

use std::fmt;

/// Why recorded bytes could not be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// When the bytes end in the middle of a field.
    Truncated,
    /// When a tag, kind or status is one this version does not know.
    Unknown {
        /// What was being read.
        what: &'static str,
        /// The byte found there.
        found: u8,
    },
    /// When text is neither UTF-8 nor UTF-8 with lone surrogates.
    Text,
    /// When containers nest deeper than [`crate::value::MAX_DEPTH`].
    Depth,
    /// When a number does not fit its field.
    Range,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the record ends in the middle of a field"),
            Self::Unknown { what, found } => {
                write!(f, "{what} {found} is unknown; a newer calltape may have written it")
            }
            Self::Text => f.write_str("the record holds text that is not UTF-8"),
            Self::Depth => f.write_str("the record nests deeper than any capture does"),
            Self::Range => f.write_str("the record holds a number that does not fit its field"),
        }
    }
}

impl std::error::Error for DecodeError {}
