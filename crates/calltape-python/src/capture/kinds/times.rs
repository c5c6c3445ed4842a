//! Dates and times, by the text that the interpreter's own C code makes of them.
//!
//! A time zone is asked for its offset only where its code is the interpreter's. Beside a time in another zone stands
//! the zone's type: `2026-01-02T03:04:05[Zone]`.

use pyo3::ffi;

use super::super::walk::{Capture, type_name};
use super::Object;
use super::storage::{Held, getter, is_loaded, method, slot_text};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("datetime", c"datetime", c"datetime", time),
    ("date", c"datetime", c"date", date),
    ("time", c"datetime", c"time", time),
    ("timedelta", c"datetime", c"timedelta", duration),
];

/// # Safety
/// As [`super::Reader`], for a `datetime.date`.
pub(super) unsafe fn date(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; `isoformat` of a date reads its own struct.
    unsafe { capture.text_or_name(method(object.base, "isoformat", object.value), object) }
}

/// # Safety
/// As [`super::Reader`], for a `datetime.timedelta`.
pub(super) unsafe fn duration(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the slot is C and reads its own struct.
    unsafe { capture.text_or_name(slot_text(object.base, true, object.value), object) }
}

/// # Safety
/// As [`super::Reader`], for a `datetime.datetime` or a `datetime.time`.
pub(super) unsafe fn time(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the zone asked by `isoformat` is None or of the interpreter's own types.
    unsafe {
        let zone = getter(object.base, "tzinfo", object.value);
        let Some(zone) = zone.filter(|zone| !is_plain(zone)) else {
            return date(capture, object);
        };
        let Some(mut text) = naive(object) else { return capture.marker(type_name(object.kind)) };
        text.push_str(&format!("[{}]", type_name(zone.kind())));
        capture.plain(&text);
    }
}

impl Capture<'_> {
    /// Writes a text, or the type's name where there is none.
    ///
    /// # Safety
    /// As [`super::Reader`].
    pub(super) unsafe fn text_or_name(&mut self, text: Option<Held>, object: Object) {
        // SAFETY: held, so live.
        unsafe {
            match text.filter(|text| ffi::PyUnicode_Check(text.get()) != 0) {
                Some(text) => self.text(text.get()),
                None => self.marker(type_name(object.kind)),
            }
        }
    }
}

/// Whether a time zone is none, or one whose code is the interpreter's.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn is_plain(zone: &Held) -> bool {
    let is = |module, name| {
        // SAFETY: passed on.
        unsafe { is_loaded(zone.kind(), module, name) }
    };
    zone.is_none() || is(c"_datetime", c"timezone") || is(c"_zoneinfo", c"ZoneInfo")
}

/// The text of a date and time without its zone.
///
/// # Safety
/// As [`time`].
unsafe fn naive(object: Object) -> Option<String> {
    // SAFETY: passed on; the getters read the struct.
    unsafe {
        let number = |name| getter(object.base, name, object.value)?.int();
        let mut text = String::new();
        if let Some(year) = number("year").or_else(|| number_of_date(object, "year")) {
            let (month, day) = (number_of_date(object, "month")?, number_of_date(object, "day")?);
            text.push_str(&format!("{year:04}-{month:02}-{day:02}T"));
        }
        let (hour, minute, second) = (number("hour")?, number("minute")?, number("second")?);
        text.push_str(&format!("{hour:02}:{minute:02}:{second:02}"));
        match number("microsecond")? {
            0 => {}
            fraction => text.push_str(&format!(".{fraction:06}")),
        }
        Some(text)
    }
}

/// A part of a datetime that its base, the date, reads.
///
/// # Safety
/// As [`naive`].
unsafe fn number_of_date(object: Object, name: &str) -> Option<i64> {
    // SAFETY: passed on; the date type is a base of the object's.
    unsafe {
        let date = (*object.base).tp_base;
        let date = if date.is_null() { object.base } else { date };
        getter(date, name, object.value)?.int()
    }
}
