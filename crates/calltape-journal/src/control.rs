//! The control file of a run: who records, the clock offset, how it ended, the spells of pressure, each function's
//! counters, and behind them the lost errors (`error_kinds.rs`).
//!
//! `journal.rs` creates it and keeps it locked for life; `run.rs` opens it to read. It is mapped by both, so a
//! counter costs its owner one store and survives the owner.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock;
use crate::error::JournalError;
use crate::layout::control as at;
use crate::layout::{FORMAT_VERSION, MAXIMUM_SLOTS, is_known_version};
use crate::mapping::Mapping;
use crate::options::RunIdentity;
use crate::pressure::Spell;
use crate::segment::Geometry;
use crate::system;

/// One function's counters, in shared memory. One cache line, so that functions do not slow each other.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Counters {
    /// Calls made, whatever became of their records.
    pub calls: AtomicU64,
    /// Calls that sampling left out.
    pub sampled_out: AtomicU64,
    /// Calls whose record found no room.
    pub dropped: AtomicU64,
    /// Of the dropped, those that ended in an error.
    pub dropped_errors: AtomicU64,
    /// The place of the function's tally; 0 while it has none.
    pub(crate) tally: AtomicU64,
    /// Zero; room for later versions.
    _spare: [AtomicU64; 3],
}

const _: () = assert!(size_of::<Counters>() == at::SLOT_BYTES);

impl Counters {
    /// A reading; each counter is exact, together they may straddle a call.
    pub fn values(&self) -> CounterValues {
        CounterValues {
            calls: self.calls.load(Ordering::Relaxed),
            sampled_out: self.sampled_out.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            dropped_errors: self.dropped_errors.load(Ordering::Relaxed),
        }
    }
}

/// What [`Counters`] said at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CounterValues {
    /// See [`Counters::calls`].
    pub calls: u64,
    /// See [`Counters::sampled_out`].
    pub sampled_out: u64,
    /// See [`Counters::dropped`].
    pub dropped: u64,
    /// See [`Counters::dropped_errors`].
    pub dropped_errors: u64,
}

/// Adds one, for callers that something else serialises (the interpreter lock): a load and a store, no locked
/// instruction. Without that two additions may count as one.
#[inline]
pub fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// A mapped control file that is known to have a whole header of this run. Clones share the mapping.
#[derive(Clone)]
pub(crate) struct Control {
    mapping: Arc<Mapping>,
}

/// What stands in the place of a control file.
pub(crate) enum Found {
    /// A sound one.
    Sound(Control, Geometry),
    /// Too short, or its header is not this run's.
    Damaged,
}

impl Control {
    /// Fills a new file. The caller locks it before it gets its final place.
    pub(crate) fn create(
        file: &File,
        path: &Path,
        run_id: u64,
        geometry: Geometry,
        identity: &RunIdentity,
    ) -> Result<Control, JournalError> {
        let bytes = at::FILE_BYTES;
        system::allocate(file, bytes).map_err(JournalError::allocation(path, bytes))?;
        let mapping = Mapping::of_file(file, bytes).map_err(JournalError::io("map", path))?;
        Ok(Control::fill(mapping, run_id, geometry, identity))
    }

    /// What stands for the file of a run in memory.
    pub(crate) fn in_memory(run_id: u64, geometry: Geometry, identity: &RunIdentity) -> Result<Control, JournalError> {
        let mapping = Mapping::in_memory(at::FILE_BYTES).map_err(JournalError::NoMemory)?;
        Ok(Control::fill(mapping, run_id, geometry, identity))
    }

    fn fill(mapping: Mapping, run_id: u64, geometry: Geometry, identity: &RunIdentity) -> Control {
        let identity = identity.to_bytes();
        debug_assert!(identity.len() <= at::IDENTITY_LIMIT);
        mapping.copy_in(at::IDENTITY, &identity);
        let put = |offset, value| mapping.word(offset).store(value, Ordering::Relaxed);
        put(at::RUN_ID, run_id);
        put(at::GEOMETRY, geometry.word());
        put(at::IDENTITY_LENGTH, identity.len() as u64);
        put(at::SLOTS_IN_USE, 1);
        let checksum = header_checksum(run_id, geometry.word(), &identity);
        put(at::VERSION_AND_CHECKSUM, u64::from(FORMAT_VERSION) | (u64::from(checksum) << 32));
        put(at::MAGIC, at::MAGIC_VALUE);
        let control = Control { mapping: Arc::new(mapping) };
        control.refresh_offset();
        control
    }

