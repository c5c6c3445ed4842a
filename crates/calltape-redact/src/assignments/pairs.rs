//! Values whose names are values themselves: `{"name": "DB_PASSWORD", "value": "tiger"}`, `<add key="ApiKey"
//! value="tiger"/>`, and the parts of a form's body, `name="password"`, a blank line, `tiger`.

use std::ops::Range;

use super::block::{line_break, line_end};
use super::name::{LONGEST, Name, is_quote};
use super::value::{self, Lines};
use crate::Names;
use crate::bytes::{ALNUM, DASH, DOT, FOREIGN, span};
use crate::find::Text;

/// Names whose values are names.
const NAMING: &[&[u8]] = &[b"name", b"key", b"field", b"header", b"param", b"parameter", b"variable", b"option"];

/// Names whose values belong to the name before.
const VALUES: &[&[u8]] = &[b"value", b"values", b"val"];

/// Bytes between a name and its value.
const MOST_BETWEEN: usize = 512;

/// Lines of a part's header after its name, and the bytes of one.
const MOST_HEADERS: usize = 4;
const LONGEST_HEADER: usize = 256;

/// The sensitive name that was given as a value last.
#[derive(Default)]
pub(super) struct Pairs {
    announced: Option<Announced>,
}

struct Announced {
    naming: &'static [u8],
    end: usize,
}

impl Pairs {
    /// The value after the sign at `sign` when `name`, which is not sensitive, says by its word that it is one, or
    /// names the part of a form that follows.
    pub(super) fn meet(
        &mut self,
        text: Text,
        sign: usize,
        name: &Name,
        names: &Names,
        lines: &mut Lines,
    ) -> Option<Range<usize>> {
        let word = name.word(text.bytes);
        let known = |words: &[&'static [u8]]| words.iter().find(|known| known.eq_ignore_ascii_case(word)).copied();
        if let Some(naming) = known(NAMING) {
            return self.announce(text, sign, naming, names, lines);
        }
        let announced = self.announced.as_ref()?;
        known(VALUES)?;
        let between = text.bytes.get(announced.end..name.range.start)?;
        self.announced = None;
        if !is_within_one_object(between) {
            return None;
        }
        let start = value::start(text.bytes, sign)?;
        Some(value::read(text, start, name, text.bytes[sign], lines))
    }

    fn announce(
        &mut self,
        text: Text,
        sign: usize,
        naming: &'static [u8],
        names: &Names,
        lines: &mut Lines,
    ) -> Option<Range<usize>> {
        let given = given_name(text.bytes, value::start(text.bytes, sign)?);
        if names.is_sensitive(&text.bytes[given.clone()]) {
            self.announced = Some(Announced { naming, end: given.end });
            return if text.bytes[sign] == b'=' { part_below(text.bytes, given.end, lines) } else { None };
        }
        if self.announced.as_ref().is_some_and(|announced| announced.naming == naming) {
            self.announced = None;
        }
        None
    }
}

/// The word that begins at `start`, in quotes or without.
fn given_name(text: &[u8], start: usize) -> Range<usize> {
    let is_opening = |byte: u8| is_quote(byte) || byte == b'\\';
    let letter = usize::from(matches!(text[start..], [b'b' | b'u', quote, ..] if is_opening(quote)));
    let opening = text[start + letter..].iter().take(4).take_while(|&&byte| is_opening(byte)).count();
    let from = start + if opening > 0 { letter + opening } else { 0 };
    from..from + span(&text[from..], ALNUM | DASH | DOT | FOREIGN, LONGEST)
}

/// Whether no more brackets are closed than were opened.
fn is_within_one_object(between: &[u8]) -> bool {
    if between.len() > MOST_BETWEEN {
        return false;
    }
    let mut depth = 0_usize;
    between.iter().all(|byte| match byte {
        b'{' | b'[' | b'(' | b'<' => {
            depth += 1;
            true
        }
        b'}' | b']' | b')' | b'>' => match depth.checked_sub(1) {
            Some(less) => {
                depth = less;
                true
            }
            None => false,
        },
        _ => true,
    })
}

/// The line after the header of a form's part, in which the name ends at `name`.
fn part_below(text: &[u8], name: usize, lines: &mut Lines) -> Option<Range<usize>> {
    let quote = name + text[name..].iter().take(3).take_while(|&&byte| byte == b'\\').count();
    let after = if text.get(quote).is_some_and(|&byte| is_quote(byte)) { quote + 1 } else { name };
    if text.get(after) != Some(&b';') && line_break(text, after).is_none() {
        return None;
    }
    let mut at = after;
    for _ in 0..MOST_HEADERS {
        let end = line_end(&text[..text.len().min(at + LONGEST_HEADER)], at);
        at = line_break(text, end)?;
        if let Some(start) = line_break(text, at) {
            let value = text[start..lines.end(text, start)].trim_ascii_end();
            return (!value.starts_with(b"--")).then_some(start..start + value.len());
        }
    }
    None
}
