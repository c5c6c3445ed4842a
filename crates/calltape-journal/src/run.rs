//! The reading side: one run, opened for draining.
//!
//! The engine's drain uses it alike on its own process's run, a sibling's and a dead one's. Whoever reads holds the
//! [`Lease`](crate::Lease). Nothing found here is trusted and nothing unreadable stops the rest: it is reported by
//! [`Run::damage`] or counted by [`ReadEnd`]. Never writes but to mark, recycle and remove.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chunk::{Chunk, FileIdentity};
use crate::control::{Control, CounterValues, Found};
use crate::damage::Damage;
use crate::directory;
use crate::error::JournalError;
use crate::error_kinds::{self, LostError};
use crate::functions::DefinitionsReader;
use crate::journal::Shared;
use crate::listing::{SegmentKey, in_lease_order};
use crate::options::RunIdentity;
use crate::pressure::{LEVELS, Spell};
use crate::scan::{self, Frame, ReadEnd};
use crate::segment::{Geometry, Segment, SegmentState};
use crate::system;
use crate::tallies::{FoundTallies, Tally};

/// A run opened for draining.
pub struct Run {
    directory: PathBuf,
    id: u64,
    /// Kept open to ask for its lock, also when its content is unreadable.
    control_file: Option<File>,
    control: Option<Control>,
    geometry: Option<Geometry>,
    functions_file: Option<File>,
    functions: DefinitionsReader,
    chunks: BTreeMap<u32, Arc<Chunk>>,
    tallies: FoundTallies,
    damage: BTreeSet<Damage>,
    /// Set when this is the process's own run: then the chunks are the journal's.
    own: Option<Arc<Shared>>,
}

impl Run {
    /// Opens a run's directory. Damage is no error: see [`Run::damage`].
    ///
    /// # Errors
    ///
    /// When the directory is not named like a run or cannot be read, or a later version wrote it.
    pub fn open(dir: &Path) -> Result<Run, JournalError> {
        Run::begin(dir)
    }

    /// The own run, over the journal's mapping and its open files: whoever deletes their names takes nothing from it.
    pub(crate) fn of_own(shared: Arc<Shared>) -> Result<Run, JournalError> {
        let mut run = Run::blank(shared.place().folder().to_path_buf(), shared.run_id());
        let path = run.directory.join(directory::FUNCTIONS);
        run.functions_file = shared.definitions_file().map_err(JournalError::io("open", &path))?;
        run.control = Some(shared.control().clone());
        run.geometry = Some(shared.pool().geometry());
        run.own = Some(shared);
        run.refresh()?;
        Ok(run)
    }

    fn begin(dir: &Path) -> Result<Run, JournalError> {
        let id = directory::run_id_of(dir).ok_or_else(|| JournalError::NotARun(dir.to_path_buf()))?;
        let mut run = Run::blank(dir.to_path_buf(), id);
        run.open_control()?;
        let functions = dir.join(directory::FUNCTIONS);
        run.functions_file = found(File::open(&functions)).map_err(JournalError::io("open", &functions))?;
        if run.functions_file.is_none() {
            run.damage.insert(Damage::FunctionsMissing);
        }
        run.refresh()?;
        Ok(run)
    }

    /// A run of which nothing is known.
    fn blank(directory: PathBuf, id: u64) -> Run {
        Run {
            directory,
            id,
            control_file: None,
            control: None,
            geometry: None,
            functions_file: None,
            functions: DefinitionsReader::new(id),
            chunks: BTreeMap::new(),
            tallies: FoundTallies::default(),
            damage: BTreeSet::new(),
            own: None,
        }
    }

    fn open_control(&mut self) -> Result<(), JournalError> {
        let path = self.directory.join(directory::CONTROL);
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let Some(file) = found(opened).map_err(JournalError::io("open", &path))? else {
            self.damage.insert(Damage::ControlMissing);
            return Ok(());
        };
        match Control::open(&file, &path, self.id)? {
            Found::Sound(control, geometry) => {
                (self.control, self.geometry) = (Some(control), Some(geometry));
            }
            Found::Damaged => {
                self.damage.insert(Damage::ControlUnreadable);
            }
        }
        self.control_file = Some(file);
        Ok(())
    }

    /// The run's id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The run's directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Who recorded; None when the control file is unreadable.
    pub fn identity(&self) -> Option<RunIdentity> {
        self.control.as_ref()?.identity()
    }

    /// Unix time minus the records' monotonic time, ns; None when the control file is unreadable.
    pub fn unix_offset_ns(&self) -> Option<i64> {
        Some(self.control.as_ref()?.unix_offset_ns())
    }

