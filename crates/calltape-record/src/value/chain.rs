//! Rendering a failure's chain: a captured value of a known shape, to whose frames lines of source are added on the way.
//! Called by the drain; what does not have the shape is rendered as it is.

use std::fmt::Write as _;

use super::json::{ObjectText, escape_str, list, render_key, render_tagged};
use super::tag;
use crate::DecodeError;
use crate::varint::Input;

/// Where the lines of source come from.
pub trait SourceLines {
    /// The line of a file as it is to be shown; `None` where it is not known.
    fn line(&mut self, file: &str, line: u32) -> Option<&str>;
}

/// Appends the chain in `bytes` to `json`, each of its frames with the line that `lines` knows of it as `"source"`.
///
/// # Errors
/// When the bytes are not one whole value; `json` then ends in the middle of it.
pub fn render_chain(bytes: &[u8], lines: &mut dyn SourceLines, json: &mut String) -> Result<(), DecodeError> {
    let mut input = Input::new(bytes);
    let first = input.byte()?;
    if first == tag::LIST {
        list(&mut input, json, |first, input, json| match first {
            tag::OBJECT => link(input, lines, json),
            _ => render_tagged(first, input, json, 1),
        })?;
    } else {
        render_tagged(first, &mut input, json, 0)?;
    }
    if input.is_empty() { Ok(()) } else { Err(DecodeError::Range) }
}

/// Renders the members of an object by `value`, which is told their names, and leaves the object open.
fn members(
    input: &mut Input<'_>,
    json: &mut String,
    depth: usize,
    mut value: impl FnMut(&[u8], u8, &mut Input<'_>, &mut String) -> Result<(), DecodeError>,
) -> Result<ObjectText, DecodeError> {
    let mut object = ObjectText::open(json);
    loop {
        let first = input.byte()?;
        if first == tag::END {
            return Ok(object);
        }
        object.separate(json);
        if first == tag::MORE {
            let _ = write!(json, "\"...\":\"{} more\"", input.varint()?);
            continue;
        }
        let name = if first == tag::TEXT { { *input }.len_prefixed()? } else { b"" };
        render_key(first, input, json, depth)?;
        json.push(':');
        let first = input.byte()?;
        value(name, first, input, json)?;
    }
}

/// One exception.
fn link(input: &mut Input<'_>, lines: &mut dyn SourceLines, json: &mut String) -> Result<(), DecodeError> {
    let object = members(input, json, 2, |name, first, input, json| {
        if name != b"frames" || first != tag::LIST {
            return render_tagged(first, input, json, 2);
        }
        list(input, json, |first, input, json| match first {
            tag::OBJECT => frame(input, lines, json),
            _ => render_tagged(first, input, json, 3),
        })
    })?;
    object.close(json);
    Ok(())
}

/// One frame.
fn frame(input: &mut Input<'_>, lines: &mut dyn SourceLines, json: &mut String) -> Result<(), DecodeError> {
    let (mut file, mut line) = (None, None);
    let mut object = members(input, json, 4, |name, first, input, json| {
        let mut look = *input;
        match (name, first) {
            (b"file", tag::TEXT) => file = std::str::from_utf8(look.len_prefixed()?).ok().map(str::to_owned),
            (b"line", tag::SMALL..) => line = Some(u32::from(first - tag::SMALL)),
            (b"line", tag::INT) => line = u32::try_from(look.signed()?).ok(),
            _ => {}
        }
        render_tagged(first, input, json, 4)
    })?;
    if let (Some(file), Some(line)) = (file, line)
        && let Some(source) = lines.line(&file, line)
    {
        object.key("source", json);
        json.push('"');
        escape_str(source, json);
        json.push('"');
    }
    object.close(json);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{ValueWriter, render_json};
    use super::*;

    struct Numbered(String);

    impl SourceLines for Numbered {
        fn line(&mut self, file: &str, line: u32) -> Option<&str> {
            self.0 = format!("\"{file}\" {line}");
            (file != "gone.py").then_some(&self.0)
        }
    }

    fn frame(out: &mut Vec<u8>, file: &str, line: i64) {
        ValueWriter::object(out);
        ValueWriter::text(out, b"file");
        ValueWriter::text(out, file.as_bytes());
        ValueWriter::text(out, b"line");
        ValueWriter::int(out, line);
        ValueWriter::end(out);
    }

    fn chain() -> Vec<u8> {
        let mut out = Vec::new();
        ValueWriter::list(&mut out);
        ValueWriter::object(&mut out);
        ValueWriter::text(&mut out, b"type");
        ValueWriter::text(&mut out, b"ValueError");
        ValueWriter::text(&mut out, b"frames");
        ValueWriter::list(&mut out);
        ValueWriter::more(&mut out, 9);
        frame(&mut out, "a.py", 7);
        frame(&mut out, "gone.py", 7);
        frame(&mut out, "b.py", 1_000);
        ValueWriter::end(&mut out);
        ValueWriter::end(&mut out);
        ValueWriter::more(&mut out, 2);
        ValueWriter::end(&mut out);
        out
    }

    #[test]
    fn frames_are_given_their_lines() {
        let mut json = String::new();
        render_chain(&chain(), &mut Numbered(String::new()), &mut json).unwrap();
        assert_eq!(
            json,
            "[{\"type\":\"ValueError\",\"frames\":[\"... 9 more\",\
             {\"file\":\"a.py\",\"line\":7,\"source\":\"\\\"a.py\\\" 7\"},{\"file\":\"gone.py\",\"line\":7},\
             {\"file\":\"b.py\",\"line\":1000,\"source\":\"\\\"b.py\\\" 1000\"}]},\"... 2 more\"]"
        );
    }

    #[test]
    fn bytes_cut_anywhere_are_an_error_and_no_panic() {
        let whole = chain();
        for cut in 0..whole.len() {
            assert!(render_chain(&whole[..cut], &mut Numbered(String::new()), &mut String::new()).is_err());
        }
    }

    #[test]
    fn another_value_is_rendered_as_it_is() {
        let mut out = Vec::new();
        ValueWriter::object(&mut out);
        ValueWriter::text(&mut out, b"frames");
        ValueWriter::none(&mut out);
        ValueWriter::end(&mut out);
        let (mut chain, mut json) = (String::new(), String::new());
        render_chain(&out, &mut Numbered(String::new()), &mut chain).unwrap();
        render_json(&out, &mut json).unwrap();
        assert_eq!(chain, json);
    }
}
