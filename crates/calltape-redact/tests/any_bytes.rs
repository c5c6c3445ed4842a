//! Whatever the text: ranges are sorted, disjoint and within it, the prefilter misses nothing, and time is linear.

use calltape_redact::{Extent, LOOKAHEAD, Names, find, masked, may_hold_secret};
use proptest::prelude::*;

/// Pieces that secrets and what surrounds them are made of.
const PIECES: &[&str] = &[
    "password",
    "token",
    "Cookie",
    "author",
    "user",
    "key",
    "--",
    "-",
    "_",
    ".",
    "=",
    ":",
    "==",
    ":=",
    "=>",
    "::",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\\n",
    "\\",
    "\"",
    "'",
    "`",
    "\\\"",
    "\"\"\"",
    "b'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "</",
    ",",
    ";",
    "&",
    "?",
    "/",
    "://",
    "http://",
    "a:b@",
    "@",
    "%",
    "$",
    "Bearer ",
    "Basic ",
    "dXNlcjpwYXNz",
    "eyJ",
    "eyJhbGciOiJI",
    "ghp_",
    "sk-",
    "xoxb-",
    "AKIA",
    "-----BEGIN ",
    "-----END ",
    "-----",
    "PRIVATE KEY",
    "4111",
    "4111111111111111",
    "1111 ",
    "123",
    "0123456789abcdef",
    "Zx9",
    "é",
    "пароль",
    "\u{1f600}",
    "None",
    "str",
    "|",
    ": |\n  ",
    "name",
    "value",
    "password '",
    "IDENTIFIED BY '",
    "<password>",
    "<![CDATA[",
    "]]>",
    "<token a=\"",
    ":\n  - ",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn check(text: &[u8], extent: Extent) -> Result<(), TestCaseError> {
    let mut found = Vec::new();
    find(text, extent, Names::defaults(), &mut found);
    for range in &found {
        prop_assert!(range.start < range.end && range.end <= text.len(), "{range:?} of {}", text.len());
    }
    for pair in found.windows(2) {
        prop_assert!(pair[0].end < pair[1].start, "{pair:?}");
    }
    if extent == Extent::Whole && !may_hold_secret(text) {
        prop_assert_eq!(found, Vec::new());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn ranges_of_text_are_sorted_disjoint_and_within_it(text in text()) {
        check(text.as_bytes(), Extent::Whole)?;
        check(text.as_bytes(), Extent::Beginning)?;
        for extent in [Extent::Whole, Extent::Beginning] {
            let _ = masked(&text, extent, Names::defaults());
        }
    }

    #[test]
    fn ranges_of_bytes_are_sorted_disjoint_and_within_them(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes, Extent::Whole)?;
        check(&bytes, Extent::Beginning)?;
    }

    /// What is found where the text goes on is found in the whole text, up to where the text may still change its
    /// meaning.
    #[test]
    fn a_window_hides_what_the_whole_text_hides(text in text(), cut in 0..200_usize) {
        let cut = cut.min(text.len());
        let (mut whole, mut window) = (Vec::new(), Vec::new());
        let ahead = (cut + LOOKAHEAD).min(text.len());
        find(text.as_bytes(), Extent::Whole, Names::defaults(), &mut whole);
        let extent = if ahead < text.len() { Extent::Beginning } else { Extent::Whole };
        find(&text.as_bytes()[..ahead], extent, Names::defaults(), &mut window);
        for at in whole.into_iter().flatten().filter(|&at| at < cut) {
            prop_assert!(window.iter().any(|range| range.contains(&at)), "byte {at} of {text:?}, cut at {cut}");
        }
    }

    #[test]
    fn any_name_gets_an_answer(name in prop::collection::vec(any::<u8>(), 0..300), entries in prop::collection::vec("[-*a-zé9_ ]{0,12}", 0..4)) {
        let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
        if let Ok(names) = Names::with(&entries) {
            names.is_sensitive(&name);
        }
    }

    #[test]
    fn an_added_name_is_known_in_any_case(name in "[a-z]{3,12}", before in "[a-z]{0,5}", number in "[0-9]{0,2}") {
        let names = Names::with(&[&name]).expect("a good name");
        let upper = name.to_uppercase();
        for longer in [upper.clone(), format!("{before}_{name}{number}"), format!("{before}-{upper}_{number}")] {
            prop_assert!(names.is_sensitive(longer.as_bytes()), "{} in {}", name, longer);
        }
    }
}

/// What makes a matcher that goes back over a text, or looks ahead for what never comes, take a day for a mebibyte.
#[test]
fn a_mebibyte_of_anything_takes_linear_time() {
    // Code that is not optimised is given less: it is as far from a day.
    let bytes = if cfg!(debug_assertions) { 1 << 16 } else { 1 << 20 };
    let units = [
        "a",
        "-",
        "=",
        ":",
        ",",
        "\"",
        "'",
        "\\",
        "\\\"",
        "(",
        "[",
        "{",
        "password=",
        "password=a ",
        "password=\"",
        "password='a\" ",
        "password: a, ",
        "password=(",
        "password={a:",
        "\npassword: ",
        "\npassword=a",
        "token,",
        "(\"token\", \"",
        "('token', \"\\",
        "(\\\"token\\\", \\\"",
        "--password ",
        "--password=",
        "--a",
        "://",
        "a://",
        "a://b:c/",
        "a://b:c",
        "a://b@",
        "http://a:b/x ",
        "eyJ",
        "eyJ-",
        "eyJaaaaaaaaaaaa.",
        "eyJaaaaaaaaaaaa.a ",
        ".eyJaaaaaaaaaaaa",
        "sk-",
        "sk-a-",
        "sk-aaaaaaaaaaaaaaaaaaaaaaaa-",
        "ghp_",
        "xoxb-",
        "AKIA",
        "-----BEGIN ",
        "BEGIN ",
        "---- BEGIN",
        "-----BEGIN A-----",
        "4111 ",
        "4111-",
        "4111 1111 1111 1112 ",
        "4",
        "4111111111111112 ",
        "Bearer ",
        "Basic dXNlcjpwYXNz ",
        "token aaaaaaaaaaaaaaaa ",
        "token aaaaaaaaaaaaaaaa1 ",
        "12345678:AA",
        "12345678:",
        "password == ",
        "password: str = ",
        "password: str ",
        "a&password=b&",
        "a;b;c=",
        "password=a,a,a,",
        "=\\n",
        "é=",
        "b'",
        "password=\"\"\" ",
        "&",
        "password=&&&",
        "cookie:a=b;",
        "'cookie: a",
        "_",
        "password_",
        " ",
        "\t=",
        "password   =",
        "x] = ",
        "password: |\n",
        "password: |\\n",
        "password: |\n ",
        "password:\n\n",
        "token:\n",
        "token: !a ",
        "<",
        "<token",
        "<token>",
        "<token>a",
        "<token><![CDATA[",
        "<token a='",
        "password '",
        "password ''",
        "password '\\",
        "password '''",
        "identified by '",
        "identified by ",
        "name=\"",
        "name=password ",
        "name=password value=",
        "name=\"password\";",
        "name=\"password\"\n",
        "name=\"password\"\n\n",
        "value=",
    ];
    let mut found = Vec::new();
    for unit in units {
        let text = unit.repeat(bytes / unit.len());
        for extent in [Extent::Whole, Extent::Beginning] {
            may_hold_secret(text.as_bytes());
            find(text.as_bytes(), extent, Names::defaults(), &mut found);
        }
        assert!(!Names::defaults().is_sensitive(format!("{text}x").as_bytes()), "{unit}");
    }
}
