//! What each kind of captured value reads like, and that hostile bytes are refused.

use super::*;
use crate::value::ValueWriter as W;
use proptest::prelude::*;

fn rendered(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    let mut json = String::new();
    render_json(&out, &mut json).unwrap();
    let _: serde_json::Value = serde_json::from_str(&json.replace("\\ud800", "?")).expect("valid JSON");
    json
}

#[test]
fn scalars_read_as_json_scalars() {
    assert_eq!(rendered(W::none), "null");
    assert_eq!(rendered(|o| W::bool(o, true)), "true");
    for number in [0, 127, 128, -1, i64::MAX, i64::MIN] {
        assert_eq!(rendered(|o| W::int(o, number)), number.to_string());
    }
    assert_eq!(rendered(|o| W::digits(o, b"-123456789012345678901234567890")), "-123456789012345678901234567890");
    assert_eq!(rendered(|o| W::float(o, 0.1)), "0.1");
    assert_eq!(rendered(|o| W::float(o, 1e22)), "1e22");
    assert_eq!(rendered(|o| W::float(o, f64::NAN)), "\"nan\"");
    assert_eq!(rendered(|o| W::float(o, f64::NEG_INFINITY)), "\"-inf\"");
}

#[test]
fn text_is_escaped_and_keeps_lone_surrogates() {
    assert_eq!(rendered(|o| W::text(o, "a\"b\\\n\u{1}é".as_bytes())), r#""a\"b\\\n\u0001é""#);
    assert_eq!(rendered(|o| W::text(o, &[b'x', 0xed, 0xa0, 0x80, b'y'])), r#""x\ud800y""#);
    assert_eq!(rendered(|o| W::bytes(o, b"a'\\\x00\"")), r#""b'a\\'\\\\\\x00\"'""#);
}

#[test]
fn what_was_cut_says_so_with_its_real_size() {
    assert_eq!(rendered(|o| W::text_cut(o, 1_048_576, b"abc")), r#""abc... [1048576 chars]""#);
    assert_eq!(rendered(|o| W::bytes_cut(o, 70_000, b"abc")), r#""b'abc'... [70000 bytes]""#);
    assert_eq!(rendered(|o| W::marker(o, b"list with 10000000 items")), r#""[list with 10000000 items]""#);
    assert_eq!(rendered(W::masked), r#""***""#);
}

#[test]
fn object_keys_of_any_kind_become_text() {
    let text = rendered(|o| {
        W::object(o);
        for key in 0..4 {
            match key {
                0 => W::int(o, 7),
                1 => W::none(o),
                2 => W::text(o, b"k"),
                _ => {
                    W::list(o);
                    W::int(o, 1);
                    W::text(o, b"x");
                    W::end(o);
                }
            }
            W::int(o, key);
        }
        W::more(o, 5);
        W::end(o);
    });
    assert_eq!(text, r#"{"7":0,"None":1,"k":2,"[1,\"x\"]":3,"...":"5 more"}"#);
}

#[test]
fn bytes_that_nest_too_deep_are_refused() {
    let deep = vec![tag::LIST; 100_000];
    assert_eq!(render_json(&deep, &mut String::new()), Err(DecodeError::Depth));
}

proptest! {
    #[test]
    fn any_bytes_render_as_json_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut json = String::new();
        if render_json(&bytes, &mut json).is_ok() && !json.contains("\\ud") {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok() || json.contains("\"...\""), "{}", json);
        }
    }
}
