//! Panics stop here: a fault inside calltape is counted and logged, and the program goes on as if undecorated.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::runtime;

/// Runs `body`; a panic becomes `fallback`, counted and logged.
#[inline]
pub(super) fn contain<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(_) => {
            runtime::note_fault();
            fallback
        }
    }
}
