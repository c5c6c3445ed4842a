//! A chunk file: a few segments that are made, mapped and removed together.
//!
//! `pool.rs` creates chunks of its own run; `run.rs` opens those of any run. A chunk gets its name when it is
//! complete, so whoever lists a run sees no half-made one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::directory;
use crate::error::JournalError;
use crate::layout::segment as at;
use crate::mapping::Mapping;
use crate::memory::Memory;
use crate::segment::{Geometry, Segment};
use crate::system;

/// Which file a name stood for when it was mapped. The inode stays taken while the mapping lives, so equal means same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
    bytes: u64,
}

impl FileIdentity {
    pub(crate) fn of(metadata: &fs::Metadata) -> FileIdentity {
        FileIdentity { device: metadata.dev(), inode: metadata.ino(), bytes: metadata.len() }
    }
}

/// A mapped chunk file.
pub(crate) struct Chunk {
    number: u32,
    geometry: Geometry,
    mapping: Arc<Mapping>,
    segments: Vec<Segment>,
    /// By position: whether the segment's pages are present, so that appending takes no fault.
    prefaulted: Vec<AtomicBool>,
    identity: FileIdentity,
}

impl Chunk {
    /// Makes a chunk with all segments FREE at `epoch`.
    ///
    /// # Errors
    ///
    /// When the disk is full or the system refuses; then nothing is left behind.
    pub(crate) fn create(
        directory: &Path,
        run_id: u64,
        number: u32,
        geometry: Geometry,
        epoch: u32,
    ) -> Result<Chunk, JournalError> {
        let place = directory.join(directory::chunk_name(number));
        let building = place.with_extension("new");
        // A rest of an earlier failure under the same number.
        let _ = fs::remove_file(&building);
        let file = directory::create_file(&building)?;
        let made = Chunk::fill(&file, &building, run_id, number, geometry, epoch).and_then(|chunk| {
            fs::rename(&building, &place).map_err(JournalError::io("rename", &building))?;
            Ok(chunk)
        });
        if made.is_err() {
            let _ = fs::remove_file(&building);
        }
        made
    }

    fn fill(
        file: &File,
        path: &Path,
        run_id: u64,
        number: u32,
        geometry: Geometry,
        epoch: u32,
    ) -> Result<Chunk, JournalError> {
        let bytes = geometry.chunk_bytes();
        system::allocate(file, bytes).map_err(JournalError::allocation(path, bytes))?;
        let mapping = Mapping::of_file(file, bytes).map_err(JournalError::io("map", path))?;
        let metadata = file.metadata().map_err(JournalError::io("measure", path))?;
        let chunk = Chunk::over(mapping, FileIdentity::of(&metadata), run_id, number, geometry);
        for segment in &chunk.segments {
            segment.format(geometry, epoch);
        }
        Ok(chunk)
    }

    /// Makes a chunk in memory, with all segments FREE at `epoch`.
    ///
    /// # Errors
    ///
    /// When there is no memory.
    pub(crate) fn in_memory(run_id: u64, number: u32, geometry: Geometry, epoch: u32) -> Result<Chunk, JournalError> {
        let mapping = Mapping::in_memory(geometry.chunk_bytes()).map_err(JournalError::NoMemory)?;
        let identity = FileIdentity { device: 0, inode: u64::from(number), bytes: geometry.chunk_bytes() as u64 };
        let chunk = Chunk::over(mapping, identity, run_id, number, geometry);
        for segment in &chunk.segments {
            segment.format(geometry, epoch);
        }
        Ok(chunk)
    }

