//! Secrets that are known by their shape, wherever they stand: one file a family.

pub(crate) mod cards;
mod jwt;
mod pem;
mod prefixes;
pub(crate) mod scheme;
pub(crate) mod tokens;
pub(crate) mod url;

use std::ops::Range;

use crate::Names;
use crate::find::Text;

/// Adds what is a secret by its shape. URLs are not among them: their `:` is met with the assignments'.
pub(crate) fn find(text: Text, names: &Names, found: &mut Vec<Range<usize>>) {
    tokens::find(text, names, found);
    scheme::find_at_start(text, found);
    pem::find(text, found);
    cards::find(text, found);
}
