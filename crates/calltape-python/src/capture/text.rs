//! Text and bytes: secrets are masked first, then what remains is cut.
//!
//! Of a text only a window is read, as much as may be kept and [`LOOKAHEAD`] beyond it, so that a text of any length
//! costs what a short one does, and a secret at the cut is seen as one.

use std::borrow::Cow;

use calltape_record::value::{ValueWriter, Width};
use calltape_redact::{Extent, LOOKAHEAD, MARK, find, may_hold_secret};
use pyo3::ffi::{self, PyObject};

use super::walk::Capture;

/// Bytes of the shortest text that may hold a secret.
pub(super) const LEAST_SECRET: usize = 8;
/// Bytes of a text that are worth the note on how long it is; where fewer fit, the text is left out.
const WORTH_A_NOTE: usize = 8;
/// Characters at either end of a key in which a sensitive name is looked for.
const NAME_ENDS: usize = 1024;

/// What was read of a text.
struct Window<'a> {
    utf8: Cow<'a, [u8]>,
    /// Characters of the text.
    length: usize,
    /// The window holds all of it.
    is_whole: bool,
}

/// How cut text is written.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bytes,
    /// As bytes, within the text `bytearray(b'..')`.
    ByteArray,
}

impl Capture<'_> {
    /// # Safety
    /// `value` is a live `str` (or subclass), the interpreter lock held.
    #[inline]
    pub(super) unsafe fn text(&mut self, value: *mut PyObject) {
        // SAFETY: passed on.
        unsafe {
            match ascii(value) {
                Some(bytes) if self.fits_unmasked(bytes) => {}
                _ if self.is_tried_inside() && ffi::PyUnicode_GET_LENGTH(value) as usize > self.left => self.squeeze(),
                _ => {
                    let window = window(value, self.left + LOOKAHEAD);
                    self.window(&window.utf8, window.length, window.is_whole, Kind::Text);
                }
            }
        }
    }

    /// Writes text that fits and holds no secret; false where it is none.
    #[inline]
    fn fits_unmasked(&mut self, utf8: &[u8]) -> bool {
        if utf8.len() >= self.left || (utf8.len() >= LEAST_SECRET && may_hold_secret(utf8)) {
            return false;
        }
        let width = Width::QUOTES + Width::text(utf8);
        if width > self.left {
            return false;
        }
        self.left -= width;
        ValueWriter::text(self.out, utf8);
        true
    }

    /// Text that is Rust's already: masked, and cut to the budget at a character.
    pub(super) fn plain(&mut self, text: &str) {
        if !self.fits_unmasked(text.as_bytes()) {
            self.window(text.as_bytes(), text.chars().count(), true, Kind::Text);
        }
    }

    /// # Safety
    /// `value` is a live `bytes` (or subclass), the interpreter lock held.
    pub(super) unsafe fn bytes(&mut self, value: *mut PyObject) {
        // SAFETY: passed on; the storage of bytes does not change.
        let bytes = unsafe { stored_bytes(value) };
        let window = &bytes[..bytes.len().min(self.left + LOOKAHEAD)];
        self.window(window, bytes.len(), window.len() == bytes.len(), Kind::Bytes);
    }

    /// # Safety
    /// `value` is a live `bytearray` (or subclass), the interpreter lock held.
    pub(super) unsafe fn byte_array(&mut self, value: *mut PyObject) {
        // SAFETY: a bytearray's size and start belong together while the lock is held; the window is copied at once.
        let (window, length) = unsafe {
            let length = ffi::Py_SIZE(value) as usize;
            let start = (*value.cast::<ffi::PyByteArrayObject>()).ob_start.cast::<u8>();
            let taken = length.min(self.left + LOOKAHEAD);
            let window = if taken == 0 { Vec::new() } else { std::slice::from_raw_parts(start, taken).to_vec() };
            (window, length)
        };
        self.window(&window, length, window.len() == length, Kind::ByteArray);
    }

    /// Masks, then writes as much as fits.
    fn window(&mut self, window: &[u8], length: usize, is_whole: bool, kind: Kind) {
        let mut found = Vec::new();
        if window.len() >= LEAST_SECRET && may_hold_secret(window) {
            let extent = if is_whole { Extent::Whole } else { Extent::Beginning };
            find(window, extent, self.policy.names, &mut found);
        }
        // What stands behind is only there to tell whether a secret began before it.
        let end = if is_whole { window.len() } else { window.len().saturating_sub(LOOKAHEAD) };
        if found.is_empty() {
            return self.cut(&window[..end], &[], length, is_whole, kind);
        }
        let (mut masked, mut marks, mut kept) = (Vec::with_capacity(end), Vec::new(), 0);
        for range in found {
            if range.start >= end {
                break;
            }
            masked.extend_from_slice(&window[kept..range.start.max(kept)]);
            marks.push(masked.len());
            masked.extend_from_slice(MARK.as_bytes());
            kept = range.end.max(kept);
        }
        masked.extend_from_slice(&window[kept.min(end)..end]);
        self.cut(&masked, &marks, length, is_whole, kind);
    }

    /// Writes what fits of `bytes`, which hold no secret; `marks` are where one was masked.
    fn cut(&mut self, bytes: &[u8], marks: &[usize], length: usize, is_whole: bool, kind: Kind) {
        let around = match kind {
            Kind::Text => Width::QUOTES,
            Kind::Bytes => Width::BYTES,
            Kind::ByteArray => Width::BYTES + BYTE_ARRAY.len() + 1,
        };
        let width = |bytes: &[u8]| match kind {
            Kind::Text => Width::text(bytes),
            _ => Width::bytes(bytes),
        };
        let whole = if is_whole && bytes.len() < self.left { around + width(bytes) } else { usize::MAX };
        if whole <= self.left {
            self.left -= whole;
            return match kind {
                Kind::Text => ValueWriter::text(self.out, bytes),
                Kind::Bytes => ValueWriter::bytes(self.out, bytes),
                Kind::ByteArray => ValueWriter::text(self.out, byte_array_literal(bytes).as_bytes()),
            };
        }
        if self.is_tried_inside() {
            return self.squeeze();
        }
        let note = Width::cut(length);
        let room = self.left.saturating_sub(around + note);
        if self.left < around + note + WORTH_A_NOTE.min(bytes.len()) {
            return self.cut_without_a_note(bytes, marks, kind);
        }
        let (fitting, mut taken) = match kind {
            Kind::Text => Width::text_fitting(bytes, room),
            _ => Width::bytes_fitting(bytes, room),
        };
        let kept = &bytes[..out_of_a_mark(fitting, marks)];
        if kept.len() < fitting {
            taken = width(kept);
        }
        self.left -= around + note + taken;
        match kind {
            Kind::Text => ValueWriter::text_cut(self.out, length, kept),
            Kind::Bytes => ValueWriter::bytes_cut(self.out, length, kept),
            Kind::ByteArray => {
                let text = format!("{}... [{length} bytes]", byte_array_literal(kept));
                ValueWriter::text(self.out, text.as_bytes());
            }
        }
    }

    /// Whether what does not fit in full ends a trial: at the top no room is kept for notes in any case.
    fn is_tried_inside(&self) -> bool {
        self.is_trial && self.depth > 0
    }

    /// At the top, where not even the note fits: the beginning, and dots. Inside of a container it is left out.
    #[cold]
    fn cut_without_a_note(&mut self, bytes: &[u8], marks: &[usize], kind: Kind) {
        if self.depth > 0 || !matches!(kind, Kind::Text) {
            return self.squeeze();
        }
        let (fitting, _) = Width::text_fitting(bytes, self.left.saturating_sub(Width::DOTS));
        let kept = out_of_a_mark(fitting, marks);
        let text = [&bytes[..kept], b"..."].concat();
        self.left = self.left.saturating_sub(Width::QUOTES + Width::text(&text));
        ValueWriter::text(self.out, &text);
    }

    /// Whether a value under this name is withheld.
    ///
    /// # Safety
    /// As [`Self::text`].
    #[inline]
    pub(super) unsafe fn is_sensitive_text(&self, name: *mut PyObject) -> bool {
        // SAFETY: passed on.
        unsafe {
            match ascii(name) {
                Some(bytes) => self.policy.names.is_sensitive(bytes),
                None => self.policy.names.is_sensitive(&wide_name(name)),
            }
        }
    }
}

