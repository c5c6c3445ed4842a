//! The texts of a failure as Rust text: what looks like a secret is masked first, in a window that reaches beyond the
//! cut, and only then is it cut, so that no cut leaves half a secret.

use std::borrow::Cow;

use calltape_redact::{Extent, LOOKAHEAD, Names, may_hold_secret};
use pyo3::ffi::{self, PyObject};

use crate::capture::Policy;
use crate::capture::to_string;

/// Characters kept of a name: a type's, a file's, a function's.
pub(super) const MAX_NAME: usize = 512;

/// A text as it is kept.
pub(super) struct Kept {
    /// Masked, at most as many characters as were asked for.
    pub(super) text: String,
    /// There was more.
    pub(super) is_cut: bool,
}

/// At most `limit` characters of a str.
///
/// # Safety
/// `text` is a live str, the interpreter lock held.
pub(super) unsafe fn kept(text: *mut PyObject, limit: usize, policy: &Policy) -> Kept {
    let window = window(limit);
    // SAFETY: passed on.
    let (beginning, length) = unsafe { (to_string(text, window), ffi::PyUnicode_GET_LENGTH(text) as usize) };
    kept_of(beginning, length > window, limit, policy)
}

/// At most `limit` characters of `beginning`, which goes on where `goes_on`.
pub(super) fn kept_of(beginning: String, goes_on: bool, limit: usize, policy: &Policy) -> Kept {
    let mut text = masked(beginning, goes_on, policy);
    let end = if text.len() <= limit { None } else { text.char_indices().nth(limit).map(|(at, _)| at) };
    if let Some(end) = end {
        text.truncate(end);
    }
    Kept { text, is_cut: goes_on || end.is_some() }
}

/// Characters to look at of what is cut at `limit`.
pub(super) fn window(limit: usize) -> usize {
    limit.saturating_add(LOOKAHEAD)
}

fn masked(text: String, goes_on: bool, policy: &Policy) -> String {
    if !may_hold_secret(text.as_bytes()) {
        return text;
    }
    let extent = if goes_on { Extent::Beginning } else { Extent::Whole };
    match calltape_redact::masked(&text, extent, names(policy)) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => masked,
    }
}

/// The names whose values are withheld.
pub(super) fn names(policy: &Policy) -> &Names {
    policy.names
}

/// A str without a note of what was cut, as names and paths are kept; nothing of what is no str.
///
/// # Safety
/// `text` is null or live, the interpreter lock held.
pub(super) unsafe fn name_of(text: *mut PyObject, policy: &Policy) -> String {
    // SAFETY: passed on.
    unsafe {
        if text.is_null() || ffi::PyUnicode_Check(text) == 0 {
            return String::new();
        }
        kept(text, MAX_NAME, policy).text
    }
}

/// Bytes of a text that may be a name.
const LONGEST_LABEL: usize = 128;

/// Whether what comes after this text is withheld: it names a secret, as `password`, `api_key=` and `invalid token` do.
pub(super) fn withholds(text: &str, policy: &Policy) -> bool {
    let label = text.trim_end_matches(['=', ':', ' ']);
    label.len() <= LONGEST_LABEL && names(policy).is_sensitive(label.as_bytes())
}
