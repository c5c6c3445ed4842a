//! Numbers and truth values: bounded before they are read.

use calltape_record::value::{ValueWriter, Width};
use calltape_redact::is_card_number;
use pyo3::ffi::{self, PyObject};

use super::text::ascii;
use super::walk::Capture;

/// Bits of the largest integer that is written out, whatever the budget: Python's own limit of 4,300 digits.
const MOST_BITS: usize = 14_284;

impl Capture<'_> {
    /// Writes `None`.
    #[inline]
    pub(super) fn none(&mut self) {
        if self.may_write("null".len()) {
            ValueWriter::none(self.out);
        }
    }

    /// Writes a truth value.
    #[inline]
    pub(super) fn truth(&mut self, value: bool) {
        if self.may_write(if value { "true".len() } else { "false".len() }) {
            ValueWriter::bool(self.out, value);
        }
    }

    /// Writes a float.
    #[inline]
    pub(super) fn float(&mut self, value: f64) {
        if self.may_write(Width::float(value)) {
            ValueWriter::float(self.out, value);
        }
    }

    /// Writes an integer of 64 bits.
    #[inline]
    pub(super) fn number(&mut self, value: i64) {
        if self.may_write(Width::int(value)) {
            ValueWriter::int(self.out, value);
        }
    }

    /// # Safety
    /// `value` is a live `int` (or subclass), the interpreter lock held.
    #[inline]
    pub(super) unsafe fn integer(&mut self, value: *mut PyObject) {
        // SAFETY: passed on; an int's value is read without running code.
        unsafe {
            if let Some(number) = small_integer(value) {
                return self.number(number);
            }
            let mut overflow = 0;
            let number = ffi::PyLong_AsLongLongAndOverflow(value, &raw mut overflow);
            match overflow {
                0 if is_card_number(number.unsigned_abs()) => self.masked(),
                0 => self.number(number),
                _ => self.big_integer(value),
            }
        }
    }

    /// # Safety
    /// As [`Self::integer`].
    #[cold]
    unsafe fn big_integer(&mut self, value: *mut PyObject) {
        // SAFETY: the exact int's own bit_length and decimal conversion run no other code; results are owned and freed.
        unsafe {
            let bits = bit_length(value);
            // Ten bits are a little more than three digits.
            if bits > MOST_BITS || bits * 3 / 10 > self.left {
                return self.marker(&format!("int with {bits} bits"));
            }
            let text = ffi::PyNumber_ToBase(value, 16);
            let hexadecimal = if text.is_null() { None } else { ascii(text) };
            match hexadecimal.and_then(decimal_of) {
                Some(digits) if digits.len() <= self.left => {
                    self.left -= digits.len();
                    ValueWriter::digits(self.out, digits.as_bytes());
                }
                _ => self.marker(&format!("int with {bits} bits")),
            }
            ffi::Py_XDECREF(text);
            ffi::PyErr_Clear();
        }
    }
}

/// How the interpreter lays out an int of one digit.
#[repr(C)]
struct OneDigit {
    base: PyObject,
    /// From 3.12: the sign in the lowest bits (0, 1 for zero, 2 for negative), above the third the number of digits.
    /// Before: the number of digits, negative for a negative number.
    tag: isize,
    digit: u32,
}

/// The value of an int of at most one digit (30 bits); `None` for a larger one.
///
/// # Safety
/// `value` is a live `int` (or subclass), the interpreter lock held.
#[inline]
pub(super) unsafe fn small_integer(value: *mut PyObject) -> Option<i64> {
    let int = value.cast::<OneDigit>();
    // SAFETY: every int has a tag; the digit is read only where there is one.
    unsafe {
        let tag = (*int).tag;
        #[cfg(Py_3_12)]
        let (is_small, sign) = (tag < 2 << 3, 1 - (tag & 3) as i64);
        #[cfg(not(Py_3_12))]
        let (is_small, sign) = ((-1..=1).contains(&tag), tag as i64);
        if !is_small {
            return None;
        }
        if sign == 0 { Some(0) } else { Some(sign * i64::from((*int).digit)) }
    }
}

/// The decimal text of what Python writes as `-0x1f`: its own conversion to decimal looks at pending signals.
fn decimal_of(hexadecimal: &[u8]) -> Option<String> {
    const PIECE: u64 = 1_000_000_000;
    let (sign, digits) = match hexadecimal.strip_prefix(b"-") {
        Some(rest) => ("-", rest),
        None => ("", hexadecimal),
    };
    let digits = std::str::from_utf8(digits.strip_prefix(b"0x")?).ok()?;
    // Most significant limb first; each piece of nine digits is the remainder of one division of all limbs.
    let first = digits.len() % 8;
    let mut limbs = Vec::with_capacity(digits.len() / 8 + 1);
    let ends = (first..=digits.len()).step_by(8);
    let mut start = 0;
    for end in ends {
        if end > start {
            limbs.push(u32::from_str_radix(&digits[start..end], 16).ok()?);
        }
        start = end;
    }
    let mut pieces = Vec::new();
    while limbs.iter().any(|&limb| limb != 0) {
        let mut remainder = 0u64;
        for limb in &mut limbs {
            let value = remainder << 32 | u64::from(*limb);
            *limb = (value / PIECE) as u32;
            remainder = value % PIECE;
        }
        pieces.push(remainder);
    }
    let mut text = format!("{sign}{}", pieces.pop().unwrap_or(0));
    for piece in pieces.iter().rev() {
        text.push_str(&format!("{piece:09}"));
    }
    Some(text)
}

/// # Safety
/// `value` is a live int, the interpreter lock held.
pub(super) unsafe fn bit_length(value: *mut PyObject) -> usize {
    // SAFETY: the type's own method is looked up on `int` itself, so a subclass cannot answer in its place.
    unsafe {
        let int = (&raw mut ffi::PyLong_Type).cast::<PyObject>();
        let method = ffi::PyObject_GetAttrString(int, c"bit_length".as_ptr());
        if method.is_null() {
            ffi::PyErr_Clear();
            return usize::MAX;
        }
        let bits = ffi::PyObject_CallFunctionObjArgs(method, value, std::ptr::null_mut::<PyObject>());
        ffi::Py_DECREF(method);
        if bits.is_null() {
            ffi::PyErr_Clear();
            return usize::MAX;
        }
        let number = ffi::PyLong_AsSsize_t(bits);
        ffi::Py_DECREF(bits);
        usize::try_from(number).unwrap_or(usize::MAX)
    }
}
