//! Writing captured values. Called by the capture on the caller's thread: appends, never fails, never looks back.

use super::tag;
use crate::varint;

/// Appends values to a scratch buffer, one associated function a kind.
///
/// ```
/// use calltape_record::value::{ValueWriter, render_json};
/// let mut out = Vec::new();
/// ValueWriter::list(&mut out);
/// ValueWriter::int(&mut out, 3);
/// ValueWriter::text(&mut out, b"tea");
/// ValueWriter::more(&mut out, 40);
/// ValueWriter::end(&mut out);
/// let mut json = String::new();
/// render_json(&out, &mut json).unwrap();
/// assert_eq!(json, r#"[3,"tea","... 40 more"]"#);
/// ```
#[derive(Debug)]
pub struct ValueWriter;

impl ValueWriter {
    /// `None`.
    #[inline]
    pub fn none(out: &mut Vec<u8>) {
        out.push(tag::NONE);
    }

    /// A truth value.
    #[inline]
    pub fn bool(out: &mut Vec<u8>, value: bool) {
        out.push(if value { tag::TRUE } else { tag::FALSE });
    }

    /// An integer of 64 bits.
    #[inline]
    pub fn int(out: &mut Vec<u8>, value: i64) {
        if (0..=127).contains(&value) {
            out.push(tag::SMALL + value as u8);
        } else {
            out.push(tag::INT);
            varint::put_signed(out, value);
        }
    }

    /// An integer of any size by its decimal `digits` (ASCII, a leading minus allowed).
    pub fn digits(out: &mut Vec<u8>, digits: &[u8]) {
        out.push(tag::DIGITS);
        varint::put_bytes(out, digits);
    }

    /// A float; the not-finite ones render as the strings `"nan"`, `"inf"` and `"-inf"`.
    #[inline]
    pub fn float(out: &mut Vec<u8>, value: f64) {
        out.push(tag::FLOAT);
        out.extend_from_slice(&value.to_le_bytes());
    }

    /// Text in full.
    #[inline]
    pub fn text(out: &mut Vec<u8>, utf8: &[u8]) {
        out.push(tag::TEXT);
        varint::put_bytes(out, utf8);
    }

    /// The beginning of a text of `characters` characters.
    pub fn text_cut(out: &mut Vec<u8>, characters: usize, beginning: &[u8]) {
        out.push(tag::TEXT_CUT);
        varint::put(out, characters as u64);
        varint::put_bytes(out, beginning);
    }

    /// Bytes in full.
    pub fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
        out.push(tag::BYTES);
        varint::put_bytes(out, bytes);
    }

    /// The beginning of `length` bytes.
    pub fn bytes_cut(out: &mut Vec<u8>, length: usize, beginning: &[u8]) {
        out.push(tag::BYTES_CUT);
        varint::put(out, length as u64);
        varint::put_bytes(out, beginning);
    }

    /// Opens a list; its values follow, then [`Self::end`].
    #[inline]
    pub fn list(out: &mut Vec<u8>) {
        out.push(tag::LIST);
    }

    /// Opens an object; key and value follow in turn, then [`Self::end`].
    #[inline]
    pub fn object(out: &mut Vec<u8>) {
        out.push(tag::OBJECT);
    }

    /// Says that the open container had `items` more.
    pub fn more(out: &mut Vec<u8>, items: usize) {
        out.push(tag::MORE);
        varint::put(out, items as u64);
    }

    /// Closes the innermost container.
    #[inline]
    pub fn end(out: &mut Vec<u8>) {
        out.push(tag::END);
    }

    /// A value only summarised: `marker("Portfolio")` reads `"[Portfolio]"`.
    pub fn marker(out: &mut Vec<u8>, summary: &[u8]) {
        out.push(tag::MARKER);
        varint::put_bytes(out, summary);
    }

    /// In place of an argument: it is left out, with its name.
    pub fn left_out(out: &mut Vec<u8>) {
        out.push(tag::LEFT_OUT);
    }

    /// A value withheld: reads `"***"`.
    pub fn masked(out: &mut Vec<u8>) {
        out.push(tag::MASKED);
    }
}
