//! Rendering captured values as JSON text. Called by the drain, off the caller's thread; bounded by the bytes it reads,
//! and an error, never a panic, on bytes no capture wrote.

use std::fmt::Write as _;

use super::width::is_plain;
use super::{MAX_DEPTH, tag};
use crate::DecodeError;
use crate::varint::Input;

/// Appends the one value in `bytes` to `json`.
///
/// # Errors
/// When the bytes are not one whole value; `json` then ends in the middle of it.
pub fn render_json(bytes: &[u8], json: &mut String) -> Result<(), DecodeError> {
    let mut input = Input::new(bytes);
    render(&mut input, json)?;
    if input.is_empty() { Ok(()) } else { Err(DecodeError::Range) }
}

/// Appends the next value of `input` to `json`.
pub(crate) fn render(input: &mut Input<'_>, json: &mut String) -> Result<(), DecodeError> {
    let first = input.byte()?;
    render_tagged(first, input, json, 0)
}

/// Whether an argument that is left out stands next in `input`, which is then past it.
pub(crate) fn takes_left_out(input: &mut Input<'_>) -> Result<bool, DecodeError> {
    let is_left_out = input.peek() == Some(tag::LEFT_OUT);
    if is_left_out {
        input.byte()?;
    }
    Ok(is_left_out)
}

/// Appends `names` as a JSON list of strings.
pub(crate) fn render_names(names: &[&str], json: &mut String) {
    json.push('[');
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        quote(name, json);
    }
    json.push(']');
}

/// An object under construction in a text: writes the braces, commas and keys between values.
#[derive(Debug)]
pub struct ObjectText {
    empty: bool,
}

impl ObjectText {
    /// Opens the object.
    pub fn open(json: &mut String) -> Self {
        json.push('{');
        Self { empty: true }
    }

    /// Writes `name` as the next key; its value must follow.
    pub fn key(&mut self, name: &str, json: &mut String) {
        self.separate(json);
        quote(name, json);
        json.push(':');
    }

    /// Writes `name`, which is escaped already, as the next key; its value must follow.
    pub(crate) fn raw_key(&mut self, name: &str, json: &mut String) {
        self.separate(json);
        json.push('"');
        json.push_str(name);
        json.push_str("\":");
    }

    pub(super) fn separate(&mut self, json: &mut String) {
        if !self.empty {
            json.push(',');
        }
        self.empty = false;
    }

    /// Closes the object.
    pub fn close(self, json: &mut String) {
        json.push('}');
    }
}

pub(super) fn render_tagged(
    first: u8,
    input: &mut Input<'_>,
    json: &mut String,
    depth: usize,
) -> Result<(), DecodeError> {
    match first {
        tag::NONE => json.push_str("null"),
        tag::FALSE => json.push_str("false"),
        tag::TRUE => json.push_str("true"),
        tag::SMALL.. => push_integer(i64::from(first - tag::SMALL), json),
        tag::INT => push_integer(input.signed()?, json),
        tag::DIGITS => json.push_str(digits(input)?),
        tag::FLOAT => push_float(f64::from_bits(input.fixed()?), json),
        tag::LIST => return render_list(input, json, depth + 1),
        tag::OBJECT => return render_object(input, json, depth + 1),
        _ => {
            json.push('"');
            push_text_of(first, input, json)?;
            json.push('"');
        }
    }
    Ok(())
}

/// Appends what stands between the quotes for the kinds that JSON has only strings for.
fn push_text_of(first: u8, input: &mut Input<'_>, json: &mut String) -> Result<(), DecodeError> {
    match first {
        tag::TEXT => escape(input.len_prefixed()?, json)?,
        tag::TEXT_CUT => {
            let characters = input.varint()?;
            escape(input.len_prefixed()?, json)?;
            let _ = write!(json, "... [{characters} chars]");
        }
        tag::BYTES => push_bytes(input.len_prefixed()?, json),
        tag::BYTES_CUT => {
            let length = input.varint()?;
            push_bytes(input.len_prefixed()?, json);
            let _ = write!(json, "... [{length} bytes]");
        }
        tag::MARKER => {
            json.push('[');
            escape(input.len_prefixed()?, json)?;
            json.push(']');
        }
        tag::MASKED => json.push_str("***"),
        found => return Err(DecodeError::Unknown { what: "value tag", found }),
    }
    Ok(())
}

fn render_list(input: &mut Input<'_>, json: &mut String, depth: usize) -> Result<(), DecodeError> {
    if depth > MAX_DEPTH {
        return Err(DecodeError::Depth);
    }
    list(input, json, |first, input, json| render_tagged(first, input, json, depth))
}

