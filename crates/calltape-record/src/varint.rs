//! Integers and text as bytes: LEB128 variable length, zigzag for signed, length-prefixed text.
//! Used by every encoder of this crate; reading never goes past the end of the slice.

use crate::DecodeError;

/// Longest encoding of a `u64`: ten groups of seven bits.
const MAX_LEN: usize = 10;

/// Appends `value`, seven bits a byte, lowest first.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed `value` so that small magnitudes of either sign stay short.
#[inline]
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends the length of `bytes` and `bytes`.
#[inline]
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A cursor over recorded bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (&first, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(first)
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next byte, which stays.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    pub(crate) fn fixed(&mut self) -> Result<u64, DecodeError> {
        let bytes = self.take(8)?;
        Ok(u64::from_le_bytes(bytes.try_into().map_err(|_| DecodeError::Truncated)?))
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for group in 0..MAX_LEN {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if group == MAX_LEN - 1 && bits > 1 {
                return Err(DecodeError::Range);
            }
            value |= bits << (7 * group);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::Range)
    }

    #[inline]
    pub(crate) fn signed(&mut self) -> Result<i64, DecodeError> {
        let raw = self.varint()?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    pub(crate) fn len_prefixed(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(self.varint()?).map_err(|_| DecodeError::Range)?;
        self.take(len)
    }

    /// Text as Python holds it: lone surrogates, which UTF-8 forbids, become U+FFFD.
    pub(crate) fn text(&mut self) -> Result<String, DecodeError> {
        Ok(String::from_utf8_lossy(self.len_prefixed()?).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_integer_comes_back(unsigned: u64, signed: i64) {
            let mut out = Vec::new();
            put(&mut out, unsigned);
            put_signed(&mut out, signed);
            let mut input = Input::new(&out);
            prop_assert_eq!(input.varint(), Ok(unsigned));
            prop_assert_eq!(input.signed(), Ok(signed));
            prop_assert!(input.is_empty());
        }
    }

    #[test]
    fn a_number_over_64_bits_is_refused() {
        assert_eq!(Input::new(&[0xff; 9]).varint(), Err(DecodeError::Truncated));
        let mut eleven_groups = [0xff; 10];
        eleven_groups[9] = 0x02;
        assert_eq!(Input::new(&eleven_groups).varint(), Err(DecodeError::Range));
    }
}
