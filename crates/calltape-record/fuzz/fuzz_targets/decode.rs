//! Records whose bytes are hostile: what the drain reads from the journal of a process that may have died writing.
//!
//! The risk: a panic or an endless walk in the drain, bytes read beyond the record, or text in the database that is no
//! JSON. Run with `cargo +nightly fuzz run decode -- -max_total_time=60`.

#![no_main]

use calltape_record::value::{items, members, render_json};
use calltape_record::{
    EndEvent, FunctionDef, NOTES_MEMBER, NoteEvent, Outcome, StartEvent, ThreadEvent, merge_notes, with_notes,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// JSON is no longer than this many bytes for each byte of a record: an escaped byte of a `bytes` takes the most.
const MOST_GROWTH: usize = 32;

/// The value as JSON, when it is one.
fn rendered(bytes: &[u8]) -> Option<String> {
    let mut json = String::new();
    render_json(bytes, &mut json).ok()?;
    check(&json, bytes);
    Some(json)
}

/// Every text that is rendered is JSON, and no longer than its bytes allow. JSON from a reader with a depth of its own.
fn check(json: &str, bytes: &[u8]) {
    assert!(json.len() <= bytes.len() * MOST_GROWTH + MOST_GROWTH, "{} of {}", json.len(), bytes.len());
    if let Err(error) = serde_json::from_str::<Value>(&without_surrogates(json)) {
        panic!("{error}: {json}");
    }
}

/// A text may hold lone surrogates, whose escapes are JSON; the reader here has no place for them in its strings.
fn without_surrogates(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let is_surrogate =
            escape.as_bytes().get(2) == Some(&b'd') && matches!(escape.as_bytes().get(3), Some(b'8'..=b'f'));
        let length = match escape.as_bytes().get(1) {
            Some(b'u') => 6,
            _ => 2,
        };
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        text.push_str(if length == 6 && is_surrogate { "?" } else { escape });
        rest = after;
    }
    text.push_str(rest);
    text
}

fuzz_target!(|data: &[u8]| {
    let value = rendered(data);
    if let Some(value) = &value {
        // What is taken apart again is made of the same text.
        members(value);
        items(value);
    }
    let parameters = ["a".to_owned(), "b\"\\\u{1}".to_owned()];
    if let Ok(start) = StartEvent::decode(data) {
        let mut json = String::new();
        if start.render_arguments(&parameters, bytes.len() % 2 == 0, &mut json) == Ok(true) {
            check(&json, &[data, parameters.concat().as_bytes()].concat());
            let noted = with_notes(Some(&json), [("note", "[1]")]).expect("arguments are an object");
            assert!(noted.contains(NOTES_MEMBER));
            check(&noted, data);
        }
    }
    if let Ok(end) = EndEvent::decode(data) {
        match end.outcome {
            Outcome::Value(value) => rendered(value),
            Outcome::Failure(failure) => rendered(failure.chain),
        };
    }
    if let Ok(note) = NoteEvent::decode(data) {
        let mut name = String::new();
        note.render_name(&mut name);
        if let Some(value) = rendered(note.value) {
            let notes = merge_notes(None, [(name.as_str(), value.as_str())]).expect("notes are an object");
            check(&notes, data);
        }
    }
    let _ = (FunctionDef::decode(data), ThreadEvent::decode(data));
});
