//! Recorded JSON set for reading: a container that fits a line stays on it, a longer one has its parts under each other,
//! a long text breaks where words end. Only white space is added, so what is shown can be copied as JSON but for texts
//! that had to be broken. Expects text that [`super::plain`] has seen, and shows what is no JSON as it is.

use calltape_record::value;

use super::fit;

/// Columns a part is set in from its container.
const STEP: usize = 2;

/// Containers within containers that are laid out; deeper ones are folded as text. What is captured is less deep.
const DEEPEST: usize = 32;

/// `json` in lines of at most `columns` where its parts allow.
pub(crate) fn lay_out(json: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    put(&mut lines, json, columns, 0, 0);
    lines
}

/// Adds `json` behind the last line: `indent` is where its parts' parent stands, `after` what follows it on its last line.
fn put(lines: &mut Vec<String>, json: &str, columns: usize, indent: usize, after: usize) {
    let used = lines.last().map_or(0, |line| fit::width(line));
    if used + fit::width(json) + after <= columns {
        return append(lines, json);
    }
    let (open, close, parts) = match (indent / STEP < DEEPEST, value::members(json), value::items(json)) {
        (true, Some(members), _) if !members.is_empty() => {
            ("{", "}", members.into_iter().map(|(name, value)| (format!("\"{name}\": "), value)).collect())
        }
        (true, _, Some(items)) if !items.is_empty() => {
            ("[", "]", items.into_iter().map(|item| (String::new(), item.trim())).collect::<Vec<_>>())
        }
        _ => return put_folded(lines, json, columns.saturating_sub(after), indent, used),
    };
    append(lines, open);
    let last = parts.len() - 1;
    for (position, (name, value)) in parts.into_iter().enumerate() {
        let comma = usize::from(position < last);
        lines.push(format!("{:indent$}{name}", "", indent = indent + STEP));
        put(lines, value, columns, indent + STEP, comma);
        append(lines, &",".repeat(comma));
    }
    lines.push(format!("{:indent$}{close}", ""));
}

fn append(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// A text that does not fit: its lines stand under its beginning, or under its name where there is little room.
fn put_folded(lines: &mut Vec<String>, text: &str, columns: usize, indent: usize, used: usize) {
    let column = if used * 2 > columns { indent + STEP } else { used };
    let mut folded = fit::fold(text, columns.saturating_sub(used.max(column))).into_iter();
    append(lines, &folded.next().unwrap_or_default());
    let rest = folded.collect::<Vec<_>>().join(" ");
    if !rest.is_empty() {
        let under = fit::fold(&rest, columns.saturating_sub(column)).into_iter();
        lines.extend(under.map(|line| format!("{:column$}{line}", "")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str =
        r#"{"id":17,"lines":[{"sku":"A-1","n":2},{"sku":"B-22","n":1}],"note":"please ring twice, the bell is old"}"#;

    #[test]
    fn what_fits_stays_on_its_line() {
        assert_eq!(lay_out(ORDER, 120), [ORDER]);
        assert_eq!(lay_out("17", 8), ["17"]);
        assert_eq!(lay_out("", 8), [""]);
    }

    #[test]
    fn parts_stand_under_each_other_where_the_whole_does_not_fit() {
        let expected = [
            "{",
            "  \"id\": 17,",
            "  \"lines\": [",
            "    {\"sku\":\"A-1\",\"n\":2},",
            "    {\"sku\":\"B-22\",\"n\":1}",
            "  ],",
            "  \"note\": \"please ring twice,",
            "          the bell is old\"",
            "}",
        ];
        assert_eq!(lay_out(ORDER, 32), expected);
    }

    #[test]
    fn what_is_laid_out_is_the_same_json() {
        for columns in [30, 40, 60, 80] {
            let json = r#"{"a":[1,2,{"b":[true,null,"x,y"]}],"c":{},"d":[],"e":"[list with 3 items]"}"#;
            let laid: serde_json::Value = serde_json::from_str(&lay_out(json, columns).concat()).unwrap();
            assert_eq!(laid, serde_json::from_str::<serde_json::Value>(json).unwrap());
        }
    }

    #[test]
    fn no_line_is_longer_than_there_are_columns() {
        let json = format!(r#"{{"names":["{0}","{0}"],"{0}":1}}"#, "north".repeat(30));
        for columns in [20, 40, 78] {
            let lines = lay_out(&json, columns);
            let named = |line: &&String| line.trim_start().starts_with("\"north") && line.contains(": ");
            let widest = lines.iter().filter(|line| !named(line)).map(|line| fit::width(line)).max();
            assert!(widest <= Some(columns), "{lines:#?}");
        }
    }

    #[test]
    fn any_text_is_shown_whole() {
        for text in ["{", "[1,", "\"unfinished", "{\"a\":[}", "not json at all, but long enough to be folded somewhere"]
        {
            let laid = lay_out(text, 12).join("\n");
            assert_eq!(laid.replace(char::is_whitespace, ""), text.replace(char::is_whitespace, ""));
        }
    }
}
