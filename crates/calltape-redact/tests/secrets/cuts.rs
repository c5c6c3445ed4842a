//! A text that is cut anywhere keeps no part of a secret.

use calltape_redact::{Extent, LOOKAHEAD, Names, find, masked, may_hold_secret};

use crate::samples::{Sample, samples};

/// Bytes of a secret that may be seen: its prefix says no more than its kind.
const SEEN: usize = 3;

/// The parts of a sample's text that are to be masked.
fn secrets(sample: &Sample) -> Vec<&str> {
    let mut rest = sample.text.as_str();
    let kept: Vec<&str> = sample.masked.split("***").collect();
    let mut secrets = Vec::new();
    for (number, part) in kept.iter().enumerate() {
        if number > 0 {
            let end = if part.is_empty() { rest.len() } else { rest.find(part).expect("the mask keeps it") };
            secrets.push(&rest[..end]);
            rest = &rest[end..];
        }
        rest = rest.strip_prefix(part).expect("the mask keeps it");
    }
    secrets
}

/// What of a secret is seen in a text; the lines of a block's dashes are none of it.
fn seen<'a>(text: &str, sample: &Sample, secret: &'a str) -> Option<&'a str> {
    let starts: Vec<usize> = secret.char_indices().map(|(at, _)| at).collect();
    starts.into_iter().find_map(|start| {
        let part = secret.get(start..start + SEEN + 1)?;
        let is_word = part.bytes().any(|byte| byte.is_ascii_alphanumeric());
        (is_word && text.contains(part) && !sample.masked.contains(part)).then_some(part)
    })
}

#[test]
fn a_text_cut_anywhere_keeps_no_half_of_a_secret() {
    let mut wrong = Vec::new();
    for sample in samples() {
        for cut in (0..=sample.text.len()).filter(|&cut| sample.text.is_char_boundary(cut)) {
            let kept = masked(&sample.text[..cut], Extent::Beginning, Names::defaults());
            if let Some(part) = secrets(&sample).into_iter().find_map(|secret| seen(&kept, &sample, secret)) {
                wrong.push(format!("{part:?} in {kept:?}"));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} samples:\n{}", wrong.len(), wrong.join("\n"));
}

/// As a caller does it: it reads so far ahead, masks, and then cuts.
#[test]
fn masked_with_what_follows_and_then_cut_it_is_as_masked_whole() {
    for sample in samples() {
        let text = format!("{} {} {}", "word ".repeat(30), sample.text, "and more words ".repeat(20));
        let whole = ranges(&text, Extent::Whole);
        for cut in (0..text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            let mut ahead = (cut + LOOKAHEAD).min(text.len());
            while !text.is_char_boundary(ahead) {
                ahead += 1;
            }
            let extent = if ahead == text.len() { Extent::Whole } else { Extent::Beginning };
            let kept = before(&ranges(&text[..ahead], extent), cut);
            assert_eq!(kept, before(&whole, cut), "cut at {cut}: {:?} of {text:?}", &text[..cut]);
        }
    }
}

fn ranges(text: &str, extent: Extent) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    if may_hold_secret(text.as_bytes()) {
        find(text.as_bytes(), extent, Names::defaults(), &mut found);
    }
    found
}

/// The parts of ranges that stand before a cut.
fn before(ranges: &[std::ops::Range<usize>], cut: usize) -> Vec<(usize, usize)> {
    ranges.iter().map(|range| (range.start, range.end.min(cut))).filter(|range| range.0 < range.1).collect()
}
