//! Notes in the arguments of their call: the object under [`NOTES_MEMBER`]. Called by the drain, which meets notes before
//! and after the call they are of. Works on JSON text as recorded and never reads a value.

use crate::value::{self, ObjectText};

/// The member of a call's arguments under which its notes stand; no parameter can have such a name.
pub const NOTES_MEMBER: &str = "(set)";

/// The member that says how many notes found no room.
const LEFT_OUT: &str = "...";

/// Bytes the notes of one call take: as many as some sixty texts in full, so that a call that sets something each time
/// round a loop stays as small as others.
const MOST_BYTES: usize = 64 << 10;

/// The arguments of a call (`None` for not captured) with `notes` added, which are later than those it has: names
/// without their quotes and values, as JSON text. `None` when the arguments are no object.
///
/// ```
/// use calltape_record::with_notes;
/// let noted = with_notes(Some(r#"{"order_id":42}"#), [("user", "7")]).unwrap();
/// assert_eq!(noted, r#"{"order_id":42,"(set)":{"user":7}}"#);
/// assert_eq!(with_notes(Some(&noted), [("user", "8")]).unwrap(), r#"{"order_id":42,"(set)":{"user":8}}"#);
/// ```
pub fn with_notes<'a>(
    arguments: Option<&'a str>,
    notes: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    let mut arguments = value::members(arguments.unwrap_or("{}"))?;
    let known = match arguments.last() {
        Some(&(NOTES_MEMBER, object)) => {
            arguments.pop();
            Some(object)
        }
        _ => None,
    };
    let notes = merge_notes(known, notes)?;
    Some(object_of(arguments.into_iter().chain([(NOTES_MEMBER, notes.as_str())])))
}

/// The object of notes `known` (`None` for none yet) with later `notes` added, each in the place of an earlier one of its
/// name. `None` when `known` is no object.
pub fn merge_notes<'a>(known: Option<&'a str>, notes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut merged = Notes::default();
    for (name, value) in value::members(known.unwrap_or("{}"))?.into_iter().chain(notes) {
        merged.put(name, value);
    }
    Some(merged.finish())
}

#[derive(Debug, Default)]
struct Notes<'a> {
    members: Vec<(&'a str, &'a str)>,
    bytes: usize,
    left_out: u64,
}

impl<'a> Notes<'a> {
    fn put(&mut self, name: &'a str, value: &'a str) {
        if let (LEFT_OUT, Some(count)) = (name, left_out_of(value)) {
            self.left_out = self.left_out.saturating_add(count);
            return;
        }
        let size = |(name, value): (&str, &str)| name.len() + value.len() + r#""":,"#.len();
        let known = self.members.iter().position(|(known, _)| *known == name);
        let before = known.map_or(0, |at| size(self.members[at]));
        let bytes = self.bytes - before + size((name, value));
        if bytes > MOST_BYTES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.bytes = bytes;
        match known {
            Some(at) => self.members[at].1 = value,
            None => self.members.push((name, value)),
        }
    }

    fn finish(self) -> String {
        let count = format!("\"{} more\"", self.left_out);
        let left_out = (self.left_out > 0).then_some((LEFT_OUT, count.as_str()));
        object_of(self.members.into_iter().chain(left_out))
    }
}

/// The count in a value that says how many found no room.
fn left_out_of(value: &str) -> Option<u64> {
    value::unquoted(value).strip_suffix(" more")?.parse().ok()
}

fn object_of<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut json = String::new();
    let mut object = ObjectText::open(&mut json);
    for (name, value) in members {
        object.raw_key(name, &mut json);
        json.push_str(value);
    }
    object.close(&mut json);
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_follow_the_arguments_in_the_order_they_were_first_set() {
        let arguments = r#"{"a":{"(set)":1},"(extra)":2,"(extra)":3,"(defaults)":["a"]}"#;
        let noted = with_notes(Some(arguments), [("user", "7"), ("step", "\"one\""), ("user", "[8]")]).unwrap();
        let expected =
            r#"{"a":{"(set)":1},"(extra)":2,"(extra)":3,"(defaults)":["a"],"(set)":{"user":[8],"step":"one"}}"#;
        assert_eq!(noted, expected);
        let noted = with_notes(Some(&noted), [("step", "null"), ("last", "true")]).unwrap();
        assert!(noted.ends_with(r#","(set)":{"user":[8],"step":null,"last":true}}"#), "{noted}");
    }

    #[test]
    fn a_call_without_arguments_has_its_notes_alone() {
        assert_eq!(with_notes(None, [("a", "1")]).unwrap(), r#"{"(set)":{"a":1}}"#);
        assert_eq!(with_notes(Some("{}"), [("a", "1")]).unwrap(), r#"{"(set)":{"a":1}}"#);
        assert_eq!(with_notes(Some("[1]"), [("a", "1")]), None);
    }

    #[test]
    fn notes_are_bounded_and_those_that_find_no_room_are_counted() {
        let value = format!("\"{}\"", "x".repeat(1000));
        let names: Vec<String> = (0..100).map(|number| format!("n{number}")).collect();
        let notes = names.iter().map(|name| (name.as_str(), value.as_str()));
        let object = merge_notes(None, notes).unwrap();
        assert!(object.len() < MOST_BYTES + 100, "{}", object.len());
        assert!(object.ends_with(r#","...":"36 more"}"#), "{}", &object[object.len() - 40..]);
        let object = merge_notes(Some(&object), [("n0", "1"), ("n99", value.as_str()), ("n0", "2")]).unwrap();
        assert!(object.starts_with(r#"{"n0":2,"n1":"x"#), "{}", &object[..40]);
        assert!(object.contains(r#","n99":"x"#) && object.ends_with(r#","...":"36 more"}"#));
    }
}
