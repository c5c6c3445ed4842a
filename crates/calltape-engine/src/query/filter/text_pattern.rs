//! Globs over names: groups, threads, tasks, types of errors. Matched in Rust, so that a pattern means the same wherever
//! the name comes from.

use regex::Regex;

/// A glob over a whole name: `*` any text, `?` any character, `[a-z]` one of these, `[^a-z]` none of these. Text without
/// them is the name itself. Upper and lower case differ.
#[derive(Debug, Clone)]
pub struct TextPattern {
    text: String,
    /// `None` for a text that is a name, or that no expression could be made of: compared as it stands.
    regex: Option<Regex>,
}

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TextPattern {}

impl TextPattern {
    /// The glob `text`; every text is one.
    pub fn glob(text: impl Into<String>) -> Self {
        let text = text.into();
        let regex = text.contains(['*', '?', '[']).then(|| Regex::new(&expression(&text)).ok()).flatten();
        Self { text, regex }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is one name.
    pub fn is_plain(&self) -> bool {
        self.regex.is_none()
    }

    /// Whether `name` is one it means.
    pub fn matches(&self, name: &str) -> bool {
        self.regex.as_ref().map_or_else(|| self.text == name, |regex| regex.is_match(name))
    }

    /// Whether `name`, or what follows its last dot, is one it means.
    pub fn matches_last_part(&self, name: &str) -> bool {
        self.matches(name) || name.rsplit_once('.').is_some_and(|(_, last)| self.matches(last))
    }
}

/// The glob as a regular expression over the whole text.
fn expression(glob: &str) -> String {
    let mut out = String::from(r"(?s)\A");
    let mut rest = glob;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => match set(rest) {
                Some((set, after)) => {
                    out.push_str(&set);
                    rest = after;
                }
                None => out.push_str(r"\["),
            },
            other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push_str(r"\z");
    out
}

/// A set of characters, after its `[`, and what follows it; `None` where no `]` ends it. A `]` that comes first is one
/// of the set.
fn set(rest: &str) -> Option<(String, &str)> {
    let (negated, body) = rest.strip_prefix('^').map_or((false, rest), |body| (true, body));
    let first = body.chars().next()?.len_utf8();
    let end = first + body[first..].find(']')?;
    let mut out = String::from(if negated { "[^" } else { "[" });
    for character in body[..end].chars() {
        // A dash stays what makes a range; everything else that an expression gives a meaning loses it.
        if !character.is_alphanumeric() && character != '-' && character.is_ascii() {
            out.push('\\');
        }
        out.push(character);
    }
    out.push(']');
    Some((out, &body[end + 1..]))
}