    /// Maps a chunk that anyone may have written. None when not one segment header is left of it. `geometry` is
    /// what the control file says; without it the chunk's own first header is asked.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(crate) fn open(path: &Path, run_id: u64, number: u32, geometry: Option<Geometry>) -> io::Result<Option<Chunk>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let metadata = file.metadata()?;
        let bytes = usize::try_from(metadata.len()).unwrap_or(usize::MAX).min(MOST_CHUNK_BYTES) & !7;
        if !metadata.is_file() || bytes < at::HEADER_BYTES {
            return Ok(None);
        }
        let mapping = Mapping::of_file(&file, bytes)?;
        let own = || Geometry::from_word(mapping.word(at::GEOMETRY).load(Ordering::Relaxed));
        let geometry = geometry.or_else(own).unwrap_or(DEFAULT_GEOMETRY);
        Ok(Some(Chunk::over(mapping, FileIdentity::of(&metadata), run_id, number, geometry)))
    }

    /// Lays segments over as much as the mapping has.
    fn over(mapping: Mapping, identity: FileIdentity, run_id: u64, number: u32, geometry: Geometry) -> Chunk {
        let mapping = Arc::new(mapping);
        let first = u64::from(number - 1) * geometry.chunk_segments as u64;
        let mut segments = Vec::new();
        for position in 0..geometry.chunk_segments {
            let from = position * geometry.segment_bytes;
            let Some(left) = mapping.bytes().checked_sub(from) else { break };
            let bytes = left.min(geometry.segment_bytes);
            let number = u32::try_from(first + position as u64);
            let (true, Ok(number)) = (bytes >= at::HEADER_BYTES, number) else { break };
            segments.push(Segment::new(Memory::part(&mapping, from, bytes), run_id, number));
        }
        let prefaulted = segments.iter().map(|_| AtomicBool::new(false)).collect();
        Chunk { number, geometry, mapping, segments, prefaulted, identity }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn identity(&self) -> FileIdentity {
        self.identity
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Bytes the file lacks of what it should have.
    pub(crate) fn missing_bytes(&self) -> u64 {
        (self.geometry.chunk_bytes() as u64).saturating_sub(self.identity.bytes)
    }

    /// The segment with a number of the run.
    pub(crate) fn segment(&self, number: u32) -> Option<&Segment> {
        let first = self.segments.first()?.number();
        self.segments.get(number.checked_sub(first)? as usize)
    }

    pub(crate) fn is_prefaulted(&self, position: usize) -> bool {
        self.prefaulted[position].load(Ordering::Relaxed)
    }

    /// Makes a segment's pages present.
    pub(crate) fn prefault(&self, position: usize) {
        self.mapping.prefault(position * self.geometry.segment_bytes, self.geometry.segment_bytes);
        self.prefaulted[position].store(true, Ordering::Relaxed);
    }

    /// Gives a segment's pages back to the kernel, for a reader that is done with them.
    pub(crate) fn let_go(&self, number: u32) {
        if let Some(segment) = self.segment(number) {
            let position = (segment.number() - self.segments[0].number()) as usize;
            self.mapping.let_go(position * self.geometry.segment_bytes, self.geometry.segment_bytes);
        }
    }
}

/// Beyond this a file is no chunk: it bounds what a foreign length can make us map.
const MOST_CHUNK_BYTES: usize = 1 << 30;

/// What is assumed when neither control file nor chunk says: the default options' cut.
const DEFAULT_GEOMETRY: Geometry = Geometry { segment_bytes: 128 << 10, chunk_segments: 16 };

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::segment::SegmentState;

    const PAGE_BYTES: usize = 4096;
    const GEOMETRY: Geometry = Geometry { segment_bytes: 2 * PAGE_BYTES, chunk_segments: 4 };

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn made(folder: &tempfile::TempDir) -> Chunk {
        Chunk::create(folder.path(), 7, 2, GEOMETRY, 0).expect("a chunk")
    }

    /// The file of chunk 2 with this length, opened as one of run 7.
    fn opened(folder: &tempfile::TempDir, length: u64, geometry: Option<Geometry>) -> Option<Chunk> {
        let path = folder.path().join("000002.seg");
        OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(length)).expect("cuts");
        Chunk::open(&path, 7, 2, geometry).expect("opens")
    }

    /// Which pages of a chunk the process has in its page table: bit 63 of an entry of `/proc/self/pagemap`.
    fn present(chunk: &Chunk) -> Vec<usize> {
        let map = File::open("/proc/self/pagemap").expect("the page table");
        let first = chunk.mapping.base() as usize / PAGE_BYTES;
        let is_present = |page: &usize| {
            let mut entry = [0; 8];
            map.read_exact_at(&mut entry, (first + page) as u64 * 8).expect("an entry");
            u64::from_le_bytes(entry) >> 63 == 1
        };
        (0..GEOMETRY.chunk_bytes() / PAGE_BYTES).filter(is_present).collect()
    }

    #[test]
    fn a_file_is_cut_into_as_many_segments_as_have_a_header_and_says_what_it_lacks() {
        let segment = GEOMETRY.segment_bytes as u64;
        // Length, bytes of each segment, bytes that are gone.
        let cases: [(u64, &[u64], u64); 5] = [
            (4 * segment, &[segment; 4], 0),
            (4 * segment - 1, &[segment, segment, segment, segment - 8], 1),
            (segment + 128, &[segment, 128], 3 * segment - 128),
            (segment + 127, &[segment], 3 * segment - 127),
            (128, &[128], 4 * segment - 128),
        ];
        for (length, expected, missing) in cases {
            let folder = folder();
            made(&folder);
            let chunk = opened(&folder, length, Some(GEOMETRY)).expect("a segment");
            let bytes: Vec<u64> = chunk.segments().iter().map(|segment| segment.memory().bytes() as u64).collect();
            assert_eq!((bytes.as_slice(), chunk.missing_bytes()), (expected, missing), "{length} bytes");
        }
    }

    #[test]
    fn a_file_without_a_whole_header_is_no_chunk() {
        for length in [0, 1, 8, 120, 127] {
            let folder = folder();
            made(&folder);
            assert!(opened(&folder, length, Some(GEOMETRY)).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn the_cut_is_the_control_files_or_else_the_chunks_own_or_else_the_usual_one() {
        let cuts = |chunk: &Chunk| (chunk.segments().len(), chunk.segments()[0].memory().bytes());
        let folder = folder();
        made(&folder);
        let said = Geometry { segment_bytes: 1024, chunk_segments: 8 };
        assert_eq!(cuts(&opened(&folder, 32 << 10, Some(said)).expect("a chunk")), (8, 1024));
        assert_eq!(cuts(&opened(&folder, 32 << 10, None).expect("a chunk")), (4, 8192));
        let file = OpenOptions::new().write(true).open(folder.path().join("000002.seg")).expect("opens");
        file.write_all_at(&[0xff; 8], at::GEOMETRY as u64).expect("writes");
        assert_eq!(cuts(&opened(&folder, 4 << 20, None).expect("a chunk")), (16, 128 << 10));
    }

    #[test]
    fn segments_are_numbered_through_the_chunks_of_a_run() {
        let folder = folder();
        let chunk = made(&folder);
        assert_eq!(chunk.segments().iter().map(Segment::number).collect::<Vec<_>>(), [4, 5, 6, 7]);
        for (number, expected) in [(3, None), (4, Some(4)), (7, Some(7)), (8, None)] {
            assert_eq!(chunk.segment(number).map(Segment::number), expected);
        }
        assert!(chunk.segments().iter().all(|segment| segment.state() == SegmentState::Free));
    }

    /// The risk is a fault on the way of a call, or memory that an idle process keeps; neither is seen in a result.
    #[test]
    fn prefaulting_and_letting_go_concern_the_pages_of_one_segment() {
        let folder = folder();
        let chunk = made(&folder);
        assert_eq!(present(&chunk), [0, 2, 4, 6], "the headers");
        chunk.prefault(2);
        let prefaulted: Vec<bool> = (0..4).map(|position| chunk.is_prefaulted(position)).collect();
        assert_eq!(prefaulted, [false, false, true, false]);
        assert_eq!(present(&chunk), [0, 2, 4, 5, 6]);
        chunk.let_go(6);
        assert_eq!(present(&chunk), [0, 2, 6]);
        chunk.let_go(5);
        chunk.let_go(99);
        assert_eq!(present(&chunk), [0, 6]);
    }
}
