//! Dates and times, written as the standard library writes them.
//!
//! What stands in the struct is read from it; a time zone is asked for its offset only where its code is the
//! interpreter's. Beside a time in another zone stands the zone's type: `2026-01-02T03:04:05[Zone]`.

use calltape_record::value::{ValueWriter, Width};
use std::ffi::c_int;

use pyo3::ffi;

use super::super::walk::{Capture, type_name};
use super::Object;
use super::storage::{Held, is_immutable, is_loaded, method, slot_text};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("datetime", c"_datetime", c"datetime", datetime),
    ("date", c"_datetime", c"date", date),
    ("time", c"_datetime", c"time", time),
    ("timedelta", c"_datetime", c"timedelta", duration),
];

/// Bytes that a date with its time takes.
const USUAL_TEXT: usize = 32;

/// # Safety
/// As [`super::Reader`], for a `datetime.date`.
unsafe fn date(capture: &mut Capture<'_>, object: Object) {
    let mut text = String::with_capacity(USUAL_TEXT);
    // SAFETY: passed on.
    unsafe { push_date(&mut text, object) };
    capture.harmless(&text);
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
            let text = exact(object, &zone).and_then(|exact| method(object.base, "isoformat", exact.get()));
            return capture.text_or_name(text, object);
        }
        let mut text = String::with_capacity(USUAL_TEXT);
        push_date(&mut text, object);
        text.push('T');
        push_clock(
            &mut text,
            ffi::PyDateTime_DATE_GET_HOUR(value),
            ffi::PyDateTime_DATE_GET_MINUTE(value),
            ffi::PyDateTime_DATE_GET_SECOND(value),
            ffi::PyDateTime_DATE_GET_MICROSECOND(value),
        );
        push_zone(&mut text, &zone);
        capture.harmless(&text);
    }
}

/// The same time as an exact `datetime`: a time zone may ask one of a subclass for its parts, and so run what that
/// defines.
///
/// # Safety
/// As [`datetime`]; the zone is the object's.
unsafe fn exact(object: Object, zone: &Held) -> Option<Held> {
    let value = object.value;
    // SAFETY: passed on; the base is the exact type, which is made by C of ints and a zone, with all references owned.
    unsafe {
        if object.kind == object.base {
            return Some(Held::of(value));
        }
        let parts = ffi::Py_BuildValue(
            c"(iiiiiiiO)".as_ptr(),
            ffi::PyDateTime_GET_YEAR(value),
            ffi::PyDateTime_GET_MONTH(value),
            ffi::PyDateTime_GET_DAY(value),
            ffi::PyDateTime_DATE_GET_HOUR(value),
            ffi::PyDateTime_DATE_GET_MINUTE(value),
            ffi::PyDateTime_DATE_GET_SECOND(value),
            ffi::PyDateTime_DATE_GET_MICROSECOND(value),
            zone.get(),
        );
        let fold =
            ffi::Py_BuildValue(c"{si}".as_ptr(), c"fold".as_ptr(), c_int::from(ffi::PyDateTime_DATE_GET_FOLD(value)));
        let (parts, fold) = (Held::taken(parts)?, Held::taken(fold)?);
        let make = (*object.base).tp_new?;
        Held::taken(make(object.base, parts.get(), fold.get()))
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
        let mut text = String::with_capacity(USUAL_TEXT);
        push_clock(
            &mut text,
            ffi::PyDateTime_TIME_GET_HOUR(value),
            ffi::PyDateTime_TIME_GET_MINUTE(value),
            ffi::PyDateTime_TIME_GET_SECOND(value),
            ffi::PyDateTime_TIME_GET_MICROSECOND(value),
        );
        push_zone(&mut text, &zone);
        capture.harmless(&text);
    }
}

/// # Safety
/// As [`date`], or for a datetime, which begins in the same way.
unsafe fn push_date(text: &mut String, object: Object) {
    // SAFETY: passed on.
    let (year, month, day) = unsafe {
        let value = object.value;
        (ffi::PyDateTime_GET_YEAR(value), ffi::PyDateTime_GET_MONTH(value), ffi::PyDateTime_GET_DAY(value))
    };
    push_digits(text, year, 4);
    text.push('-');
    push_digits(text, month, 2);
    text.push('-');
    push_digits(text, day, 2);
}

fn push_clock(text: &mut String, hour: i32, minute: i32, second: i32, microsecond: i32) {
    push_digits(text, hour, 2);
    text.push(':');
    push_digits(text, minute, 2);
    text.push(':');
    push_digits(text, second, 2);
    if microsecond != 0 {
        text.push('.');
        push_digits(text, microsecond, 6);
    }
}

/// Appends a number that is not negative in so many digits.
fn push_digits(text: &mut String, number: i32, digits: u32) {
    for place in (0..digits).rev() {
        text.push(char::from(b'0' + (number / 10i32.pow(place) % 10) as u8));
    }
}

/// Whether a time zone is one whose offset may be asked for: its code is the interpreter's.
fn is_asked(zone: &Held) -> bool {
    let is = |module, name| {
        // SAFETY: the zone is held, with the interpreter lock.
        unsafe { is_immutable(zone.kind()) && is_loaded(zone.kind(), module, name) }
    };
    !zone.is_none() && (is(c"_datetime", c"timezone") || is(c"_zoneinfo", c"ZoneInfo"))
}

/// Appends what stands for the offset of a time zone that is not asked.
fn push_zone(text: &mut String, zone: &Held) {
    if !zone.is_none() {
        text.push('[');
        // SAFETY: the zone is held, so its type is live.
        text.push_str(unsafe { type_name(zone.kind()) });
        text.push(']');
    }
}

impl Capture<'_> {
    /// Writes a text that holds no secret whatever the value, as a date's: it is not searched.
    pub(super) fn harmless(&mut self, text: &str) {
        if self.may_write(Width::QUOTES + Width::text(text.as_bytes())) {
            ValueWriter::text(self.out, text.as_bytes());
        }
    }

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
