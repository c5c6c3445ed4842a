//! Numbers of payment cards: digits as one or in groups, of a length and beginning that an issuer has, right by Luhn.

use std::ops::Range;

use crate::bytes::{ALNUM, DIGIT, is};
use crate::find::Text;

/// Digits of a card's number.
const LEAST_DIGITS: usize = 13;
const MOST_DIGITS: usize = 19;

/// Digits of the first group, and of the others.
const FIRST_GROUP: usize = 4;
const OTHER_GROUPS: std::ops::RangeInclusive<usize> = 2..=6;

/// The least digits at a text's end that are taken for the beginning of a number.
const LEAST_PARTIAL: usize = 4;

/// Digits of cards that are written as integers: longer integers are ids, hashes and times.
const MOST_DIGITS_OF_INTEGER: usize = 16;

/// Whether an integer is a card's number: right by Luhn, of a length and beginning that an issuer has.
///
/// ```
/// assert!(calltape_redact::is_card_number(4111_1111_1111_1111));
/// assert!(!calltape_redact::is_card_number(4111_1111_1111_1112));
/// ```
#[inline]
pub fn is_card_number(number: u64) -> bool {
    const LEAST: u64 = 10_u64.pow(LEAST_DIGITS as u32 - 1);
    const BEYOND: u64 = 10_u64.pow(MOST_DIGITS_OF_INTEGER as u32);
    (LEAST..BEYOND).contains(&number) && Number::of(number).is_card()
}

/// Whether there is a card's number.
#[inline]
pub(crate) fn may_hold(text: &[u8]) -> bool {
    has_digits(text) && Numbers::of(Text { bytes: text, goes_on: false }).next().is_some()
}

/// Whether there are digits enough for a number, wherever they stand.
#[inline]
fn has_digits(text: &[u8]) -> bool {
    // Counted in bytes, 128 at a time, so that sixteen are counted at once.
    let count = |part: &[u8]| part.iter().fold(0_u8, |count, byte| count + u8::from(byte.wrapping_sub(b'0') < 10));
    text.chunks(128).map(|part| usize::from(count(part))).sum::<usize>() >= LEAST_DIGITS
}

/// Adds the card numbers of a text.
pub(super) fn find(text: Text, found: &mut Vec<Range<usize>>) {
    if text.goes_on || has_digits(text.bytes) {
        found.extend(Numbers::of(text));
    }
}

/// The card numbers of a text, in order. Each group of digits is begun at once.
struct Numbers<'a> {
    text: Text<'a>,
    at: usize,
}

impl<'a> Numbers<'a> {
    fn of(text: Text<'a>) -> Numbers<'a> {
        Numbers { text, at: 0 }
    }
}

impl Iterator for Numbers<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let bytes = self.text.bytes;
        while let Some(digit) = bytes[self.at..].iter().position(|&byte| is(byte, DIGIT)) {
            let start = self.at + digit;
            let end = start + digits(bytes, start, usize::MAX);
            let may_begin = matches!(end - start, FIRST_GROUP | LEAST_DIGITS..=MOST_DIGITS) || self.text.is_cut_at(end);
            let number = if may_begin && stands_alone(bytes, start) { number_at(self.text, start) } else { None };
            self.at = number.as_ref().map_or(end, |number| number.end);
            if number.is_some() {
                return number;
            }
        }
        self.at = bytes.len();
        None
    }
}

/// The number that begins with the group of digits at `start`: the longest that is right.
fn number_at(text: Text, start: usize) -> Option<Range<usize>> {
    let mut number = Number::default();
    let mut at = start;
    let mut separator = None;
    let mut right = None;
    loop {
        let group = digits(text.bytes, at, MOST_DIGITS + 1);
        let is_first = at == start;
        let fits = is_first || OTHER_GROUPS.contains(&group) || text.is_cut_at(at + group);
        if !fits || !number.push(&text.bytes[at..at + group]) {
            return right;
        }
        at += group;
        if text.is_cut_at(at) && number.length >= LEAST_PARTIAL && number.may_be_a_beginning() {
            return Some(start..at);
        }
        let next = text.bytes.get(at).copied();
        if number.is_card() && next.is_none_or(|next| !is(next, ALNUM)) && !is_fraction(&text.bytes[at..]) {
            right = Some(start..at);
        }
        if is_first && group != FIRST_GROUP
            || !matches!(next, Some(b' ' | b'-'))
            || separator.is_some_and(|known| Some(known) != next)
        {
            return right;
        }
        separator = next;
        at += 1;
        if text.is_cut_at(at) && number.may_be_a_beginning() {
            return Some(start..at);
        }
    }
}

