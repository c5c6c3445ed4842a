//! Where the secrets in a text are: the one way in to the shapes and assignments.

use std::borrow::Cow;
use std::ops::Range;

use crate::Names;

/// What stands in place of a secret.
pub const MARK: &str = "***";

/// Bytes past a cut that [`find`] needs to tell a secret from a look-alike.
pub const LOOKAHEAD: usize = 128;

/// Whether a text is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The text is complete.
    Whole,
    /// The text goes on beyond what is given: what may be the beginning of a secret at its end is found as well.
    Beginning,
}

/// Adds the ranges of `text` that hold secrets to `found`, sorted and disjoint.
pub fn find(text: &[u8], extent: Extent, names: &Names, found: &mut Vec<Range<usize>>) {
    let _ = (text, extent, names, found);
}

/// The text with [`MARK`] in place of every secret in it.
pub fn masked<'a>(text: &'a str, extent: Extent, names: &Names) -> Cow<'a, str> {
    let mut found = Vec::new();
    find(text.as_bytes(), extent, names, &mut found);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut kept = 0;
    for range in found {
        let start = text.floor_char_boundary(range.start);
        masked.push_str(text.get(kept..start).unwrap_or_default());
        masked.push_str(MARK);
        kept = text.ceil_char_boundary(range.end).max(kept);
    }
    masked.push_str(&text[kept..]);
    Cow::Owned(masked)
}
