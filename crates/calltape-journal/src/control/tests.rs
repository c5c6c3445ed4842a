//! What is believed of a control file, and where its parts stand.

use std::os::unix::fs::FileExt;

use super::*;
use crate::layout::segment::MINIMUM_BYTES;

const GEOMETRY: Geometry = Geometry { segment_bytes: 1024, chunk_segments: 2 };

/// The control file of run 7 in a folder.
struct Made {
    folder: tempfile::TempDir,
    file: File,
    control: Control,
}

fn made() -> Made {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("control");
    let file = crate::directory::create_file(&path).expect("a file");
    let identity = RunIdentity { pid: 42, program: "shop.py".into(), ..RunIdentity::default() };
    let control = Control::create(&file, &path, 7, GEOMETRY, &identity).expect("a control file");
    Made { folder, file, control }
}

impl Made {
    fn read(&self, offset: usize) -> u64 {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, offset as u64).expect("reads");
        u64::from_le_bytes(bytes)
    }

    fn put(&self, offset: usize, value: u64) {
        self.file.write_all_at(&value.to_le_bytes(), offset as u64).expect("writes");
    }

    /// Puts bytes in the identity's place, with the checksum that fits them.
    fn put_identity(&self, identity: &[u8], length: u64) {
        self.file.write_all_at(identity, at::IDENTITY as u64).expect("writes");
        self.put(at::IDENTITY_LENGTH, length);
        let checksum = header_checksum(7, GEOMETRY.word(), identity);
        self.put(at::VERSION_AND_CHECKSUM, u64::from(FORMAT_VERSION) | (u64::from(checksum) << 32));
    }

    fn cut(&self, bytes: usize) {
        self.file.set_len(bytes as u64).expect("cuts");
    }

    fn open(&self, run_id: u64) -> Option<(Control, Geometry)> {
        match Control::open(&self.file, &self.folder.path().join("control"), run_id).expect("opens") {
            Found::Sound(control, geometry) => Some((control, geometry)),
            Found::Damaged => None,
        }
    }
}

#[test]
fn a_whole_header_is_sound_and_says_who_recorded_and_how() {
    let made = made();
    let (control, geometry) = made.open(7).expect("sound");
    assert_eq!(geometry, GEOMETRY);
    assert_eq!(control.identity().map(|identity| (identity.pid, identity.program)), Some((42, "shop.py".into())));
    assert_eq!((control.ending(), control.slots_in_use()), (None, 1));
    made.control.end(255);
    made.control.set_offset(-5);
    assert_eq!((control.ending(), control.unix_offset_ns()), (Some(255), -5));
    let version = made.read(at::VERSION_AND_CHECKSUM) & !0xffff_ffff;
    made.put(at::VERSION_AND_CHECKSUM, version | 1);
    assert!(made.open(7).is_some(), "of the first version");
}

