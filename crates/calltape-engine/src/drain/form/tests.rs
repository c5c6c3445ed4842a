use super::{CUT, FORM_BYTES, message_form};
use proptest::prelude::*;

#[test]
fn what_differs_from_call_to_call_gives_way_to_placeholders() {
    for (message, form) in [
        ("order 18 not paid", "order <n> not paid"),
        ("took 1.5e-3 s, -7 of 1,000 left", "took <n> s, <n> of <n> left"),
        ("user42 and user_43", "user<n> and user_<n>"),
        ("'NoneType' object has no attribute \"price\"", "<text> object has no attribute <text>"),
        ("can't parse b'\\x00' or it's a `name`", "can't parse <text> or it's a <text>"),
        ("an 'open quote", "an 'open quote"),
        ("request 0b1f6c2e-9d3a-4b57-8c11-2f5e6a7b8c9d failed", "request <id> failed"),
        ("commit 6871bb84 of req_8fKx92LmQ", "commit <id> of req_<id>"),
        ("deadbeef utf8 int64 python313", "deadbeef utf<n> int<n> python<n>"),
        ("<Cart object at 0x7f3a12bc>", "<Cart object at <address>>"),
        ("connect to 10.0.0.12:5432 or [fe80::1]", "connect to <address> or [<address>]"),
        ("at 12:34:56 mac 00:1a:2b:3c:4d:5e", "at <n>:<n>:<n> mac <address>"),
        ("no mail to ann.b+x@example.com.", "no mail to <address>"),
        ("GET https://shop.example/orders?id=18 failed", "GET <address> failed"),
        ("no file /srv/shop/orders.csv: denied", "no file <path>: denied"),
        ("./a and ../b/c and ~/x and data/may.csv", "<path> and <path> and <path> and <path>"),
        ("C:\\data\\may.csv is gone", "<path> is gone"),
        ("read/write of application/json and/or 3/4", "read/write of application/json and/or <n>/<n>"),
        ("two\n\n lines\t here ", "two lines here"),
        ("", ""),
    ] {
        assert_eq!(message_form(message), form, "{message}");
    }
}

#[test]
fn a_long_message_is_cut_and_says_so() {
    let form = message_form(&"ä word ".repeat(1_000));
    assert!(form.len() <= FORM_BYTES && form.ends_with(CUT), "{form}");
    let digits = message_form(&"7".repeat(1_000_000));
    assert_eq!(digits, "<n>…");
}

/// Texts of what the rules look at, so that they meet in every order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "x9",
        "7",
        "1.5",
        "-",
        "+",
        "/",
        "\\",
        ":",
        "://",
        ".",
        "..",
        "~",
        "@",
        "_",
        "'",
        "\"",
        "`",
        "b'",
        "<",
        ">",
        "<n>",
        "<text>",
        "…",
        " ",
        "é",
        "½",
        "0x1f",
        "C:",
        "c",
        "e",
        "deadbeef",
        "a1b2c3d4",
        "10.0.0.1",
        "fe80::1",
        "z.com",
        "=",
        "(",
        ",",
        "0b1f6c2e-9d3a-4b57-8c11-2f5e6a7b8c9d",
    ]);
    prop::collection::vec(piece, 0..90).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_forms_form_is_itself(message in pieces()) {
        let form = message_form(&message);
        prop_assert_eq!(message_form(&form), form);
    }

    #[test]
    fn any_text_has_a_form_of_bounded_length(bytes in prop::collection::vec(any::<u8>(), 0..3_000)) {
        let form = message_form(&String::from_utf8_lossy(&bytes));
        prop_assert!(form.len() <= FORM_BYTES);
        prop_assert_eq!(message_form(&form), form);
    }

    #[test]
    fn messages_that_differ_only_in_numbers_and_ids_have_one_form(
        words in prop::collection::vec("[a-z]{1,6}", 2..6),
        one in (0u64.., "[0-9a-f]{7}[0-9]", "[a-z ]{0,12}", any::<u128>()),
        two in (0u64.., "[0-9a-f]{7}[0-9]", "[a-z ]{0,12}", any::<u128>()),
    ) {
        let message = |(number, hex, text, uuid): &(u64, String, String, u128)| {
            let uuid = format!("{uuid:032x}");
            // Of the fourth version, as Python's uuid4 makes them.
            let uuid = [&uuid[..8], &uuid[8..12], &format!("4{}", &uuid[13..16]), &uuid[16..20], &uuid[20..]].join("-");
            // An id of digits alone is a number: a letter keeps it from that.
            format!("{} {number} a{hex} '{text}' {uuid} at /var/{hex}/{number}", words.join(" "))
        };
        prop_assert_eq!(message_form(&message(&one)), message_form(&message(&two)));
    }
}
