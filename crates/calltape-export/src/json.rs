//! JSON that is written piece by piece: quoted text, and recorded JSON put in as it is. Used by JSON Lines and the trace, which is for
//! viewers and so less exact: what they cannot read is replaced.

use serde_json::value::RawValue;

/// Appends `text` as a JSON string. What is no printable ASCII stays as it is but for control characters.
pub(crate) fn push_quoted(out: &mut Vec<u8>, text: &str) {
    // Writing to a vector and serialising a text never fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends recorded JSON as it is, on one line, so that whole numbers of any size and lone surrogates stay what they
/// are; as a string what is no JSON after all.
pub(crate) fn push_recorded(out: &mut Vec<u8>, text: &str) {
    if serde_json::from_str::<&RawValue>(text).is_err() {
        return push_quoted(out, text);
    }
    // In valid JSON these stand between values only: inside strings they are escaped.
    if text.bytes().any(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Appends `text` as a JSON string that every viewer reads: as [`push_quoted`], and DEL as an escape, which Perfetto
/// takes for the end of the file otherwise.
pub(crate) fn push_shown(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.split('\u{7f}');
    let start = out.len();
    push_quoted(out, rest.next().unwrap_or_default());
    for part in rest {
        out.pop();
        out.extend_from_slice(b"\\u007f");
        let mut quoted = Vec::new();
        push_quoted(&mut quoted, part);
        out.extend_from_slice(&quoted[1..]);
    }
    debug_assert!(out.len() >= start + 2, "two quotes");
}

/// Appends recorded JSON for a viewer: as a string, cut to `most` bytes, where it is longer; a surrogate that stands
/// alone as U+FFFD, for what it belongs to is read as damaged otherwise.
pub(crate) fn push_recorded_shown(out: &mut Vec<u8>, text: &str, most: usize) {
    if text.len() > most {
        let mut cut = text[..text.floor_char_boundary(most)].to_owned();
        cut.push('…');
        return push_shown(out, &cut);
    }
    if serde_json::from_str::<&RawValue>(text).is_err() {
        return push_shown(out, text);
    }
    if !text.contains("\\u") && !text.contains(['\n', '\r', '\u{7f}']) {
        return out.extend_from_slice(text.as_bytes());
    }
    push_without_lone_surrogates(out, text.as_bytes());
}

/// Valid JSON, each escape of a surrogate without its other half replaced.
fn push_without_lone_surrogates(out: &mut Vec<u8>, json: &[u8]) {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while at < json.len() {
        let taken = match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            (Some(_), _) => 6,
            (None, _) if json[at] == b'\\' => 2,
            (None, _) => 1,
        };
        match json[at] {
            b'\n' | b'\r' => out.push(b' '),
            0x7f => out.extend_from_slice(b"\\u007f"),
            _ => out.extend_from_slice(&json[at..at + taken]),
        }
        at += taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(text: &str) -> String {
        let mut out = Vec::new();
        push_recorded(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn recorded_json_goes_in_as_it_is() {
        assert_eq!(recorded("123456789012345678901234567890"), "123456789012345678901234567890");
        assert_eq!(recorded(r#"{"a":"\ud800"}"#), r#"{"a":"\ud800"}"#);
        assert_eq!(recorded("[1,\r\n2]"), "[1,  2]");
    }

    #[test]
    fn what_is_no_json_is_a_string() {
        assert_eq!(recorded("{\"a\":"), r#""{\"a\":""#);
        assert_eq!(recorded("a\u{0}\nb"), r#""a\u0000\nb""#);
    }

    fn shown(text: &str) -> String {
        let mut out = Vec::new();
        push_recorded_shown(&mut out, text, 64);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_viewer_gets_no_surrogate_that_stands_alone() {
        assert_eq!(
            shown(r#"["\ud83d\ude00","\ud83d","\ude00\ud83d","\\ud83d"]"#),
            r#"["\ud83d\ude00","\ufffd","\ufffd\ufffd","\\ud83d"]"#
        );
        assert_eq!(shown("[\"\u{7f}\",\n1]"), "[\"\\u007f\", 1]");
    }

    #[test]
    fn a_viewer_gets_the_beginning_of_what_is_long() {
        let long = format!("[\"{}\"]", "é".repeat(100));
        let cut: String = serde_json::from_str(&shown(&long)).unwrap();
        assert_eq!(cut, format!("[\"{}…", "é".repeat(31)));
    }

    #[test]
    fn a_name_with_del_is_escaped() {
        let mut out = Vec::new();
        push_shown(&mut out, "a\u{7f}b\"");
        assert_eq!(String::from_utf8(out).unwrap(), r#""a\u007fb\"""#);
    }
}
