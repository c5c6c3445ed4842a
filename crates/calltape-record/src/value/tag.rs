//! The tag bytes of captured values. Their numbers stand in journals: never reuse one.

pub(super) const NONE: u8 = 0;
pub(super) const FALSE: u8 = 1;
pub(super) const TRUE: u8 = 2;
/// Zigzag varint.
pub(super) const INT: u8 = 3;
/// Decimal digits of an integer beyond 64 bits: length, ASCII.
pub(super) const DIGITS: u8 = 4;
/// IEEE 754 double, 8 bytes.
pub(super) const FLOAT: u8 = 5;
/// Length, text.
pub(super) const TEXT: u8 = 6;
/// The whole text's length in characters, then length and text of its beginning.
pub(super) const TEXT_CUT: u8 = 7;
/// Length, bytes.
pub(super) const BYTES: u8 = 8;
/// The whole length in bytes, then length and bytes of the beginning.
pub(super) const BYTES_CUT: u8 = 9;
/// Values up to an end.
pub(super) const LIST: u8 = 10;
/// Key and value in turn up to an end.
pub(super) const OBJECT: u8 = 11;
/// Inside a container, before its end: how many items were left out.
pub(super) const MORE: u8 = 12;
/// The end of a container.
pub(super) const END: u8 = 13;
/// Length, text that stands for a value only summarised; rendered in square brackets.
pub(super) const MARKER: u8 = 14;
/// A value withheld because of its name.
pub(super) const MASKED: u8 = 15;
/// An argument that is no part of the record: its name is not written either.
pub(super) const LEFT_OUT: u8 = 16;
/// `SMALL + n` is the integer n, for n up to 127.
pub(super) const SMALL: u8 = 0x80;