    /// Whether the process that records still holds its lock. A file system that cannot tell counts as alive.
    pub fn owner_is_alive(&self) -> bool {
        match &self.control_file {
            _ if self.own.is_some() => true,
            Some(file) => system::is_locked_by_another(file).unwrap_or(true),
            None => false,
        }
    }

    /// How the run said it ended; None while it goes on, when it died, or when the control file is unreadable.
    pub fn ending(&self) -> Option<u8> {
        self.control.as_ref()?.ending()
    }

    /// The definitions read so far, by slot minus one; an unreadable one is empty.
    pub fn functions(&self) -> &[Vec<u8>] {
        self.functions.definitions()
    }

    /// A slot's counters; None when they are unknown, which is not zero.
    pub fn counters(&self, slot: u32) -> Option<CounterValues> {
        Some(self.control.as_ref()?.counters(slot)?.values())
    }

    /// How long calls without a row took, by slot; a slot that has none is missing. A slot may stand twice in a damaged
    /// file. [`Run::refresh`] finds those made since.
    pub fn tallies(&self) -> Vec<(u32, &Tally)> {
        match &self.own {
            Some(own) => own.tallies().all(),
            None => self.tallies.all(),
        }
    }

    /// The errors there was no room for, by kind. None when they are unknown, which is not none; a run of the first
    /// version has no such table.
    pub fn lost_errors(&self) -> Option<Vec<LostError>> {
        Some(error_kinds::read(self.control.as_ref()?))
    }

    /// How many errors there was no room for: a look that costs nothing, for whoever knows the kinds of before.
    pub fn lost_error_count(&self) -> Option<u64> {
        Some(error_kinds::count_of_all(self.control.as_ref()?))
    }

    /// How often each level of pressure above none was reached, lowest first. None when that is unknown.
    pub fn pressure_spells(&self) -> Option<[Spell; LEVELS]> {
        let control = self.control.as_ref()?;
        Some(std::array::from_fn(|level| control.spell(level)))
    }

    /// Slots in use, slot 0 included: `0..slots_in_use()` are worth reading.
    pub fn slots_in_use(&self) -> u32 {
        let defined = self.functions.definitions().len() as u32 + 1;
        self.control.as_ref().map_or(defined, Control::slots_in_use)
    }

    /// What cannot be read, as far as it was looked at.
    pub fn damage(&self) -> impl Iterator<Item = &Damage> {
        self.damage.iter()
    }