/// Renders the rest of a list by `item`.
pub(super) fn list(
    input: &mut Input<'_>,
    json: &mut String,
    mut item: impl FnMut(u8, &mut Input<'_>, &mut String) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    json.push('[');
    let mut empty = true;
    loop {
        let first = input.byte()?;
        if first == tag::END {
            break;
        }
        if !empty {
            json.push(',');
        }
        empty = false;
        if first == tag::MORE {
            let _ = write!(json, "\"... {} more\"", input.varint()?);
        } else {
            item(first, input, json)?;
        }
    }
    json.push(']');
    Ok(())
}

fn render_object(input: &mut Input<'_>, json: &mut String, depth: usize) -> Result<(), DecodeError> {
    if depth > MAX_DEPTH {
        return Err(DecodeError::Depth);
    }
    let mut object = ObjectText::open(json);
    loop {
        let first = input.byte()?;
        if first == tag::END {
            break;
        }
        object.separate(json);
        if first == tag::MORE {
            let _ = write!(json, "\"...\":\"{} more\"", input.varint()?);
            continue;
        }
        render_key(first, input, json, depth)?;
        json.push(':');
        let value = input.byte()?;
        render_tagged(value, input, json, depth)?;
    }
    object.close(json);
    Ok(())
}

/// JSON keys are strings: a key of another kind stands as its own JSON text, constants as Python spells them.
pub(super) fn render_key(first: u8, input: &mut Input<'_>, json: &mut String, depth: usize) -> Result<(), DecodeError> {
    match first {
        tag::NONE => json.push_str("\"None\""),
        tag::TRUE => json.push_str("\"True\""),
        tag::FALSE => json.push_str("\"False\""),
        tag::TEXT | tag::TEXT_CUT | tag::BYTES | tag::BYTES_CUT | tag::MARKER | tag::MASKED => {
            return render_tagged(first, input, json, depth);
        }
        _ => {
            let mut inner = String::new();
            render_tagged(first, input, &mut inner, depth)?;
            quote(inner.trim_matches('"'), json);
        }
    }
    Ok(())
}

fn push_integer(value: i64, json: &mut String) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        json.push('-');
    }
    json.extend(digits[at..].iter().map(|&digit| char::from(digit)));
}

fn push_float(value: f64, json: &mut String) {
    let _ = match value {
        v if v.is_finite() => write!(json, "{v:?}"),
        v if v.is_nan() => write!(json, "\"nan\""),
        v => write!(json, "\"{}\"", if v > 0.0 { "inf" } else { "-inf" }),
    };
}

fn digits<'a>(input: &mut Input<'a>) -> Result<&'a str, DecodeError> {
    let bytes = input.len_prefixed()?;
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let leading_zero = unsigned.len() > 1 && unsigned[0] == b'0';
    if unsigned.is_empty() || leading_zero || !unsigned.iter().all(u8::is_ascii_digit) {
        return Err(DecodeError::Text);
    }
    std::str::from_utf8(bytes).map_err(|_| DecodeError::Text)
}

/// Appends bytes as Python's literal would show them, escaped for JSON.
fn push_bytes(bytes: &[u8], json: &mut String) {
    json.push_str("b'");
    for &byte in bytes {
        match byte {
            b'\'' => json.push_str("\\\\'"),
            b'\\' => json.push_str("\\\\\\\\"),
            b'"' => json.push_str("\\\""),
            b'\n' => json.push_str("\\\\n"),
            b'\r' => json.push_str("\\\\r"),
            b'\t' => json.push_str("\\\\t"),
            0x20..=0x7e => json.push(char::from(byte)),
            _ => {
                let _ = write!(json, "\\\\x{byte:02x}");
            }
        }
    }
    json.push('\'');
}

fn quote(text: &str, json: &mut String) {
    json.push('"');
    escape_str(text, json);
    json.push('"');
}

/// Appends text with JSON's escapes; a lone surrogate becomes its `\ud800` escape.
fn escape(bytes: &[u8], json: &mut String) -> Result<(), DecodeError> {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                escape_str(text, json);
                return Ok(());
            }
            Err(fault) => {
                let (valid, invalid) = rest.split_at(fault.valid_up_to());
                escape_str(std::str::from_utf8(valid).map_err(|_| DecodeError::Text)?, json);
                let &[0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ref after @ ..] = invalid else {
                    return Err(DecodeError::Text);
                };
                let unit = 0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f);
                let _ = write!(json, "\\u{unit:04x}");
                rest = after;
            }
        }
    }
}

/// Appends `text` with JSON's escapes.
pub(crate) fn escape_str(text: &str, json: &mut String) {
    if is_plain(text.as_bytes()) {
        return json.push_str(text);
    }
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let needs_escape = byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f;
        if !needs_escape {
            continue;
        }
        json.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        match byte {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            b'\n' => json.push_str("\\n"),
            b'\r' => json.push_str("\\r"),
            b'\t' => json.push_str("\\t"),
            _ => {
                let _ = write!(json, "\\u{byte:04x}");
            }
        }
    }
    json.push_str(&text[plain_from..]);
}

#[cfg(test)]
mod tests;
