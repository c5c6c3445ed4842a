//! Lost errors: exceptions for which the journal had no room, counted by kind.
//!
//! `journal.rs` counts, `run.rs` reads; the table stands in the control file, made with the run, so that it needs no room
//! when there is none. A kind is a function, a type and a place; beyond 1,024 kinds there is one entry for all others.
//! Never refuses and never grows.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;

use crate::clock;
use crate::control::Control;
use crate::layout::control::{LOST_COUNT, LOST_ERRORS};
use crate::layout::{MAXIMUM_SLOTS, lost_error as at};
use crate::mapping::Mapping;

/// The entry for all kinds beyond the last.
const OTHERS: usize = 0;

/// Errors of one kind that there was no room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostError {
    /// The kind's place in the run's table; 0 stands for all kinds beyond the last.
    pub number: u32,
    /// The function's slot.
    pub slot: u32,
    /// The exception's type, cut at its end to 128 bytes.
    pub error_type: String,
    /// The file that raised it, cut at its beginning to 208 bytes.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// The function that raised it, cut at its end to 128 bytes.
    pub place: String,
    /// How many.
    pub calls: u64,
    /// When the first was counted, Unix ns.
    pub first_unix_ns: i64,
    /// When the last was counted, Unix ns.
    pub last_unix_ns: i64,
}

/// What tells an error from others, before it is cut.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) struct Kind<'a> {
    pub(crate) slot: u32,
    pub(crate) error_type: &'a str,
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) place: &'a str,
}

impl Kind<'_> {
    const OTHERS: Kind<'static> = Kind { slot: 0, error_type: "(other)", file: "", line: 0, place: "" };

    /// The same in every process of one build; only its owner compares it.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// One entry of the table.
struct Entry<'a> {
    mapping: &'a Mapping,
    offset: usize,
}

