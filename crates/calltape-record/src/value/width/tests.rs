//! What a value is said to take is what it takes once rendered.

use super::*;
use crate::value::{ValueWriter as W, render_json};
use proptest::prelude::*;

fn rendered(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let (mut out, mut json) = (Vec::new(), String::new());
    write(&mut out);
    render_json(&out, &mut json).unwrap();
    json
}

/// Text as a Python str may hold it: any characters, lone surrogates in between.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<char>().prop_map(|letter| letter.to_string().into_bytes()),
        "[ -~]{1,9}".prop_map(String::into_bytes),
        (0xa0..0xc0u8, 0x80..0xc0u8).prop_map(|(second, third)| vec![0xed, second, third]),
        proptest::sample::select(vec!['"', '\\', '\n', '\0', '\u{7f}', '\u{d7ff}'])
            .prop_map(|c| c.to_string().into_bytes()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn notes_take_what_they_say() {
    for count in [0, 1, 9, 10, 99, 100, 12_345, usize::MAX] {
        let list = rendered(|out| {
            W::list(out);
            W::more(out, count);
            W::end(out);
        });
        assert_eq!(list.len(), 2 + Width::more_items(count), "{list}");
        let object = rendered(|out| {
            W::object(out);
            W::more(out, count);
            W::end(out);
        });
        assert_eq!(object.len(), 2 + Width::more_pairs(count), "{object}");
        assert_eq!(rendered(|out| W::text_cut(out, count, b"")).len(), Width::QUOTES + Width::cut(count));
        assert_eq!(rendered(|out| W::bytes_cut(out, count, b"")).len(), Width::BYTES + Width::cut(count));
    }
    assert_eq!(rendered(|out| W::marker(out, b"x")).len(), Width::MARKER + 1);
    assert_eq!(rendered(W::masked).len(), Width::MASKED);
    assert_eq!(rendered(|out| W::text(out, b"...")).len(), Width::DOTS);
}

#[test]
fn floats_of_every_form() {
    let usual =
        [0.0, -0.0, 0.1, 0.5, 1.0, -2.5, 9.99, 99.995, 1e15, 1e16, 1e22, 123_456_789_012_345.6, 1e-4, 1e-5, 0.3];
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1 + 0.2, -1e-300];
    for value in usual.into_iter().chain(odd) {
        assert_eq!(Width::float(value), rendered(|out| W::float(out, value)).len(), "{value:?}");
    }
}

#[test]
fn keys_of_every_kind() {
    let keys: [fn(&mut Vec<u8>); 7] = [
        |out| W::none(out),
        |out| W::int(out, -129),
        |out| W::float(out, 1.5),
        |out| W::float(out, f64::NAN),
        |out| W::text(out, b"a\"b"),
        |out| W::bytes(out, b"a\"b"),
        |out| {
            W::list(out);
            W::text(out, b"a\"b");
            W::end(out);
        },
    ];
    for write in keys {
        let mut key = Vec::new();
        write(&mut key);
        let object = rendered(|out| {
            W::object(out);
            write(out);
            W::none(out);
            W::end(out);
        });
        assert_eq!(Width::key(&key), Some(object.len() - "{:null}".len()), "{object}");
    }
    assert_eq!(Width::key(&[]), None);
}

#[test]
fn every_byte_is_seen_wherever_it_stands() {
    for length in 1..80 {
        for at in 0..length {
            for odd in 0..=0x7f {
                let mut text = vec![b'a'; length];
                text[at] = odd;
                let expected = rendered(|out| W::text(out, &text)).len() - Width::QUOTES;
                assert_eq!(Width::text(&text), expected, "{odd:#x} at {at} of {length}");
            }
        }
    }
}

proptest! {
    #[test]
    fn numbers_take_what_they_are_said_to(int in any::<i64>(), bits in any::<u64>(), cents in -1_000_000_000i64..1_000_000_000) {
        prop_assert_eq!(Width::int(int), rendered(|out| W::int(out, int)).len());
        for float in [f64::from_bits(bits), cents as f64 / 100.0, cents as f64 / 10_000.0, cents as f64 / 3.0] {
            prop_assert_eq!(Width::float(float), rendered(|out| W::float(out, float)).len(), "{:?}", float);
        }
    }

    #[test]
    fn text_takes_what_it_is_said_to_and_as_much_as_fits_is_found(text in any_text(), room in 0..80usize) {
        prop_assert_eq!(Width::text(&text) + Width::QUOTES, rendered(|out| W::text(out, &text)).len());
        let (kept, width) = Width::text_fitting(&text, room);
        prop_assert_eq!(Width::text(&text[..kept]), width);
        prop_assert!(width <= room);
        if kept < text.len() {
            let next = (kept + 1..=text.len()).find(|&at| text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)).unwrap();
            prop_assert!(Width::text(&text[..next]) > room, "one character more would fit");
        }
    }

    #[test]
    fn bytes_take_what_they_are_said_to(bytes in proptest::collection::vec(any::<u8>(), 0..60), room in 0..80usize) {
        prop_assert_eq!(Width::bytes(&bytes) + Width::BYTES, rendered(|out| W::bytes(out, &bytes)).len());
        let (kept, width) = Width::bytes_fitting(&bytes, room);
        prop_assert_eq!(Width::bytes(&bytes[..kept]), width);
        prop_assert!(width <= room);
        prop_assert!(kept == bytes.len() || Width::bytes(&bytes[..=kept]) > room);
    }
}
