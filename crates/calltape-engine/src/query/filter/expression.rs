//! Regular expressions right of `~`: read, bounded, and told apart from those that no text can match.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind, Look};

/// Bytes a compiled expression may take.
const REGEX_BYTES: usize = 1 << 20;

/// Expressions a condition may have, each of [`REGEX_BYTES`] at most.
pub(super) const EXPRESSIONS: usize = 64;

/// What is wrong with an expression, and the bytes of it that are wrong; no place where that is its size.
pub(super) struct Refused {
    pub(super) at: Option<Range<usize>>,
    pub(super) reason: String,
}

/// `text` as an expression.
///
/// # Errors
/// When it does not parse, or takes more than [`REGEX_BYTES`].
pub(super) fn read(text: &str) -> Result<Regex, Refused> {
    RegexBuilder::new(text).size_limit(REGEX_BYTES).build().map_err(|error| {
        let (span, reason) = match regex_syntax::parse(text) {
            Err(regex_syntax::Error::Parse(error)) => (Some(*error.span()), error.kind().to_string()),
            Err(regex_syntax::Error::Translate(error)) => (Some(*error.span()), error.kind().to_string()),
            _ => (None, error.to_string()),
        };
        Refused { at: span.map(|span| span.start.offset..span.end.offset), reason }
    })
}

/// Whether no text can match: something must come before its beginning or after its end, or no character will do. False
/// where that is not plain to see.
pub(in crate::query) fn matches_nothing(regex: &Regex) -> bool {
    regex_syntax::parse(regex.as_str()).is_ok_and(|parsed| is_impossible(&parsed))
}

fn is_impossible(expression: &Hir) -> bool {
    let takes_some = |part: &Hir| part.properties().minimum_len().is_some_and(|least| least > 0);
    match expression.kind() {
        HirKind::Class(_) => expression.properties().minimum_len().is_none(),
        HirKind::Capture(capture) => is_impossible(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && is_impossible(&repetition.sub),
        HirKind::Alternation(parts) => parts.iter().all(is_impossible),
        HirKind::Concat(parts) => {
            let is_look = |part: &Hir, look: Look| matches!(part.kind(), HirKind::Look(found) if *found == look);
            parts.iter().any(is_impossible)
                || parts.iter().skip_while(|part| !takes_some(part)).any(|part| is_look(part, Look::Start))
                || parts.iter().skip_while(|part| !is_look(part, Look::End)).any(takes_some)
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => false,
    }
}
