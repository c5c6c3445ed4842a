//! Values with a text of their own: numbers, UUIDs, paths, patterns, enum members, exceptions. What a library writes in
//! Python is read from what it stores; of C code only the slots of the exact known type are called.

use calltape_record::value::Width;
use pyo3::ffi::{self, PyObject};

use super::super::failure::message_of;
use super::super::scalar::bit_length;
use super::super::text::{ascii, stored_bytes};
use super::super::walk::{Capture, type_name};
use super::Object;
use super::storage::{Held, getter, is_loaded, method, slot_text, stored};

/// Bytes of memory beyond which a Decimal is not written out: some thousand digits.
const MAX_DECIMAL_BYTES: i64 = 2000;
/// Bytes around a message in its summary: quotes, brackets, a colon, and the note of a cut.
const AROUND_MESSAGE: usize = 32;
/// Characters kept of a model's title.
const MOST_TITLE: usize = 200;
/// Segments shown of a path that was made of several.
const MAX_PATH_PARTS: usize = 64;

/// A pattern's flags as Python names them, in the order in which it shows them; 32 (UNICODE) is every str pattern's.
const FLAGS: &[(i64, &str)] = &[
    (2, "re.IGNORECASE"),
    (4, "re.LOCALE"),
    (8, "re.MULTILINE"),
    (16, "re.DOTALL"),
    (64, "re.VERBOSE"),
    (128, "re.DEBUG"),
    (256, "re.ASCII"),
];

/// # Safety
/// As [`super::Reader`], for an enum member.
pub(super) unsafe fn enum_member(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let name = stored(object.value, "_name_").and_then(|name| name.text(capture.policy.max_repr));
        let name = name.or_else(|| Some(stored(object.value, "_value_")?.int()?.to_string()));
        match name {
            Some(name) => capture.plain(&format!("{}.{name}", type_name(object.kind))),
            None => capture.marker(type_name(object.kind)),
        }
    }
}

/// What a pydantic model's validation error says: `2 validation errors for User`; `None` for any other exception.
///
/// # Safety
/// `exception` is a live exception, the interpreter lock held.
pub(in crate::capture) unsafe fn validation_error(exception: *mut PyObject) -> Option<String> {
    // SAFETY: passed on; the class is known by identity, and its own getter and method are not Python's.
    unsafe {
        let kind = ffi::Py_TYPE(exception);
        let is_known = type_name(kind) == "ValidationError"
            && is_loaded(kind, c"pydantic_core._pydantic_core", c"ValidationError");
        if !is_known {
            return None;
        }
        let count = method(kind, "error_count", exception)?.int()?;
        let title = getter(kind, "title", exception)?.text(MOST_TITLE)?;
        Some(format!("{count} validation error{} for {title}", if count == 1 { "" } else { "s" }))
    }
}

/// # Safety
/// As [`super::Reader`], for an exception.
pub(super) unsafe fn exception(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the type of a live value is live.
    let name = unsafe { type_name(object.kind) };
    let most = capture.left.saturating_sub(name.len() + AROUND_MESSAGE);
    let mut summary = name.to_owned();
    // Escapes make a message longer than it is: then less of it is shown.
    for limit in [most, most / 2, most / 6] {
        // SAFETY: passed on.
        let message = unsafe { message_of(object.value, limit, capture.policy) };
        summary = if message.is_empty() { name.to_owned() } else { format!("{name}: {message}") };
        if Width::MARKER + Width::text(summary.as_bytes()) <= capture.left {
            break;
        }
    }
    capture.marker(&summary);
}

/// # Safety
/// As [`super::Reader`], for a float.
pub(super) unsafe fn float(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: a float of any subclass begins with a float's struct.
    capture.float(unsafe { ffi::PyFloat_AS_DOUBLE(object.value) });
}

/// # Safety
/// As [`super::Reader`], for a complex number.
pub(super) unsafe fn complex(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the slot is C and reads its own struct.
    unsafe { capture.text_or_name(slot_text(object.base, false, object.value), object) }
}

/// # Safety
/// As [`super::Reader`], for a Decimal.
pub(super) unsafe fn decimal(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; both are C of the base, and read its struct.
    unsafe {
        let size = method(object.base, "__sizeof__", object.value).and_then(|size| size.int());
        if !size.is_some_and(|size| (0..MAX_DECIMAL_BYTES).contains(&size)) {
            return capture.marker("Decimal of many digits");
        }
        let text = in_a_copied_context(|| slot_text(object.base, true, object.value));
        capture.text_or_name(text, object);
    }
}

/// Runs C code that may set context variables: the first text of a Decimal makes the thread's decimal context, which the
/// program may still be about to prepare.
///
/// # Safety
/// The interpreter lock is held; `make` runs nothing of the program's.
unsafe fn in_a_copied_context(make: impl FnOnce() -> Option<Held>) -> Option<Held> {
    // SAFETY: the copy is entered and left in order, and given up.
    unsafe {
        let context = Held::taken(ffi::PyContext_CopyCurrent())?;
        if ffi::PyContext_Enter(context.get()) != 0 {
            ffi::PyErr_Clear();
            return None;
        }
        let made = make();
        if ffi::PyContext_Exit(context.get()) != 0 {
            ffi::PyErr_Clear();
        }
        made
    }
}