fn digits(text: &[u8], from: usize, most: usize) -> usize {
    crate::bytes::span(&text[from..], DIGIT, most)
}

/// Whether a decimal point and digits follow.
fn is_fraction(rest: &[u8]) -> bool {
    rest.first() == Some(&b'.') && rest.get(1).is_some_and(u8::is_ascii_digit)
}

/// Whether no number, word or group of a UUID reaches up to `start`.
fn stands_alone(text: &[u8], start: usize) -> bool {
    let before = &text[..start];
    match before.last() {
        None => true,
        Some(b'.' | b'-') => !before.iter().rev().nth(1).is_some_and(|&byte| is(byte, DIGIT)),
        Some(b'_') => true,
        Some(&byte) => !is(byte, ALNUM),
    }
}

/// The digits of a number, as many as a card may have.
#[derive(Default)]
struct Number {
    digits: [u8; MOST_DIGITS],
    length: usize,
}

impl Number {
    /// The digits of an integer that has [`MOST_DIGITS`] at most.
    fn of(number: u64) -> Number {
        let mut digits = Number { length: number.ilog10() as usize + 1, ..Number::default() };
        let mut rest = number;
        for digit in digits.digits[..digits.length].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        digits
    }

    /// Adds a group; false when there are too many digits then, or none.
    fn push(&mut self, group: &[u8]) -> bool {
        let Some(room) = self.digits.get_mut(self.length..self.length + group.len()) else { return false };
        room.copy_from_slice(group);
        self.length += group.len();
        !group.is_empty()
    }

    fn is_card(&self) -> bool {
        self.length >= LEAST_DIGITS && self.issuer_has(self.length) && self.is_right_by_luhn()
    }

    /// Whether a number of some length of an issuer's may begin with these digits.
    fn may_be_a_beginning(&self) -> bool {
        (LEAST_DIGITS.max(self.length)..=MOST_DIGITS).any(|length| self.issuer_has(length))
    }

    /// Whether an issuer's numbers begin like this and have this length.
    fn issuer_has(&self, length: usize) -> bool {
        let beginning =
            self.digits[..4].iter().fold(0_u32, |value, &digit| value * 10 + u32::from(digit.saturating_sub(b'0')));
        match beginning {
            // Visa
            4000..=4999 => matches!(length, 13 | 16 | 19),
            // Mastercard
            5100..=5599 | 2221..=2720 => length == 16,
            // American Express
            3400..=3499 | 3700..=3799 => length == 15,
            // Diners Club
            3000..=3059 | 3095 | 3800..=3999 => matches!(length, 14 | 16),
            3600..=3699 => (14..=19).contains(&length),
            // Discover, UnionPay, JCB
            6011 | 6440..=6599 | 6200..=6299 | 8100..=8171 => (16..=19).contains(&length),
            3528..=3589 => (16..=19).contains(&length),
            // Mir
            2200..=2204 => (16..=19).contains(&length),
            // Maestro
            5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => (13..=19).contains(&length),
            _ => false,
        }
    }

    /// ISO/IEC 7812-1, annex B: every second digit from the right is doubled.
    fn is_right_by_luhn(&self) -> bool {
        let digits = self.digits[..self.length].iter().rev().map(|digit| u32::from(digit - b'0'));
        let sum: u32 = digits
            .enumerate()
            .map(|(at, digit)| if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
            .sum();
        sum.is_multiple_of(10)
    }
}