/// The longest beginning, up to `kept`, that does not end inside of a mark.
fn out_of_a_mark(kept: usize, marks: &[usize]) -> usize {
    let inside = marks.iter().find(|&&mark| mark < kept && kept < mark + MARK.len());
    inside.map_or(kept, |&mark| mark)
}

const BYTE_ARRAY: &str = "bytearray(";

fn byte_array_literal(bytes: &[u8]) -> String {
    let mut text = format!("{BYTE_ARRAY}b'");
    for &byte in bytes {
        match byte {
            b'\'' => text.push_str("\\'"),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x20..=0x7e => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push_str("')");
    text
}

/// The bytes of a `bytes` object.
///
/// # Safety
/// `value` is a live `bytes` (or subclass); the slice lives as long as it.
pub(super) unsafe fn stored_bytes<'a>(value: *mut PyObject) -> &'a [u8] {
    // SAFETY: the storage of bytes does not change, and holds as many as the size says.
    unsafe {
        let length = ffi::Py_SIZE(value) as usize;
        std::slice::from_raw_parts(ffi::PyBytes_AS_STRING(value).cast::<u8>(), length)
    }
}

/// The beginning of a text, at least `bytes` of it where it has them.
///
/// # Safety
/// `text` is a live str, the interpreter lock held; the window lives as long as it.
unsafe fn window<'a>(text: *mut PyObject, bytes: usize) -> Window<'a> {
    // SAFETY: passed on.
    unsafe {
        let length = ffi::PyUnicode_GET_LENGTH(text) as usize;
        if let Some(all) = ascii(text) {
            let utf8 = Cow::Borrowed(&all[..length.min(bytes)]);
            return Window { utf8, length, is_whole: length <= bytes };
        }
        let mut utf8 = Vec::with_capacity(bytes.min(length * 4) + 4);
        let taken = encode(text, 0, length, bytes, &mut utf8);
        Window { utf8: Cow::Owned(utf8), length, is_whole: taken == length }
    }
}

/// A name beyond ASCII as UTF-8: of a very long one its beginning and its end.
///
/// # Safety
/// As [`window`].
#[cold]
unsafe fn wide_name(name: *mut PyObject) -> Vec<u8> {
    // SAFETY: passed on.
    unsafe {
        let length = ffi::PyUnicode_GET_LENGTH(name) as usize;
        let mut utf8 = Vec::new();
        let taken = encode(name, 0, length.min(NAME_ENDS), usize::MAX, &mut utf8);
        encode(name, taken.max(length.saturating_sub(NAME_ENDS)), length, usize::MAX, &mut utf8);
        utf8
    }
}

/// Encodes the characters of a str from `from` to `to` as UTF-8, lone surrogates in their generalised form, until there
/// are `bytes` more in `out`. The object's own cache of its UTF-8 is neither read nor made. Returns where it ended.
///
/// # Safety
/// As [`window`]; `to` is not beyond the text's length.
unsafe fn encode(text: *mut PyObject, from: usize, to: usize, bytes: usize, out: &mut Vec<u8>) -> usize {
    // SAFETY: data and kind belong to the same live str, which has the characters up to `to`.
    unsafe {
        let data = ffi::PyUnicode_DATA(text);
        match ffi::PyUnicode_KIND(text) {
            ffi::PyUnicode_1BYTE_KIND => push_points(units::<u8>(data, from, to), bytes, out),
            ffi::PyUnicode_2BYTE_KIND => push_points(units::<u16>(data, from, to), bytes, out),
            _ => push_points(units::<u32>(data, from, to), bytes, out),
        }
    }
}

/// The characters of a str from `from` to `to`.
///
/// # Safety
/// `data` is a live str's of this kind, and has as many.
unsafe fn units<'a, T>(data: *mut std::ffi::c_void, from: usize, to: usize) -> (&'a [T], usize) {
    // SAFETY: passed on.
    (unsafe { std::slice::from_raw_parts(data.cast::<T>().add(from), to - from) }, from)
}

/// Bytes that are encoded between two looks at how much there is: of a kind that grows to the fourfold.
const ENCODED_AT_ONCE: usize = 64;

fn push_points<T: Copy + Into<u32>>((points, from): (&[T], usize), bytes: usize, out: &mut Vec<u8>) -> usize {
    let begun_at = out.len();
    let mut taken = 0;
    while taken < points.len() && out.len() - begun_at < bytes {
        let missing = bytes - (out.len() - begun_at);
        let piece = &points[taken..][..missing.min(ENCODED_AT_ONCE).min(points.len() - taken)];
        let mut encoded = [0; 4 * ENCODED_AT_ONCE];
        let mut length = 0;
        for &point in piece {
            length += put_point(&mut encoded[length..], point.into());
        }
        out.extend_from_slice(&encoded[..length]);
        taken += piece.len();
    }
    from + taken
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

/// Puts a code point as UTF-8, surrogates in their generalised form, at the beginning of `out`. Returns its bytes.
#[inline]
fn put_point(out: &mut [u8], point: u32) -> usize {
    let continuation = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
    match point {
        0..0x80 => {
            out[0] = point as u8;
            1
        }
        0x80..0x800 => {
            out[..2].copy_from_slice(&[0xc0 | (point >> 6) as u8, continuation(0)]);
            2
        }
        0x800..0x1_0000 => {
            out[..3].copy_from_slice(&[0xe0 | (point >> 12) as u8, continuation(6), continuation(0)]);
            3
        }
        _ => {
            out[..4].copy_from_slice(&[0xf0 | (point >> 18) as u8, continuation(12), continuation(6), continuation(0)]);
            4
        }
    }
}
