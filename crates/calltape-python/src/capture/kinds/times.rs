//! Dates and times, written as the standard library writes them.
//!
//! What stands in the struct is read from it; a time zone is asked for its offset only where its code is the
//! interpreter's. Beside a time in another zone stands the zone's type: `2026-01-02T03:04:05[Zone]`.

use pyo3::ffi;

use super::super::walk::{Capture, type_name};
use super::Object;
use super::storage::{Held, is_loaded, method, slot_text};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("datetime", c"_datetime", c"datetime", datetime),
    ("date", c"_datetime", c"date", date),
    ("time", c"_datetime", c"time", time),
    ("timedelta", c"_datetime", c"timedelta", duration),
];

/// # Safety
/// As [`super::Reader`], for a `datetime.date`.
unsafe fn date(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    let text = unsafe { date_text(object) };
    capture.plain(&text);
}

/// # Safety
/// As [`super::Reader`], for a `datetime.timedelta`.
unsafe fn duration(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the slot is C and reads its own struct.
    unsafe { capture.text_or_name(slot_text(object.base, true, object.value), object) }
}

/// # Safety
/// As [`super::Reader`], for a `datetime.datetime`.
pub(super) unsafe fn datetime(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the struct is a datetime's.
    unsafe {
        let value = object.value;
        let zone = Held::of(ffi::PyDateTime_DATE_GET_TZINFO(value));
        if is_asked(&zone) {
            return capture.text_or_name(method(object.base, "isoformat", value), object);
        }
        let clock = clock_text(
            ffi::PyDateTime_DATE_GET_HOUR(value),
            ffi::PyDateTime_DATE_GET_MINUTE(value),
            ffi::PyDateTime_DATE_GET_SECOND(value),
            ffi::PyDateTime_DATE_GET_MICROSECOND(value),
        );
        capture.plain(&format!("{}T{clock}{}", date_text(object), zone_text(&zone)));
    }
}

/// # Safety
/// As [`super::Reader`], for a `datetime.time`.
unsafe fn time(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the struct is a time's.
    unsafe {
        let value = object.value;
        let zone = Held::of(ffi::PyDateTime_TIME_GET_TZINFO(value));
        if is_asked(&zone) {
            return capture.text_or_name(method(object.base, "isoformat", value), object);
        }
        let clock = clock_text(
            ffi::PyDateTime_TIME_GET_HOUR(value),
            ffi::PyDateTime_TIME_GET_MINUTE(value),
            ffi::PyDateTime_TIME_GET_SECOND(value),
            ffi::PyDateTime_TIME_GET_MICROSECOND(value),
        );
        capture.plain(&format!("{clock}{}", zone_text(&zone)));
    }
}

/// # Safety
/// As [`date`], or for a datetime, which begins in the same way.
unsafe fn date_text(object: Object) -> String {
    // SAFETY: passed on.
    let (year, month, day) = unsafe {
        let value = object.value;
        (ffi::PyDateTime_GET_YEAR(value), ffi::PyDateTime_GET_MONTH(value), ffi::PyDateTime_GET_DAY(value))
    };
    format!("{year:04}-{month:02}-{day:02}")
}

fn clock_text(hour: i32, minute: i32, second: i32, microsecond: i32) -> String {
    match microsecond {
        0 => format!("{hour:02}:{minute:02}:{second:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}.{microsecond:06}"),
    }
}

/// Whether a time zone is one whose offset may be asked for: its code is the interpreter's.
fn is_asked(zone: &Held) -> bool {
    let is = |module, name| {
        // SAFETY: the zone is held, with the interpreter lock.
        unsafe { is_loaded(zone.kind(), module, name) }
    };
    !zone.is_none() && (is(c"_datetime", c"timezone") || is(c"_zoneinfo", c"ZoneInfo"))
}

/// What stands for the offset of a time zone that is not asked.
fn zone_text(zone: &Held) -> String {
    if zone.is_none() {
        return String::new();
    }
    // SAFETY: the zone is held, so its type is live.
    format!("[{}]", unsafe { type_name(zone.kind()) })
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
