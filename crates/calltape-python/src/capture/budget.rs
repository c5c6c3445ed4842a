//! What a walk may still spend, in bytes of JSON. Called by every reader of values before it writes.
//!
//! A walk knows at any time how many bytes of JSON it may still write such that everything open can be closed: brackets,
//! and the note that says how much was left out, are taken off when a container is entered. A reader always writes one
//! value. Where nothing that makes sense fits it writes `"..."`, for which there is always room, and the walk is
//! *squeezed*: the container then takes the item back and says how many it left out.
//!
//! Notes are for what does not fit, and most values do. So a value is *tried* first, with no room kept for notes: what
//! fits is shown in full. A trial that is squeezed ends at once, and the value is walked again.

use calltape_record::value::{ValueWriter, Width};
use calltape_redact::{Extent, masked, may_hold_secret};
use pyo3::ffi::{self, PyObject};

use super::policy::MOST_A_BYTE;
use super::walk::{Capture, type_name};

/// How far a walk had come: what was written since can be taken back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) written: usize,
    pub(super) left: usize,
}

impl Capture<'_> {
    /// Walks one value at the top, which `walk` does: a second time where the trial was squeezed. A value that does not fit
    /// at all is only named.
    ///
    /// # Safety
    /// `value` is null, for what is no value of its own, or live.
    #[inline]
    pub(super) unsafe fn at_the_top(&mut self, value: *mut PyObject, mut walk: impl FnMut(&mut Self)) {
        let before = self.begin_value();
        self.is_trial = true;
        walk(self);
        self.is_trial = false;
        if self.squeezed {
            self.squeezed = false;
            self.take_back(before);
            walk(self);
        }
        if self.squeezed && !value.is_null() {
            self.take_back(before);
            // SAFETY: a live value has a type.
            self.marker(unsafe { type_name(ffi::Py_TYPE(value)) });
        }
        self.squeezed = false;
        self.end_value(before);
    }

    /// Begins a value at the top: what it may spend, which is told to [`Self::end_value`].
    fn begin_value(&mut self) -> Mark {
        let uncounted = self.out.len().saturating_sub(self.counted);
        self.call_left = self.call_left.saturating_sub(uncounted * MOST_A_BYTE);
        // The shortest marker is written in any case.
        self.left = self.policy.max_repr.min(self.call_left).max(Width::DOTS);
        self.mark()
    }

    /// Ends a value at the top.
    fn end_value(&mut self, before: Mark) {
        self.call_left = self.call_left.saturating_sub(before.left - self.left);
        self.counted = self.out.len();
        let share = self.policy.max_call_bytes - self.call_left;
        self.uncounted_until = self.counted + self.policy.uncounted.saturating_sub(share / MOST_A_BYTE + 1);
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { written: self.out.len(), left: self.left }
    }

    /// Takes back what was written since `mark`.
    pub(super) fn take_back(&mut self, mark: Mark) {
        self.out.truncate(mark.written);
        self.left = mark.left;
    }

    /// Spends `width` bytes of JSON, or writes `"..."` in place of the value that would take them.
    #[inline]
    pub(super) fn may_write(&mut self, width: usize) -> bool {
        if width <= self.left {
            self.left -= width;
            return true;
        }
        self.squeeze();
        false
    }

    /// Writes `"..."`: nothing that makes sense fits.
    #[cold]
    pub(super) fn squeeze(&mut self) {
        ValueWriter::text(self.out, b"...");
        self.left = self.left.saturating_sub(Width::DOTS);
        self.squeezed = true;
    }

    /// Writes `[summary]`, masked: a type's name may be anything.
    pub(super) fn marker(&mut self, summary: &str) {
        let masked = may_hold_secret(summary.as_bytes()).then(|| masked(summary, Extent::Whole, self.policy.names));
        let summary = masked.as_deref().unwrap_or(summary);
        if self.may_write(Width::MARKER + Width::text(summary.as_bytes())) {
            ValueWriter::marker(self.out, summary.as_bytes());
        }
    }

    /// Writes `"***"`.
    #[inline]
    pub(super) fn masked(&mut self) {
        if self.may_write(Width::MASKED) {
            ValueWriter::masked(self.out);
        }
    }
}