    /// Maps a file that anyone may have written.
    ///
    /// # Errors
    ///
    /// When the system refuses, or a later version wrote it.
    pub(crate) fn open(file: &File, path: &Path, run_id: u64) -> Result<Found, JournalError> {
        let length = file.metadata().map_err(JournalError::io("measure", path))?.len();
        let bytes = usize::try_from(length).unwrap_or(usize::MAX).min(at::FILE_BYTES);
        if bytes < at::HEADER_BYTES {
            return Ok(Found::Damaged);
        }
        let mapping = Mapping::of_file(file, bytes).map_err(JournalError::io("map", path))?;
        let word = |offset| mapping.word(offset).load(Ordering::Relaxed);
        if word(at::MAGIC) != at::MAGIC_VALUE {
            return Ok(Found::Damaged);
        }
        let found = word(at::VERSION_AND_CHECKSUM) as u32;
        if found > FORMAT_VERSION {
            return Err(JournalError::NewerFormat { path: path.to_path_buf(), found });
        }
        let checksum = (word(at::VERSION_AND_CHECKSUM) >> 32) as u32;
        let identity = identity_bytes(&mapping);
        let sound = is_known_version(found)
            && word(at::RUN_ID) == run_id
            && identity.is_some_and(|identity| checksum == header_checksum(run_id, word(at::GEOMETRY), &identity));
        match Geometry::from_word(word(at::GEOMETRY)) {
            Some(geometry) if sound => Ok(Found::Sound(Control { mapping: Arc::new(mapping) }, geometry)),
            _ => Ok(Found::Damaged),
        }
    }

    fn word(&self, offset: usize) -> &AtomicU64 {
        self.mapping.word(offset)
    }

    pub(crate) fn identity(&self) -> Option<RunIdentity> {
        RunIdentity::from_bytes(&identity_bytes(&self.mapping)?)
    }

    /// Takes the clocks' offset again: the wall clock may have been set.
    pub(crate) fn refresh_offset(&self) {
        self.set_offset(clock::unix_offset_ns());
    }

    pub(crate) fn set_offset(&self, offset_ns: i64) {
        self.word(at::UNIX_OFFSET).store(offset_ns as u64, Ordering::Relaxed);
    }

    pub(crate) fn unix_offset_ns(&self) -> i64 {
        self.word(at::UNIX_OFFSET).load(Ordering::Relaxed) as i64
    }

    /// Release: whoever reads the ending sees what was stored before. Partner: `ending`.
    pub(crate) fn end(&self, ending: u8) {
        self.word(at::ENDING).store(256 | u64::from(ending), Ordering::Release);
    }

    pub(crate) fn ending(&self) -> Option<u8> {
        // Partner: the Release store in `end`.
        let word = self.word(at::ENDING).load(Ordering::Acquire);
        (word >> 8 == 1).then_some(word as u8)
    }

    /// The mapping, for the table of lost errors.
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// A level of pressure begins; `level` counts from 0, those above none.
    pub(crate) fn enter_spell(&self, level: usize, now_unix_ns: i64) {
        let (times, entered, left) = self.spell_words(level);
        // Left first: a reader between the two sees a spell without length, not one of years.
        left.store(0, Ordering::Relaxed);
        entered.store(now_unix_ns as u64, Ordering::Relaxed);
        times.store(times.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// A level of pressure ends.
    pub(crate) fn leave_spell(&self, level: usize, now_unix_ns: i64) {
        self.spell_words(level).2.store(now_unix_ns as u64, Ordering::Relaxed);
    }

    /// The spells of a level.
    pub(crate) fn spell(&self, level: usize) -> Spell {
        let (times, entered, left) = self.spell_words(level);
        let left = left.load(Ordering::Relaxed) as i64;
        Spell {
            times: times.load(Ordering::Relaxed),
            entered_unix_ns: entered.load(Ordering::Relaxed) as i64,
            left_unix_ns: (left != 0).then_some(left),
        }
    }

    fn spell_words(&self, level: usize) -> (&AtomicU64, &AtomicU64, &AtomicU64) {
        let offset = at::SPELLS + level * at::SPELL_BYTES;
        (self.word(offset), self.word(offset + 8), self.word(offset + 16))
    }

    /// Release, after the definition is in its file. Partner: `slots_in_use`.
    pub(crate) fn use_slots(&self, slots: u32) {
        self.word(at::SLOTS_IN_USE).store(u64::from(slots), Ordering::Release);
    }

    pub(crate) fn slots_in_use(&self) -> u32 {
        // Partner: the Release store in `use_slots`. A damaged count is cut to what there can be.
        self.word(at::SLOTS_IN_USE).load(Ordering::Acquire).clamp(1, u64::from(MAXIMUM_SLOTS)) as u32
    }

    /// The counters of a slot; None beyond the last slot or the end of a truncated file.
    #[inline]
    pub(crate) fn counters(&self, slot: u32) -> Option<&Counters> {
        let offset = at::HEADER_BYTES + slot as usize * at::SLOT_BYTES;
        (slot < MAXIMUM_SLOTS && offset + at::SLOT_BYTES <= self.mapping.bytes()).then(|| self.mapping.view(offset))
    }
}

fn header_checksum(run_id: u64, geometry: u64, identity: &[u8]) -> u32 {
    let fixed = crc32c::crc32c_append(crc32c::crc32c(&run_id.to_le_bytes()), &geometry.to_le_bytes());
    crc32c::crc32c_append(fixed, identity)
}

fn identity_bytes(mapping: &Mapping) -> Option<Vec<u8>> {
    let length = usize::try_from(mapping.word(at::IDENTITY_LENGTH).load(Ordering::Relaxed)).ok()?;
    if length > at::IDENTITY_LIMIT {
        return None;
    }
    let mut bytes = vec![0; length];
    mapping.copy_out(at::IDENTITY, &mut bytes);
    Some(bytes)
}

#[cfg(test)]
mod tests;
