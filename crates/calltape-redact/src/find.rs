//! Where the secrets in a text are: the one way in to the shapes and assignments, and the mark that replaces them.
//!
//! Capture calls [`find`] for text that [`may_hold_secret`](crate::may_hold_secret), cuts after it has masked, and so
//! leaves no half of a secret. Each kind of secret looks at the text on its own; the ranges are joined at the end.

use std::borrow::Cow;
use std::ops::Range;

use crate::{Names, assignments, may_hold_secret, shapes};

/// What stands in place of a secret.
pub const MARK: &str = "***";

/// Bytes past a cut that [`find`] needs to tell a secret from a look-alike: the header of a PEM block, a card number
/// with its spaces, the user and password of most URLs. A caller that will cut at `n` passes `n + LOOKAHEAD` bytes, or
/// all there are. A secret that is longer is found by its beginning.
pub const LOOKAHEAD: usize = 128;

/// Whether a text is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The text is complete.
    Whole,
    /// The text goes on beyond what is given: what may be the beginning of a secret at its end is found as well.
    Beginning,
}

/// Fills `found` with the ranges of `text` that hold secrets, sorted and disjoint.
///
/// The text is bytes, so that UTF-8 with lone surrogates will do. Ranges begin and end next to ASCII or at the text's
/// ends. Takes time linear in the text, whatever it holds.
///
/// ```
/// use calltape_redact::{Extent, Names, find};
///
/// let mut found = Vec::new();
/// find(b"GET /?token=abc&page=2", Extent::Whole, Names::defaults(), &mut found);
/// assert_eq!(found, [12..15]);
/// ```
pub fn find(text: &[u8], extent: Extent, names: &Names, found: &mut Vec<Range<usize>>) {
    found.clear();
    let text = Text { bytes: text, goes_on: extent == Extent::Beginning };
    assignments::find(text, names, found);
    shapes::find(text, names, found);
    found.retain(|range| !range.is_empty());
    join(found);
}

/// The text with [`MARK`] in place of every secret in it.
pub fn masked<'a>(text: &'a str, extent: Extent, names: &Names) -> Cow<'a, str> {
    if extent == Extent::Whole && !may_hold_secret(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut found = Vec::new();
    find(text.as_bytes(), extent, names, &mut found);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut kept = 0;
    for range in found {
        let start = text.floor_char_boundary(range.start).max(kept);
        masked.push_str(&text[kept..start]);
        masked.push_str(MARK);
        kept = text.ceil_char_boundary(range.end);
    }
    masked.push_str(&text[kept..]);
    Cow::Owned(masked)
}

/// A text that is looked through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) bytes: &'a [u8],
    /// More follows that is not given.
    pub(crate) goes_on: bool,
}

impl Text<'_> {
    /// Whether something that ends here might be longer than what is seen.
    pub(crate) fn is_cut_at(self, at: usize) -> bool {
        self.goes_on && at >= self.bytes.len()
    }
}

/// Sorts ranges and joins those that overlap or touch.
fn join(found: &mut Vec<Range<usize>>) {
    found.sort_unstable_by_key(|range| (range.start, range.end));
    found.dedup_by(|next, kept| {
        let joins = next.start <= kept.end;
        if joins {
            kept.end = kept.end.max(next.end);
        }
        joins
    });
}
