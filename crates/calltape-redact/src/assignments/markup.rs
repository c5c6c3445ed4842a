//! What stands between the tags of an element with a sensitive name: `<db:Password type="x">tiger</db:Password>`.

use std::ops::Range;

use super::name::LONGEST;
use crate::Names;
use crate::bytes::{ALNUM, DASH, DOT, is};
use crate::find::Text;

/// How text without markup of its own is marked.
const PLAIN: &[u8] = b"<![CDATA[";
const PLAIN_END: &[u8] = b"]]>";

/// Adds what the elements with sensitive names hold.
pub(super) fn find(text: Text, names: &Names, found: &mut Vec<Range<usize>>) {
    let mut passed = 0;
    for tag in memchr::memchr_iter(b'<', text.bytes) {
        if tag < passed {
            continue;
        }
        let Some(name) = tag_name(text.bytes, tag) else { continue };
        if names.is_sensitive(&text.bytes[name.clone()])
            && let Some(value) = content(text, name.end)
        {
            passed = value.end;
            found.push(value);
        }
    }
}

/// Whether an element that holds text begins at `tag`.
#[inline]
pub(super) fn may_begin(text: &[u8], tag: usize) -> bool {
    let text = Text { bytes: text, goes_on: true };
    tag_name(text.bytes, tag).is_some_and(|name| content(text, name.end).is_some())
}

/// The name in the opening tag at `tag`, with its prefix.
fn tag_name(text: &[u8], tag: usize) -> Option<Range<usize>> {
    let start = tag + 1;
    let first = *text.get(start)?;
    if !first.is_ascii_alphabetic() && first != b'_' {
        return None;
    }
    let length = text[start..].iter().take(LONGEST).take_while(|&&byte| is(byte, ALNUM | DASH | DOT) || byte == b':');
    let end = start + length.count();
    matches!(text.get(end)?, b'>' | b' ' | b'\t' | b'\n' | b'\r' | b'\\').then_some(start..end)
}

/// What stands between the tag whose name ends at `name` and the closing tag, which must come next.
fn content(text: Text, name: usize) -> Option<Range<usize>> {
    let tag_end = name + memchr::memchr2(b'<', b'>', &text.bytes[name..])?;
    if text.bytes[tag_end] == b'<' || text.bytes[tag_end - 1] == b'/' {
        return None;
    }
    let start = tag_end + 1;
    let rest = &text.bytes[start..];
    let value = if rest.starts_with(PLAIN) {
        let end = memchr::memmem::find(rest, PLAIN_END).unwrap_or(rest.len());
        PLAIN.len()..end.max(PLAIN.len())
    } else {
        let end = memchr::memchr(b'<', rest).unwrap_or(rest.len());
        let closes = match &rest[end..] {
            [] | [b'<'] => text.goes_on,
            after => matches!(after[1], b'/' | b'\\'),
        };
        if !closes {
            return None;
        }
        0..end
    };
    let kept = &rest[value.clone()];
    let leading = span_of_blanks(kept);
    let length = kept.trim_ascii().len();
    let start = start + value.start + leading;
    (length > 0).then_some(start..start + length)
}

fn span_of_blanks(text: &[u8]) -> usize {
    text.len() - text.trim_ascii_start().len()
}
