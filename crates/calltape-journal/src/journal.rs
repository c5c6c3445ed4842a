//! The writing side: the journal of this process.
//!
//! The python crate makes one, leases a [`Writer`] a thread and bumps counters; the engine's background thread calls
//! [`Journal::maintain`]. Never reads a record, never waits for the disk on the way of a call.

mod figures;
mod overload;

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::chunk::Chunk;
use crate::control::{Control, Counters};
use crate::directory::{self, NewRun};
use crate::error::{Full, JournalError};
use crate::functions::{DefinitionsReader, DefinitionsWriter};
use crate::ids::Ids;
use crate::layout::functions::MAXIMUM_DEFINITION_BYTES;
use crate::layout::segment::HEADER_BYTES;
use crate::lock::{LockedFile, Named};
use crate::options::{Options, RunIdentity};
use crate::place::Place;
use crate::pool::{Pool, Purpose};
use crate::run::Run;
use crate::tallies::Tallies;
use crate::writer::Writer;
pub use figures::{JournalStats, Occupancy, Positions};

/// This process's journal. Shared by all threads; dropping it without [`Journal::close`] looks like a death to
/// whoever drains, once the last [`Writer`] is gone too.
pub struct Journal {
    shared: Arc<Shared>,
}

/// What journal, writers and an own [`Run`] hold together.
pub(crate) struct Shared {
    run_id: u64,
    place: Place,
    control: Control,
    ids: Ids,
    definitions: Mutex<DefinitionsWriter>,
    pool: Pool,
    tallies: Tallies,
    /// Held while a lost error is counted.
    losing: Mutex<()>,
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// The clocks' offset is a test's, and not taken again.
    offset_is_pretended: OnceLock<()>,
    /// The control file in its folder; none in memory.
    control_file: Option<Named>,
    /// Held for life: free means dead. Last, so that it is released after everything else. None in memory.
    lock: Option<LockedFile>,
}