/// # Safety
/// As [`super::Reader`], for a range.
pub(super) unsafe fn range(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the members of a range are C.
    let [start, stop, step] =
        ["start", "stop", "step"].map(|name| unsafe { getter(object.base, name, object.value)?.int() });
    match (start, stop, step) {
        (Some(start), Some(stop), Some(1)) => capture.harmless(&format!("range({start}, {stop})")),
        (Some(start), Some(stop), Some(step)) => capture.harmless(&format!("range({start}, {stop}, {step})")),
        _ => capture.marker("range of large ints"),
    }
}

/// # Safety
/// As [`super::Reader`], for a Fraction.
pub(super) unsafe fn fraction(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; both are slots.
    let [above, below] = ["_numerator", "_denominator"].map(|name| unsafe { getter(object.base, name, object.value) });
    let (Some(above), Some(below)) = (above, below) else {
        // SAFETY: the type of a live value is live.
        return capture.marker(unsafe { type_name(object.kind) });
    };
    match (above.int(), below.int()) {
        (Some(above), Some(1)) => capture.plain(&above.to_string()),
        (Some(above), Some(below)) => capture.plain(&format!("{above}/{below}")),
        _ => capture.marker("Fraction of large ints"),
    }
}

/// # Safety
/// As [`super::Reader`], for a compiled pattern.
pub(super) unsafe fn pattern(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; both are members of the struct.
    unsafe {
        let flags = getter(object.base, "flags", object.value).and_then(|flags| flags.int()).unwrap_or_default();
        let Some(pattern) = getter(object.base, "pattern", object.value) else {
            return capture.marker(type_name(object.kind));
        };
        let Some(text) = literal(&pattern, capture.left) else { return capture.marker(type_name(object.kind)) };
        let names: Vec<&str> = FLAGS.iter().filter(|(flag, _)| flags & flag != 0).map(|&(_, name)| name).collect();
        let comma = if names.is_empty() { "" } else { ", " };
        capture.plain(&format!("re.compile({text}{comma}{})", names.join("|")));
    }
}

/// # Safety
/// As [`super::Reader`], for a UUID.
pub(super) unsafe fn uuid(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: `int` is a slot of UUID; its hexadecimal text is made without looking at signals.
    let digits = unsafe {
        getter(object.base, "int", object.value).filter(is_128_bits).and_then(|number| {
            let text = Held::taken(ffi::PyNumber_ToBase(number.get(), 16))?;
            let digits = ascii(text.get())?.strip_prefix(b"0x")?;
            Some(format!("{:0>32}", String::from_utf8_lossy(digits)))
        })
    };
    let Some(digits) = digits.filter(|digits| digits.len() == 32) else {
        // SAFETY: the type of a live value is live.
        return capture.marker(unsafe { type_name(object.kind) });
    };
    let [a, b, c, d, e] = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    capture.harmless(&format!("{a}-{b}-{c}-{d}-{e}"));
}

/// Whether an object is an int that a UUID can be made of: a larger one is not spelled out.
fn is_128_bits(number: &Held) -> bool {
    // SAFETY: held, so live, with the interpreter lock.
    unsafe { ffi::PyLong_Check(number.get()) != 0 && bit_length(number.get()) <= 128 }
}

/// A path by what it was made of: the text it keeps, else its parts as they were given.
///
/// # Safety
/// As [`super::Reader`], for a path.
pub(super) unsafe fn path(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the attributes are slots of the base.
    unsafe {
        if let Some(text) = getter(object.base, "_str", object.value) {
            return capture.text_or_name(Some(text), object);
        }
        let parts = getter(object.base, "_raw_paths", object.value);
        let Some(parts) = parts.or_else(|| getter(object.base, "_parts", object.value)) else {
            return capture.marker(type_name(object.kind));
        };
        let mut text = String::new();
        for at in 0..MAX_PATH_PARTS {
            let part = parts.item(at).and_then(|part| part.text(capture.policy.max_repr));
            let Some(part) = part.filter(|_| text.len() <= capture.policy.max_repr) else { break };
            if part.starts_with('/') {
                text.clear();
            } else if !text.is_empty() && !text.ends_with('/') {
                text.push('/');
            }
            text.push_str(&part);
        }
        capture.plain(if text.is_empty() { "." } else { &text });
    }
}

/// A str or bytes as Python writes it, cut to `limit` characters of it.
fn literal(value: &Held, limit: usize) -> Option<String> {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
    // SAFETY: held, so live; only storage is read.
    unsafe {
        if ffi::PyBytes_Check(value.get()) == 0 {
            return Some(format!("'{}'", quoted(&value.text(limit)?)));
        }
        let bytes = stored_bytes(value.get());
        if bytes.len() <= limit {
            return Some(format!("b'{}'", bytes.escape_ascii()));
        }
        Some(format!("b'{}'", value.bytes(limit)?.as_bytes().escape_ascii()))
    }
}
