//! Entries of a list as they are written in a setting, and how names and entries are folded to be compared.

use std::collections::BTreeMap;
use std::fmt;

use super::list;
use super::tree::Rule;

/// Bytes of an entry; a longer one is a mistake, a whole setting in one entry for example.
const LONGEST_ENTRY: usize = 64;

/// An entry that is no name: what it was, and why it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName {
    entry: String,
    reason: &'static str,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no name of a sensitive field: {}", self.entry, self.reason)
    }
}

impl std::error::Error for BadName {}

/// A part of a folded name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    text: Vec<u8>,
    only_at_start: bool,
}

impl Part {
    pub(super) fn is_in(&self, folded: &[u8]) -> bool {
        if self.only_at_start {
            folded.starts_with(&self.text)
        } else {
            memchr::memmem::find(folded, &self.text).is_some()
        }
    }
}

/// A list while it is put together.
pub(super) struct Entries {
    pub(super) rules: BTreeMap<Vec<u8>, Rule>,
    pub(super) parts: Vec<Part>,
}

impl Entries {
    pub(super) fn defaults() -> Entries {
        let mut rules = BTreeMap::new();
        let lists = [
            (Rule::ALONE, list::ALONE),
            (Rule::LAST, list::LAST),
            (Rule::ANY, list::ANY),
            (Rule::EXEMPT, list::EXEMPT),
        ];
        for (rule, words) in lists {
            for word in words.split_ascii_whitespace() {
                add(&mut rules, word.as_bytes().to_vec(), rule);
            }
        }
        Entries { rules, parts: Vec::new() }
    }

    /// Applies one entry of a setting.
    pub(super) fn apply(&mut self, entry: &str) -> Result<(), BadName> {
        let refused = |reason| Err(BadName { entry: entry.to_owned(), reason });
        let entry = entry.trim();
        if entry.len() > LONGEST_ENTRY {
            return refused("it is longer than 64 bytes");
        }
        if entry.contains([',', ';', '\n']) {
            return refused(
                "it looks like several; give each as an entry of its own, in a text with commas between them",
            );
        }
        if entry == "-*" {
            self.rules.clear();
            self.parts.clear();
            return Ok(());
        }
        let removed = entry.strip_prefix('-');
        let pattern = removed.unwrap_or(entry);
        let open_start = pattern.starts_with('*');
        let open_end = pattern.len() > 1 && pattern.ends_with('*');
        let word = pattern.strip_prefix('*').unwrap_or(pattern);
        let word = word.strip_suffix('*').unwrap_or(word);
        if word.contains('*') {
            return refused("'*' may stand at its beginning and its end only");
        }
        let folded = folded(word.as_bytes());
        if folded.is_empty() {
            return refused("it has no letter and no digit");
        }
        match (removed.is_some(), open_end) {
            (false, false) => add(&mut self.rules, folded, if open_start { Rule::ANY } else { Rule::LAST }),
            (false, true) => self.parts.push(Part { text: folded, only_at_start: !open_start }),
            (true, _) => self.remove(folded, open_start, open_end),
        }
        Ok(())
    }

    /// `-token` removes one entry and exempts the name; `-*token*` removes every entry it would match.
    fn remove(&mut self, folded: Vec<u8>, open_start: bool, open_end: bool) {
        if !open_start && !open_end {
            self.rules.insert(folded, Rule::EXEMPT);
            return;
        }
        let matches = |entry: &[u8]| match (open_start, open_end) {
            (true, false) => entry.ends_with(&folded),
            (false, true) => entry.starts_with(&folded),
            _ => memchr::memmem::find(entry, &folded).is_some(),
        };
        self.rules.retain(|entry, _| !matches(entry));
        self.parts.retain(|part| !matches(&part.text));
    }
}

/// A name that is added is no longer exempt.
fn add(rules: &mut BTreeMap<Vec<u8>, Rule>, folded: Vec<u8>, rule: Rule) {
    let known = rules.entry(folded).or_default();
    *known = if known.has(Rule::EXEMPT) { rule } else { known.and(rule) };
}

/// The name in small letters without separators.
pub(super) fn folded(name: &[u8]) -> Vec<u8> {
    let mut folded = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        let letters = chunk.valid().chars().filter(|letter| !letter.is_ascii() || letter.is_ascii_alphanumeric());
        for small in letters.flat_map(char::to_lowercase) {
            folded.extend_from_slice(small.encode_utf8(&mut [0; 4]).as_bytes());
        }
        folded.extend_from_slice(chunk.invalid());
    }
    folded
}

/// The name in small letters, its words apart: `éclairToken` is `éclair_token`.
pub(super) fn lower_words(name: &[u8]) -> Vec<u8> {
    let mut words = Vec::with_capacity(name.len() + 8);
    for chunk in name.utf8_chunks() {
        let mut letters = chunk.valid().chars().peekable();
        let mut before = '_';
        while let Some(letter) = letters.next() {
            let next_is_small = letters.peek().is_some_and(|next| next.is_lowercase());
            if letter.is_uppercase() && (before.is_lowercase() || before.is_uppercase() && next_is_small) {
                words.push(b'_');
            }
            for small in letter.to_lowercase() {
                words.extend_from_slice(small.encode_utf8(&mut [0; 4]).as_bytes());
            }
            before = letter;
        }
        words.extend_from_slice(chunk.invalid());
    }
    words
}