#[test]
fn a_header_with_one_wrong_word_is_damaged() {
    /// What is wrong, where and by which word, and the run that is asked for.
    type Wrong = (&'static str, fn(&Made) -> (usize, u64), u64);
    let wrong: [Wrong; 8] = [
        ("another magic", |_| (at::MAGIC, 0), 7),
        ("no version", |made| (at::VERSION_AND_CHECKSUM, made.read(at::VERSION_AND_CHECKSUM) & !0xffff_ffff), 7),
        ("another sum", |made| (at::VERSION_AND_CHECKSUM, made.read(at::VERSION_AND_CHECKSUM) ^ (1 << 63)), 7),
        ("another run in the word alone", |_| (at::RUN_ID, 8), 7),
        ("another run in the name alone", |_| (at::RUN_ID, 7), 8),
        ("another run in both", |_| (at::RUN_ID, 8), 8),
        ("another program", |made| (at::IDENTITY, made.read(at::IDENTITY) ^ 1), 7),
        ("a shorter identity", |made| (at::IDENTITY_LENGTH, made.read(at::IDENTITY_LENGTH) - 1), 7),
    ];
    for (what, word, run_id) in wrong {
        let made = made();
        let (offset, value) = word(&made);
        made.put(offset, value);
        assert!(made.open(run_id).is_none(), "{what}");
    }
    let other_cut = Geometry { segment_bytes: MINIMUM_BYTES, chunk_segments: 2 };
    for geometry in [other_cut.word(), 0] {
        let made = made();
        made.put(at::GEOMETRY, geometry);
        assert!(made.open(7).is_none(), "the cut {geometry:#x}");
    }
}

#[test]
fn a_cut_that_no_run_has_is_damage_although_its_checksum_fits() {
    let made = made();
    let identity = identity_bytes(&made.control.mapping).expect("an identity");
    made.put(at::GEOMETRY, 0);
    let checksum = header_checksum(7, 0, &identity);
    made.put(at::VERSION_AND_CHECKSUM, u64::from(FORMAT_VERSION) | (u64::from(checksum) << 32));
    assert!(made.open(7).is_none());
}

#[test]
fn an_identity_is_read_up_to_its_limit_and_no_further() {
    let made = made();
    let identity = vec![1; at::IDENTITY_LIMIT + 1];
    made.put_identity(&identity[..at::IDENTITY_LIMIT], at::IDENTITY_LIMIT as u64);
    assert!(made.open(7).is_some());
    made.put_identity(&identity, at::IDENTITY_LIMIT as u64 + 1);
    assert!(made.open(7).is_none());
    made.put_identity(&identity, u64::MAX);
    assert!(made.open(7).is_none());
}

#[test]
fn a_later_version_is_refused_and_said() {
    let made = made();
    made.put(at::VERSION_AND_CHECKSUM, u64::from(FORMAT_VERSION) + 1);
    let refused = Control::open(&made.file, Path::new("control"), 7).err();
    assert!(matches!(refused, Some(JournalError::NewerFormat { found: 3, .. })), "{refused:?}");
}

#[test]
fn a_cut_file_has_the_counters_that_stand_there_whole() {
    let (header, slot) = (at::HEADER_BYTES, at::SLOT_BYTES);
    // Bytes left, and the slots that have counters then; None: not even a header.
    let cases = [
        (header - 1, None),
        (header, Some(0)),
        (header + slot - 8, Some(0)),
        (header + slot, Some(1)),
        (header + 2 * slot - 1, Some(1)),
        (header + 2 * slot, Some(2)),
    ];
    for (bytes, expected) in cases {
        let made = made();
        made.cut(bytes);
        let counted = made.open(7).map(|(control, _)| (0..9).take_while(|at| control.counters(*at).is_some()).count());
        assert_eq!(counted, expected, "{bytes} bytes");
    }
}

#[test]
fn only_slots_that_exist_have_counters() {
    let control = made().control;
    let has = |slot| control.counters(slot).is_some();
    assert_eq!([0, MAXIMUM_SLOTS - 1, MAXIMUM_SLOTS, u32::MAX].map(has), [true, true, false, false]);
}

/// The offsets are written out: a stranger's file has them there.
#[test]
fn each_level_has_spells_of_its_own_where_a_stranger_looks_for_them() {
    let made = made();
    for level in 0..4 {
        assert_eq!(made.control.spell(level), Spell::default());
        assert!(!Spell::default().lasts());
        made.control.enter_spell(level, 10 + level as i64);
        made.control.leave_spell(level, 20 + level as i64);
        made.control.enter_spell(level, 30 + level as i64);
    }
    made.control.leave_spell(2, 42);
    for (level, offset) in (0..4).zip([3072, 3096, 3120, 3144]) {
        let left = if level == 2 { 42 } else { 0 };
        let words = [offset, offset + 8, offset + 16].map(|offset| made.read(offset));
        assert_eq!(words, [2, 30 + level as u64, left], "level {level}");
        let spell = made.control.spell(level);
        assert_eq!((spell.times, spell.entered_unix_ns), (2, 30 + level as i64));
        assert_eq!((spell.left_unix_ns, spell.lasts()), (Some(42).filter(|_| level == 2), level != 2));
    }
}

#[test]
fn a_damaged_count_of_slots_is_cut_to_what_there_can_be() {
    let made = made();
    for (word, expected) in [(0, 1), (1, 1), (5, 5), (16_384, 16_384), (16_385, 16_384), (u64::MAX, 16_384)] {
        made.put(at::SLOTS_IN_USE, word);
        assert_eq!(made.control.slots_in_use(), expected);
    }
}