impl Shared {
    pub(crate) fn run_id(&self) -> u64 {
        self.run_id
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// Gives a reader the definitions of a run in memory that it has not seen.
    pub(crate) fn teach(&self, reader: &mut DefinitionsReader) {
        reader.take_up(&self.definitions.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The definitions' file, which outlives its name.
    pub(crate) fn definitions_file(&self) -> io::Result<Option<File>> {
        self.definitions.lock().unwrap_or_else(PoisonError::into_inner).file()
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Bytes of frames an empty segment holds.
    pub(crate) fn capacity(&self) -> usize {
        self.pool.geometry().segment_bytes - HEADER_BYTES
    }

    pub(crate) fn wake(&self) {
        if let Some(wake) = self.wake.get() {
            wake();
        }
    }
}

/// What a run is made of, before it is known by its place.
struct Parts {
    control: Control,
    definitions: DefinitionsWriter,
    tallies: Tallies,
    chunks: Vec<Arc<Chunk>>,
}

impl Parts {
    fn create(place: &Place, run_id: u64, identity: &RunIdentity, options: &Options) -> Result<Parts, JournalError> {
        Ok(Parts {
            control: place.create_control(run_id, options.geometry()?, identity)?,
            definitions: place.create_definitions(run_id)?,
            tallies: place.create_tallies(run_id)?,
            chunks: place.create_first_chunks(run_id, options)?,
        })
    }
}

impl Journal {
    /// Makes the journal of a new run in a tape directory, which is made too if it is missing.
    ///
    /// # Errors
    ///
    /// When the options do not fit, the disk is full, or the system refuses. Nothing is left behind then.
    pub fn create(tape_dir: &Path, identity: &RunIdentity, options: &Options) -> Result<Journal, JournalError> {
        let tape = directory::create_tape(tape_dir)?;
        directory::sweep(&tape);
        let ids = Ids::open(&tape)?;
        let run_id = ids.take().start;
        let new = NewRun::begin(&tape, run_id)?;

        let building = Place::Folder(new.path().to_path_buf());
        let parts = Parts::create(&building, run_id, identity, options)?;
        // Its own open file description: a mapping keeps its description open, and a forked child inherits the
        // mapping, so a lock on the mapped one would outlive its owner in the child.
        let path = new.path().join(directory::CONTROL);
        let lock = directory::open_or_create(&path)
            .and_then(LockedFile::try_lock)
            // A fresh file that nobody else can name: only a file system without such locks refuses.
            .and_then(|lock| lock.ok_or_else(|| std::io::ErrorKind::WouldBlock.into()))
            .map_err(JournalError::io("lock", &path))?;
        let place = Place::Folder(new.settle(&tape, run_id)?);
        Journal::assemble(run_id, place, ids, parts, Some(lock), options)
    }

    /// Makes a journal in the memory of this process: the same in all but what outlives the process, which is nothing,
    /// and that no other process can drain it. With [`Options::counting`] it has counters only.
    ///
    /// # Errors
    ///
    /// When the options do not fit, or there is no memory.
    pub fn in_memory(identity: &RunIdentity, options: &Options) -> Result<Journal, JournalError> {
        let ids = Ids::in_memory()?;
        let run_id = ids.take().start;
        let parts = Parts::create(&Place::Memory, run_id, identity, options)?;
        Journal::assemble(run_id, Place::Memory, ids, parts, None, options)
    }

    fn assemble(
        run_id: u64,
        place: Place,
        ids: Ids,
        parts: Parts,
        lock: Option<LockedFile>,
        options: &Options,
    ) -> Result<Journal, JournalError> {
        // What cannot be asked for is never missed.
        let control_file = fs::metadata(place.folder().join(directory::CONTROL));
        let shared = Shared {
            run_id,
            control_file: control_file.ok().filter(|_| !place.is_memory()).map(|metadata| Named::of(&metadata)),
            ids,
            definitions: Mutex::new(parts.definitions),
            pool: Pool::new(run_id, place.clone(), options, parts.chunks, parts.control.clone())?,
            control: parts.control,
            tallies: parts.tallies,
            losing: Mutex::new(()),
            place,
            wake: OnceLock::new(),
            offset_is_pretended: OnceLock::new(),
            lock,
        };
        Ok(Journal { shared: Arc::new(shared) })
    }

    /// The run's id: its directory's name, and part of every checksum.
    pub fn run_id(&self) -> u64 {
        self.shared.run_id
    }

    /// The run's directory; empty for a journal in memory.
    pub fn directory(&self) -> &Path {
        self.shared.place.folder()
    }

    /// Whether the journal is in memory only.
    pub fn is_in_memory(&self) -> bool {
        self.shared.place.is_memory()
    }

    /// A block of 256 call ids nobody else has.
    pub fn take_ids(&self) -> Range<u64> {
        self.shared.ids.take()
    }

    /// Makes later ids start at `least` or above, for a tape whose counter was lost.
    pub fn raise_ids(&self, least: u64) {
        self.shared.ids.raise(least);
    }

    /// Writes a function's definition and gives its slot; slot 0 ("more functions") when all are taken.
    ///
    /// # Errors
    ///
    /// When the definition is too long, or the disk is full or fails.
    pub fn define(&self, definition: &[u8]) -> Result<u32, JournalError> {
        if definition.len() > MAXIMUM_DEFINITION_BYTES {
            return Err(JournalError::DefinitionTooLong(definition.len()));
        }
        let mut definitions = self.shared.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        let path = || self.shared.place.folder().join(directory::FUNCTIONS);
        let slot = definitions
            .append(definition)
            .map_err(|error| JournalError::allocation(&path(), definition.len())(error))?;
        if slot != 0 {
            self.shared.control.use_slots(slot + 1);
        }
        Ok(slot)
    }

    /// A slot's counters; those of slot 0 for a slot that does not exist.
    #[inline]
    pub fn counters(&self, slot: u32) -> &Counters {
        let control = &self.shared.control;
        match control.counters(slot).or_else(|| control.counters(0)) {
            Some(counters) => counters,
            None => unreachable!("an own control file is never short"),
        }
    }

    /// An append handle for a thread. `thread` is the payload of the THREAD frame that its segments begin with.
    ///
    /// # Errors
    ///
    /// [`Full`] when no segment is free but those kept for errors, and none can be made.
    pub fn lease(&self, thread: &[u8]) -> Result<Writer, Full> {
        Writer::begin(&self.shared, thread, Purpose::Calls)
    }

    /// Like [`Journal::lease`] for a thread whose first record is of an error: it may get a segment of the reserve.
    ///
    /// # Errors
    ///
    /// [`Full`] when the reserve is used up too.
    pub fn lease_for_error(&self, thread: &[u8]) -> Result<Writer, Full> {
        Writer::begin(&self.shared, thread, Purpose::Errors)
    }

    /// Ends a thread's lease; its segment is continued by the next new thread.
    pub fn give_back(&self, writer: Writer) {
        self.shared.pool.keep_open(writer.into_tail());
    }

    /// Ends a thread's lease of a segment that is full for it, so that a drain can empty it for whoever comes first.
    pub fn give_up(&self, writer: Writer) {
        writer.into_tail().seal();
        self.shared.wake();
    }

    /// What the owner's background thread does now and then (every 20 to 50 ms): takes the clock offset, makes and
    /// prefaults segments ahead of need, shrinks when idle. Cheap when there is nothing to do, and away for some
    /// milliseconds at most.
    pub fn maintain(&self) {
        if self.shared.offset_is_pretended.get().is_none() {
            self.shared.control.refresh_offset();
        }
        self.shared.pool.maintain();
        self.shared.tallies.maintain(self.shared.run_id);
    }

    /// Makes `offset_ns` the distance from the records' monotonic time to Unix time for good, whatever the clocks say. For
    /// tests.
    #[doc(hidden)]
    pub fn pretend_offset(&self, offset_ns: i64) {
        let _ = self.shared.offset_is_pretended.set(());
        self.shared.control.set_offset(offset_ns);
    }

    /// Waits until a lease may succeed; false when the time is over first. For `on_full = "block"`.
    pub fn wait_for_space(&self, timeout: Duration) -> bool {
        self.shared.pool.wait_for_space(timeout)
    }

    /// Sets what to call when a segment was sealed, on the thread that sealed it: it must be quick and must not
    /// call the journal. The first setting stays; false says that there was one.
    pub fn set_wake(&self, wake: impl Fn() + Send + Sync + 'static) -> bool {
        self.shared.wake.set(Box::new(wake)).is_ok()
    }

    /// This run for draining, over the same mapping, so that nothing is mapped twice in one process. Recycling
    /// through it wakes [`Journal::wait_for_space`].
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn open_run(&self) -> Result<Run, JournalError> {
        Run::of_own(Arc::clone(&self.shared))
    }

    /// Says how the run ended (1: a clean exit). What is appended later is still read by whoever drains.
    pub fn close(&self, ending: u8) {
        self.shared.control.end(ending);
    }

    /// Leaves the journal to whoever drains, as this process's death would: it is settled and removed when it is all
    /// read. Only after [`Journal::close`]; nothing may be appended any more.
    pub fn abandon(&self) {
        if let Some(lock) = &self.shared.lock {
            lock.unlock();
        }
    }

    /// Whether the run's folder is still there.
    pub fn is_there(&self) -> bool {
        self.shared.place.folder().exists()
    }

    /// Whether the run's files are where they were made. Deleted or moved, they still take what is appended, and nobody
    /// but this process can drain them. True in memory, and where it cannot be told.
    pub fn is_in_place(&self) -> bool {
        self.shared.control_file.is_none_or(|file| file.is_at(&self.shared.place.folder().join(directory::CONTROL)))
    }
}
