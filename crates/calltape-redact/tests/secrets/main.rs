//! Which secrets in text are found, where each ends, and what a cut leaves of them.

mod cuts;
mod samples;
mod survivors;

use calltape_redact::{Extent, Names, find, masked, may_hold_secret};
use samples::{Sample, samples};

fn mask(text: &str) -> String {
    masked(text, Extent::Whole, Names::defaults()).into_owned()
}

#[test]
fn every_sample_is_masked_and_nothing_else() {
    let mut wrong = Vec::new();
    for Sample { text, masked } in samples() {
        let got = mask(&text);
        if got != masked {
            wrong.push(format!("{text}\n    is    {got}\n    not   {masked}"));
        }
    }
    assert!(wrong.is_empty(), "{} samples:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_prefilter_lets_every_sample_pass() {
    for Sample { text, .. } in samples() {
        assert!(may_hold_secret(text.as_bytes()), "{text}");
        let longer = format!("the carrier said so on Monday {text}\nand the parcel came on Friday");
        if mask(&longer) != longer {
            assert!(may_hold_secret(longer.as_bytes()), "{longer}");
        }
    }
}

#[test]
fn samples_in_prose_are_masked_too() {
    for Sample { text, masked } in samples() {
        let in_prose = format!("Two lines of prose.\n{text}\nAnd a last line.");
        let got = mask(&in_prose);
        let open = masked.ends_with("***") && text.contains("-----BEGIN") && !text.contains("-----END");
        let expected = if open {
            format!("Two lines of prose.\n{masked}")
        } else {
            format!("Two lines of prose.\n{masked}\nAnd a last line.")
        };
        assert!(got == expected || samples::only_whole(&text), "{in_prose}\n--- is ---\n{got}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_looked_through() {
    let mut found = vec![0..1, 2..3];
    find(b"\xed\xa0\x80 password=\xff\xfe\xed\xb0\x80 end", Extent::Whole, Names::defaults(), &mut found);
    assert_eq!((found.len(), found[0].clone()), (1, 13..18));
}

#[test]
fn own_names_are_found_in_text() {
    let names = Names::with(&["badge", "-password"]).expect("good names");
    assert_eq!(
        masked("badge=1234 password=x staff badge: 77", Extent::Whole, &names),
        "badge=*** password=x staff badge: ***"
    );
}