    /// Looks again: new chunk files, removed ones, new definitions.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    pub fn refresh(&mut self) -> Result<(), JournalError> {
        match &self.own {
            Some(own) => {
                self.chunks = own.pool().chunks().into_iter().map(|chunk| (chunk.number(), chunk)).collect();
            }
            None => {
                self.refresh_chunks().map_err(JournalError::io("read", &self.directory))?;
                self.refresh_tallies()?;
            }
        }
        self.refresh_functions()
    }

    /// Reads the definitions added since. A record's function is defined before the record is appended, so after
    /// reading records this finds all they name.
    ///
    /// # Errors
    ///
    /// When the functions file cannot be read.
    pub fn refresh_functions(&mut self) -> Result<(), JournalError> {
        if let Some(own) = self.own.as_ref().filter(|own| own.place().is_memory()) {
            own.teach(&mut self.functions);
            return Ok(());
        }
        let dead = !self.owner_is_alive();
        if let Some(file) = &self.functions_file {
            let path = self.directory.join(directory::FUNCTIONS);
            let damaged = self.functions.read_on(file, dead).map_err(JournalError::io("read", &path))?;
            self.damage.extend(damaged.into_iter().map(|slot| Damage::Definition { slot }));
        }
        Ok(())
    }

    fn refresh_tallies(&mut self) -> Result<(), JournalError> {
        let path = self.directory.join(directory::TALLIES);
        if !self.tallies.refresh(&path, self.id).map_err(JournalError::io("read", &path))? {
            self.damage.insert(Damage::TalliesUnreadable);
        }
        Ok(())
    }

    fn refresh_chunks(&mut self) -> io::Result<()> {
        let mut present = BTreeMap::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if let Some(number) = entry.file_name().to_str().and_then(directory::chunk_number_of) {
                present.insert(number, entry.path());
            }
        }
        self.chunks.retain(|number, _| present.contains_key(number));
        for (number, path) in present {
            let identity = fs::metadata(&path).ok().map(|metadata| FileIdentity::of(&metadata));
            if self.chunks.get(&number).is_some_and(|chunk| identity == Some(chunk.identity())) {
                continue;
            }
            self.chunks.remove(&number);
            match Chunk::open(&path, self.id, number, self.geometry) {
                Ok(Some(chunk)) => self.admit(chunk),
                // The owner removed it just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Ok(None) | Err(_) => {
                    self.damage.insert(Damage::ChunkUnreadable { number });
                }
            }
        }
        Ok(())
    }

    fn admit(&mut self, chunk: Chunk) {
        let (number, missing_bytes) = (chunk.number(), chunk.missing_bytes());
        if missing_bytes > 0 {
            self.damage.insert(Damage::ChunkShort { number, missing_bytes });
        }
        for segment in chunk.segments() {
            if !segment.header_is_sound() {
                self.damage.insert(Damage::SegmentHeader { number: segment.number() });
            }
        }
        self.chunks.insert(number, Arc::new(chunk));
    }

    /// The segments that hold frames, or may, by rising generation: the order that keeps each thread's frames in
    /// theirs.
    pub fn segments(&self) -> Vec<SegmentKey> {
        let segments = self.chunks.values().flat_map(|chunk| chunk.segments());
        in_lease_order(segments, !self.owner_is_alive())
    }

    fn chunk_of(&self, number: u32, epoch: u32) -> Option<(&Chunk, &Segment)> {
        let find = |chunk: &'_ Arc<Chunk>| chunk.segment(number).is_some_and(|segment| segment.epoch() == epoch);
        let chunk = self.chunks.values().find(|chunk| find(chunk))?;
        Some((chunk, chunk.segment(number)?))
    }

    /// Reads a segment's frames from an offset (0: from the start) until the first that is not committed, or until
    /// `visit` breaks. A segment of another epoch by now has nothing to read.
    ///
    /// To meet each thread's frames in order, take [`Run::segments`] first and read them in that order.
    pub fn read(
        &self,
        number: u32,
        epoch: u32,
        from_offset: usize,
        visit: impl FnMut(Frame<'_>) -> ControlFlow<()>,
    ) -> ReadEnd {
        match self.chunk_of(number, epoch) {
            Some((_, segment)) => scan::read(segment, from_offset, !self.owner_is_alive(), visit),
            None => ReadEnd { offset: from_offset, damaged_bytes: 0, damaged_frames: 0, finished: false },
        }
    }

    /// Up to which offset a database was said to hold the segment's frames; 0 for a segment of another epoch by now.
    pub fn drained(&self, number: u32, epoch: u32) -> usize {
        self.chunk_of(number, epoch).map_or(0, |(_, segment)| segment.drained())
    }

    /// Whether a database was ever said to hold frames of the run.
    pub fn was_drained(&self) -> bool {
        let begins = crate::layout::segment::HEADER_BYTES;
        let mut segments = self.chunks.values().flat_map(|chunk| chunk.segments());
        segments.any(|segment| segment.epoch() > 0 || segment.drained() > begins)
    }

    /// Says that a database holds the segment's frames up to `offset`. Only after its COMMIT.
    pub fn mark_drained(&self, number: u32, epoch: u32, offset: usize) {
        if let Some((_, segment)) = self.chunk_of(number, epoch) {
            segment.mark_drained(offset);
        }
    }

    /// Empties a segment for the next lease, once it was read to its end and marked drained: a SEALED one, or any
    /// of a dead run. Only after COMMIT. False when the segment is not like that, and nothing changes.
    pub fn recycle(&self, number: u32, epoch: u32) -> bool {
        let Some((chunk, segment)) = self.chunk_of(number, epoch) else { return false };
        let dead = !self.owner_is_alive();
        let sealed = segment.state() == SegmentState::Sealed;
        if !(dead || sealed) || segment.drained() < segment.committed() {
            return false;
        }
        segment.recycle();
        match &self.own {
            Some(own) => own.pool().announce_space(),
            None => chunk.let_go(number),
        }
        true
    }

    /// Removes the run's files: a dead or closed run, all drained. For everybody else it is gone in one step.
    ///
    /// # Errors
    ///
    /// When the system refuses; what is left is removed by the next journal that starts on the tape. Not when somebody
    /// else has removed them.
    pub fn remove(self) -> Result<(), JournalError> {
        if self.own.as_ref().is_some_and(|own| own.place().is_memory()) || !self.directory.exists() {
            return Ok(());
        }
        directory::remove_run(&self.directory)
    }
}

/// A file, or None where there is none.
fn found(opened: io::Result<File>) -> io::Result<Option<File>> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
