//! Taking recorded JSON apart without reading its values: they stay as recorded, integers of any size, lone surrogates
//! and the order of arguments included. Called by the drain for notes and by whoever shows a call; text that is no JSON
//! is an answer here, never a panic.

/// The members of an object, as raw text: name without its quotes, and value. `None` when `text` is no object.
pub fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut members = Vec::new();
    for part in parts(inner)? {
        let (name, value) = part.split_at(string_end(part)?);
        members.push((name.get(1..name.len() - 1)?, value.trim_start().strip_prefix(':')?.trim()));
    }
    Some(members)
}

/// The items of a list, as raw text. `None` when `text` is no list.
pub fn items(text: &str) -> Option<Vec<&str>> {
    parts(text.trim().strip_prefix('[')?.strip_suffix(']')?)
}

/// The text of a JSON string whose escapes do not matter to the caller: without its quotes.
pub fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Splits at the commas that stand in no string and no container.
fn parts(inner: &str) -> Option<Vec<&str>> {
    let (mut found, mut from, mut depth, mut at) = (Vec::new(), 0, 0usize, 0);
    let bytes = inner.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += string_end(&inner[at..])?;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                found.push(inner[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let last = inner[from..].trim();
    if depth > 0 || (last.is_empty() && !found.is_empty()) {
        return None;
    }
    if !last.is_empty() {
        found.push(last);
    }
    Some(found)
}

/// Where the string that `text` begins with ends.
fn string_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_spelling() {
        let text = r#"{"b": [1, {"x": ","}], "a\"": "q\",}", "big":123456789012345678901234567890,"s":"\ud800"}"#;
        assert_eq!(
            members(text),
            Some(vec![
                ("b", r#"[1, {"x": ","}]"#),
                (r#"a\""#, r#""q\",}""#),
                ("big", "123456789012345678901234567890"),
                ("s", r#""\ud800""#),
            ])
        );
        assert_eq!(members("{}"), Some(vec![]));
        assert_eq!(items(r#"["a", "b"]"#), Some(vec![r#""a""#, r#""b""#]));
    }

    #[test]
    fn what_is_no_object_is_none_and_no_panic() {
        for text in
            ["", "{", "}", "[]", "null", r#"{"a"}"#, r#"{"a":1"#, r#"{"a":"\"#, r#"{1:2}"#, r#"{"a":1,}"#, "{]}", "{é}"]
        {
            assert_eq!(members(text), None, "{text}");
        }
    }
}
