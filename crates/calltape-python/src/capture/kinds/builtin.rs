//! Objects of subclasses of builtin types, read as the builtin from the storage that they begin with.

use super::super::walk::Capture;
use super::Object;

/// # Safety
/// As [`super::Reader`], for a `str`.
pub(super) unsafe fn text(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.text(object.value) }
}

/// # Safety
/// As [`super::Reader`], for an `int`.
pub(super) unsafe fn integer(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.integer(object.value) }
}

/// # Safety
/// As [`super::Reader`], for a `list`.
pub(super) unsafe fn list(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.list(object.value) }
}

/// # Safety
/// As [`super::Reader`], for a `tuple`.
pub(super) unsafe fn tuple(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.tuple(object.value) }
}

/// # Safety
/// As [`super::Reader`], for a `dict`.
pub(super) unsafe fn dict(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.dict(object.value) }
}

/// # Safety
/// As [`super::Reader`], for a `bytes`.
pub(super) unsafe fn bytes(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.bytes(object.value) }
}
