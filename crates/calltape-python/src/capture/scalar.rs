//! Numbers, text and bytes: bounded before they are read.

use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject};

use super::walk::Capture;

/// Decimal digits a byte of budget may hold, for refusing a huge integer before it is written out.
const BITS_PER_DIGIT: usize = 3;
/// Bytes a marker's words take at most; kept out of the text's share of the budget.
const CUT_NOTE: usize = 24;

impl Capture<'_> {
    /// # Safety
    /// `value` is a live `int` (or subclass), the interpreter lock held.
    #[inline]
    pub(super) unsafe fn integer(&mut self, value: *mut PyObject) {
        let mut overflow = 0;
        // SAFETY: an int's value is read without running code.
        let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(value, &raw mut overflow) };
        if overflow == 0 {
            ValueWriter::int(self.out, number);
        } else {
            // SAFETY: passed on.
            unsafe { self.big_integer(value) }
        }
    }

    /// # Safety
    /// As [`Self::integer`].
    #[cold]
    unsafe fn big_integer(&mut self, value: *mut PyObject) {
        // SAFETY: the exact int's own bit_length and decimal conversion run no other code; results are owned and freed.
        unsafe {
            let bits = bit_length(value);
            if bits / BITS_PER_DIGIT > self.room() {
                self.marker(&format!("int with {bits} bits"));
                return;
            }
            let text = ffi::PyNumber_ToBase(value, 16);
            let hexadecimal = if text.is_null() { None } else { ascii(text) };
            match hexadecimal.and_then(decimal_of) {
                Some(digits) => ValueWriter::digits(self.out, digits.as_bytes()),
                None => self.marker(&format!("int with {bits} bits")),
            }
            ffi::Py_XDECREF(text);
            ffi::PyErr_Clear();
        }
    }

    /// # Safety
    /// `value` is a live `str` (or subclass), the interpreter lock held.
    #[inline]
    pub(super) unsafe fn text(&mut self, value: *mut PyObject) {
        // SAFETY: a live str's length and data may be read while the lock is held.
        unsafe {
            let length = ffi::PyUnicode_GET_LENGTH(value) as usize;
            match ascii(value) {
                Some(bytes) if length <= self.room() => ValueWriter::text(self.out, bytes),
                Some(bytes) => {
                    let keep = self.room().saturating_sub(CUT_NOTE).min(length);
                    ValueWriter::text_cut(self.out, length, &bytes[..keep]);
                }
                None => self.wide_text(value, length),
            }
        }
    }

    /// Text beyond ASCII, encoded here up to the budget: the object's own UTF-8 cache is neither read nor made.
    ///
    /// # Safety
    /// As [`Self::text`]; `length` is the text's.
    unsafe fn wide_text(&mut self, value: *mut PyObject, length: usize) {
        let room = self.room();
        let mut encoded = Vec::with_capacity(room.min(length * 4) + 4);
        let mut taken = 0;
        // SAFETY: `index < length`, and data and kind belong to the same live str.
        unsafe {
            let (kind, data) = (ffi::PyUnicode_KIND(value), ffi::PyUnicode_DATA(value));
            while taken < length && encoded.len() < room {
                let point = match kind {
                    ffi::PyUnicode_1BYTE_KIND => u32::from(*data.cast::<u8>().add(taken)),
                    ffi::PyUnicode_2BYTE_KIND => u32::from(*data.cast::<u16>().add(taken)),
                    _ => *data.cast::<u32>().add(taken),
                };
                push_point(&mut encoded, point);
                taken += 1;
            }
        }
        if taken == length && encoded.len() <= room {
            ValueWriter::text(self.out, &encoded);
            return;
        }
        let keep = start_of_point(&encoded, room.saturating_sub(CUT_NOTE).min(encoded.len()));
        ValueWriter::text_cut(self.out, length, &encoded[..keep]);
    }

    /// # Safety
    /// `value` is a live `bytes` (or subclass), the interpreter lock held.
    pub(super) unsafe fn bytes(&mut self, value: *mut PyObject) {
        // SAFETY: a live bytes object's storage does not change.
        let bytes = unsafe {
            let length = ffi::Py_SIZE(value) as usize;
            std::slice::from_raw_parts(ffi::PyBytes_AS_STRING(value).cast::<u8>(), length)
        };
        if bytes.len() <= self.room() {
            ValueWriter::bytes(self.out, bytes);
        } else {
            let keep = self.room().saturating_sub(CUT_NOTE).min(bytes.len());
            ValueWriter::bytes_cut(self.out, bytes.len(), &bytes[..keep]);
        }
    }

    /// Text that is Rust's already, cut to the budget at a character.
    pub(super) fn plain(&mut self, text: &str) {
        if text.len() <= self.room() {
            ValueWriter::text(self.out, text.as_bytes());
        } else {
            let keep = start_of_point(text.as_bytes(), self.room().saturating_sub(CUT_NOTE).min(text.len()));
            ValueWriter::text_cut(self.out, text.chars().count(), &text.as_bytes()[..keep]);
        }
    }
}

/// The bytes of an ASCII str; `None` for other text.
///
/// # Safety
/// `text` is a live str; the bytes live as long as it.
pub(crate) unsafe fn ascii<'a>(text: *mut PyObject) -> Option<&'a [u8]> {
    // SAFETY: a ready ASCII str, of a subclass or not, holds `length` bytes at its data pointer.
    unsafe {
        if ffi::PyUnicode_IS_READY(text) == 0 || ffi::PyUnicode_IS_ASCII(text) == 0 {
            return None;
        }
        let length = ffi::PyUnicode_GET_LENGTH(text) as usize;
        Some(std::slice::from_raw_parts(ffi::PyUnicode_DATA(text).cast::<u8>(), length))
    }
}

/// A str as Rust text, at most `limit` characters of it; lone surrogates become U+FFFD.
///
/// # Safety
/// `text` is a live str, the interpreter lock held.
pub(crate) unsafe fn to_string(text: *mut PyObject, limit: usize) -> String {
    // SAFETY: indices stay below the length of a live str.
    unsafe {
        if let Some(bytes) = ascii(text) {
            return String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).into_owned();
        }
        let length = (ffi::PyUnicode_GET_LENGTH(text) as usize).min(limit);
        (0..length)
            .map(|index| char::from_u32(ffi::PyUnicode_ReadChar(text, index as isize)).unwrap_or('\u{fffd}'))
            .collect()
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

/// Appends a code point as UTF-8, surrogates in their generalised form.
fn push_point(out: &mut Vec<u8>, point: u32) {
    let continuation = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
    match point {
        0..0x80 => out.push(point as u8),
        0x80..0x800 => out.extend([0xc0 | (point >> 6) as u8, continuation(0)]),
        0x800..0x1_0000 => out.extend([0xe0 | (point >> 12) as u8, continuation(6), continuation(0)]),
        _ => out.extend([0xf0 | (point >> 18) as u8, continuation(12), continuation(6), continuation(0)]),
    }
}

/// The last position not after `at` where a code point starts.
fn start_of_point(encoded: &[u8], mut at: usize) -> usize {
    while at > 0 && at < encoded.len() && encoded[at] & 0xc0 == 0x80 {
        at -= 1;
    }
    at
}

/// # Safety
/// `value` is a live int, the interpreter lock held.
unsafe fn bit_length(value: *mut PyObject) -> usize {
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
