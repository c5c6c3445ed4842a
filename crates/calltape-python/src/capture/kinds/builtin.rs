//! Objects of subclasses of builtin types, read as the builtin from the storage that they begin with.

use super::super::views::View;
use super::super::walk::Capture;
use super::Object;
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[("deque", c"collections", c"deque", deque), ("array", c"array", c"array", array)];

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

/// # Safety
/// As [`super::Reader`], for a `bytearray`.
pub(super) unsafe fn byte_array(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.byte_array(object.value) }
}

/// # Safety
/// As [`super::Reader`], for a `set` or `frozenset`.
pub(super) unsafe fn set(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.set(object.value) }
}

/// # Safety
/// As [`super::Reader`], for an `OrderedDict`.
pub(super) unsafe fn ordered_dict(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.ordered_dict(object.value) }
}

/// # Safety
/// As [`super::Reader`], for a `mappingproxy`.
pub(super) unsafe fn mapping_proxy(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.mapping_proxy(object.value) }
}

/// # Safety
/// As [`super::Reader`], for the keys of a dict.
pub(super) unsafe fn dict_keys(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.dict_view(object.value, View::Keys) }
}

/// # Safety
/// As [`super::Reader`], for the values of a dict.
pub(super) unsafe fn dict_values(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.dict_view(object.value, View::Values) }
}

/// # Safety
/// As [`super::Reader`], for the items of a dict.
pub(super) unsafe fn dict_items(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.dict_view(object.value, View::Items) }
}

/// # Safety
/// As [`super::Reader`], for a `deque`.
unsafe fn deque(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.deque(object.value, object.base) }
}

/// # Safety
/// As [`super::Reader`], for an `array`.
unsafe fn array(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe { capture.array(object.value, object.base) }
}