impl<'a> Entry<'a> {
    /// The entry of a number; None beyond the end of a file that has no such table, or not all of it.
    fn of(control: &'a Control, number: usize) -> Option<Entry<'a>> {
        let (mapping, offset) = (control.mapping(), LOST_ERRORS + number * at::BYTES);
        (number < at::ENTRIES && offset + at::BYTES <= mapping.bytes()).then_some(Entry { mapping, offset })
    }

    fn word(&self, at: usize) -> &std::sync::atomic::AtomicU64 {
        self.mapping.word(self.offset + at)
    }

    fn load(&self, at: usize) -> u64 {
        self.word(at).load(Ordering::Relaxed)
    }

    fn put(&self, at: usize, value: u64) {
        self.word(at).store(value, Ordering::Relaxed);
    }

    fn calls(&self) -> u64 {
        // Partner: the store in `count`. Who sees a call sees what it was.
        self.word(at::CALLS).load(Ordering::Acquire)
    }

    fn count(&self, now_unix_ns: i64) {
        self.put(at::LAST, now_unix_ns as u64);
        let calls = self.load(at::CALLS).wrapping_add(1);
        // Partner: the load in `calls`.
        self.word(at::CALLS).store(calls, Ordering::Release);
    }

    /// Fills an entry that nobody sees before it is counted.
    fn fill(&self, kind: &Kind<'_>, now_unix_ns: i64) {
        let texts = [
            (at::TYPE, cut_end(kind.error_type, at::TYPE.1)),
            (at::FILE, cut_beginning(kind.file, at::FILE.1)),
            (at::PLACE, cut_end(kind.place, at::PLACE.1)),
        ];
        let mut lengths = 0;
        for (number, ((offset, _), text)) in texts.into_iter().enumerate() {
            self.mapping.copy_in(self.offset + offset, text.as_bytes());
            lengths |= (text.len() as u64) << (16 * number);
        }
        self.put(at::LENGTHS, lengths);
        self.put(at::HASH, kind.fingerprint());
        self.put(at::SLOT_AND_LINE, u64::from(kind.slot) | (u64::from(kind.line) << 32));
        self.put(at::FIRST, now_unix_ns as u64);
    }

    fn text(&self, (offset, most): (usize, usize), length: u64) -> String {
        let mut bytes = vec![0; most.min((length & 0xffff) as usize)];
        self.mapping.copy_out(self.offset + offset, &mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn read(&self, number: u32) -> Option<LostError> {
        let calls = self.calls();
        if calls == 0 {
            return None;
        }
        let (slot_and_line, lengths) = (self.load(at::SLOT_AND_LINE), self.load(at::LENGTHS));
        Some(LostError {
            number,
            slot: Some(slot_and_line as u32).filter(|slot| *slot < MAXIMUM_SLOTS).unwrap_or(0),
            error_type: self.text(at::TYPE, lengths),
            file: self.text(at::FILE, lengths >> 16),
            line: (slot_and_line >> 32) as u32,
            place: self.text(at::PLACE, lengths >> 32),
            calls,
            first_unix_ns: self.load(at::FIRST) as i64,
            last_unix_ns: self.load(at::LAST) as i64,
        })
    }
}

/// Counts an error. The caller serialises the threads of its process.
pub(crate) fn count(control: &Control, kind: &Kind<'_>) {
    count_kind(control, kind);
    let all = control.mapping().word(LOST_COUNT);
    // Partner: the load in `count_of_all`. Who sees it counted finds it among its kind.
    all.store(all.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
}

/// Errors counted, of all kinds.
pub(crate) fn count_of_all(control: &Control) -> u64 {
    // Partner: the store in `count`.
    control.mapping().word(LOST_COUNT).load(Ordering::Acquire)
}

fn count_kind(control: &Control, kind: &Kind<'_>) {
    let now = clock::unix_ns();
    let fingerprint = kind.fingerprint();
    let kinds = at::ENTRIES - 1;
    let first = (fingerprint % kinds as u64) as usize;
    for step in 0..kinds {
        let Some(entry) = Entry::of(control, 1 + (first + step) % kinds) else { return };
        if entry.calls() == 0 {
            entry.fill(kind, now);
            return entry.count(now);
        }
        if entry.load(at::HASH) == fingerprint {
            return entry.count(now);
        }
    }
    let Some(entry) = Entry::of(control, OTHERS) else { return };
    if entry.calls() == 0 {
        entry.fill(&Kind::OTHERS, now);
    }
    entry.count(now);
}

/// All kinds that were counted, by number.
pub(crate) fn read(control: &Control) -> Vec<LostError> {
    (0..at::ENTRIES).filter_map(|number| Entry::of(control, number)?.read(number as u32)).collect()
}

/// The longest part from the start that has at most `most` bytes.
fn cut_end(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// The longest part at the end that has at most `most` bytes: of a path, the part that tells.
fn cut_beginning(text: &str, most: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(most))..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::RunIdentity;
    use crate::segment::Geometry;

    fn control(folder: &tempfile::TempDir) -> Control {
        let path = folder.path().join("control");
        let file = crate::directory::create_file(&path).expect("a file");
        let geometry = Geometry { segment_bytes: 1024, chunk_segments: 2 };
        Control::create(&file, &path, 7, geometry, &RunIdentity::default()).expect("a control file")
    }

    #[test]
    fn errors_of_one_kind_are_counted_together_and_others_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let control = control(&folder);
        let kind = Kind { slot: 3, error_type: "KeyError", file: "shop.py", line: 20, place: "place" };
        count(&control, &kind);
        count(&control, &kind);
        count(&control, &Kind { line: 21, ..kind });
        let mut lost = read(&control);
        lost.sort_by_key(|lost| lost.line);
        let seen: Vec<_> = lost.iter().map(|lost| (lost.slot, lost.line, lost.calls)).collect();
        assert_eq!(seen, [(3, 20, 2), (3, 21, 1)]);
        assert_eq!(
            (lost[0].error_type.as_str(), lost[0].file.as_str(), lost[0].place.as_str()),
            ("KeyError", "shop.py", "place")
        );
        assert!(lost[0].first_unix_ns <= lost[0].last_unix_ns && lost[0].first_unix_ns > 0);
    }

    #[test]
    fn beyond_the_last_kind_all_others_are_counted_as_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let control = control(&folder);
        for line in 0..1100 {
            for _ in 0..2 {
                count(&control, &Kind { slot: 3, error_type: "E", file: "f", line, place: "p" });
            }
        }
        let lost = read(&control);
        assert_eq!(lost.len(), 1025);
        assert_eq!((lost[0].error_type.as_str(), lost[0].slot, lost[0].calls), ("(other)", 0, 2 * 76));
        assert_eq!(lost.iter().map(|lost| lost.calls).sum::<u64>(), 2 * 1100);
    }

    #[test]
    fn long_names_are_cut_between_characters_and_a_path_keeps_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let control = control(&folder);
        let (error_type, file, place) = ("é".repeat(100), format!("x{}/end.py", "é".repeat(150)), "p".repeat(300));
        let kind = Kind { slot: 1, error_type: &error_type, file: &file, line: u32::MAX, place: &place };
        count(&control, &kind);
        count(&control, &kind);
        let lost = read(&control);
        assert_eq!(lost.len(), 1);
        assert_eq!((lost[0].error_type.as_str(), lost[0].line), ("é".repeat(64).as_str(), u32::MAX));
        assert_eq!(lost[0].file, format!("{}/end.py", "é".repeat(100)));
        assert_eq!(lost[0].place, "p".repeat(128));
        assert_eq!(lost[0].calls, 2);
    }

    #[test]
    fn all_errors_are_counted_together_too() {
        let control = control(&tempfile::tempdir().expect("a folder"));
        for expected in 0..4 {
            assert_eq!(count_of_all(&control), u64::from(expected));
            count(&control, &Kind { slot: 1, error_type: "E", file: "f", line: expected % 2, place: "p" });
        }
    }

    #[test]
    fn the_first_error_beyond_the_last_kind_is_named_like_the_others() {
        let control = control(&tempfile::tempdir().expect("a folder"));
        for line in 0..1025 {
            count(&control, &Kind { slot: 3, error_type: "E", file: "f", line, place: "p" });
        }
        let others = read(&control).swap_remove(0);
        assert_eq!((others.error_type.as_str(), others.number, others.calls), ("(other)", 0, 1));
        assert!(others.first_unix_ns > 0 && others.first_unix_ns == others.last_unix_ns);
    }

    /// The offsets are written out: a stranger's file has them there.
    #[test]
    fn an_entry_stands_where_a_stranger_looks_for_it() {
        let control = control(&tempfile::tempdir().expect("a folder"));
        let kind = Kind { slot: 3, error_type: "KeyError", file: "shop.py", line: 20, place: "place" };
        let entry = Entry::of(&control, 5).expect("an entry");
        entry.fill(&kind, 1_000);
        entry.count(1_000);
        entry.count(2_000);
        let base = 1_052_672 + 5 * 512;
        let words = [0, 16, 24, 32, 40].map(|at| control.mapping().word(base + at).load(Ordering::Relaxed));
        assert_eq!(words, [2, 3 | (20 << 32), 1_000, 2_000, 8 | (7 << 16) | (5 << 32)]);
        for (at, expected) in [(48, "KeyError"), (176, "shop.py"), (384, "place")] {
            let mut text = vec![0; expected.len()];
            control.mapping().copy_out(base + at, &mut text);
            assert_eq!(text, expected.as_bytes());
        }
        assert_eq!(read(&control).iter().map(|lost| lost.number).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn an_entry_of_a_slot_that_does_not_exist_counts_for_slot_zero() {
        let control = control(&tempfile::tempdir().expect("a folder"));
        let entry = Entry::of(&control, 1).expect("an entry");
        for (slot, expected) in [(16_383, 16_383), (16_384, 0), (u32::MAX, 0)] {
            entry.fill(&Kind { slot, ..Kind::OTHERS }, 1);
            entry.count(1);
            assert_eq!(read(&control)[0].slot, expected);
        }
    }

    #[test]
    fn lengths_that_no_text_has_are_cut_to_the_texts_places() {
        let control = control(&tempfile::tempdir().expect("a folder"));
        let entry = Entry::of(&control, 1).expect("an entry");
        entry.put(at::LENGTHS, u64::MAX);
        entry.count(1);
        let lost = &read(&control)[0];
        assert_eq!((lost.error_type.len(), lost.file.len(), lost.place.len()), (128, 208, 128));
    }
}
