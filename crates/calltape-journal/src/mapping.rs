//! A file's bytes mapped shared, or memory of the process alone, and the views the crate takes of them.
//!
//! Made by `chunk.rs`, `control.rs`, `tallies.rs` and `ids.rs`. Never extends a file and never maps more than the file has; the
//! mapping goes when the last holder does.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::UnsafeCell;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::control::Counters;
use crate::layout::control::{FILE_BYTES as CONTROL_BYTES, SLOT_BYTES};
use crate::tallies::Tally;

/// A page, for stepping over a mapping. Larger pages only make the steps finer than needed.
const PAGE_BYTES: usize = 4096;

/// Where the bytes come from, and so how they go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    File,
    /// Anonymous pages.
    Pages,
    /// The allocator, where the kernel has no pages to map.
    Heap,
    /// [`SPARE`], where the allocator has nothing either.
    Spare,
}

/// Room for one control file in the library's own data: a process without any memory left can still count its calls.
/// Costs address space only until it is used.
#[repr(align(4096))]
struct Spare(UnsafeCell<[u8; CONTROL_BYTES]>);

// SAFETY: handed out to one mapping at a time, which `SPARE_IS_TAKEN` sees to.
unsafe impl Sync for Spare {}

static SPARE: Spare = Spare(UnsafeCell::new([0; CONTROL_BYTES]));
static SPARE_IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The spare memory, zeroed; None while a mapping has it, or where it is too small.
fn take_spare(bytes: usize) -> Option<NonNull<u8>> {
    // Acquire; its partner is the store in `drop`.
    if bytes > CONTROL_BYTES || SPARE_IS_TAKEN.swap(true, Ordering::Acquire) {
        return None;
    }
    let base = SPARE.0.get().cast::<u8>();
    // SAFETY: nobody else has it, as just found.
    unsafe { std::ptr::write_bytes(base, 0, CONTROL_BYTES) };
    NonNull::new(base)
}

/// Makes the spare memory free in a forked child, which has forgotten its parent's journal. Async-signal-safe.
pub(crate) fn forget_spare_after_fork() {
    SPARE_IS_TAKEN.store(false, Ordering::Release);
}

/// What may be seen in shared memory as it stands.
///
/// # Safety
///
/// The type is `repr(C)` and made of atomic words of 64 bits alone, so any bytes are a valid value, and its alignment is
/// at most a page.
pub(crate) unsafe trait Words {}

// SAFETY: 8 atomic words, aligned to 64.
unsafe impl Words for Counters {}
// SAFETY: 2,048 atomic words.
unsafe impl Words for Tally {}

/// A shared, writable mapping of a part of a file, or memory that stands in for one.
pub(crate) struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
    source: Source,
}

// SAFETY: the mapping belongs to no thread; access goes through atomics or the commit protocol.
unsafe impl Send for Mapping {}
// SAFETY: as for Send; no method lends plain bytes.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes` of a file, which the caller knows (by `fstat` or `posix_fallocate`) to be there.
    ///
    /// # Errors
    ///
    /// When `bytes` is zero or the kernel refuses.
    pub(crate) fn of_file(file: &File, bytes: usize) -> io::Result<Mapping> {
        Mapping::of_part(file, 0, bytes)
    }

    /// Maps `bytes` from `offset`, a multiple of the page size, as [`Mapping::of_file`] does.
    ///
    /// # Errors
    ///
    /// As [`Mapping::of_file`].
    pub(crate) fn of_part(file: &File, offset: usize, bytes: usize) -> io::Result<Mapping> {
        if bytes == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty"));
        }
        let offset = libc::off_t::try_from(offset).map_err(|_| io::Error::from_raw_os_error(libc::EFBIG))?;
        let base = map(bytes, libc::MAP_SHARED, file.as_raw_fd(), offset)?;
        Ok(Mapping { base, bytes, source: Source::File })
    }

    /// Zeroed memory of the process alone: pages of its own, or where the kernel has none to map, the allocator's, or
    /// where that has none, what is spared for one control file.
    ///
    /// # Errors
    ///
    /// When none has any.
    pub(crate) fn in_memory(bytes: usize) -> io::Result<Mapping> {
        if let Ok(base) = map(bytes, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) {
            return Ok(Mapping { base, bytes, source: Source::Pages });
        }
        let layout = heap_layout(bytes).filter(|layout| layout.size() > 0).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: the layout's size is not zero, checked above; null is checked below.
        if let Some(base) = NonNull::new(unsafe { alloc_zeroed(layout) }) {
            return Ok(Mapping { base, bytes, source: Source::Heap });
        }
        let base = take_spare(bytes).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { base, bytes, source: Source::Spare })
    }

    /// First byte; page-aligned.
    pub(crate) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Length in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The word at `offset`.
    ///
    /// # Panics
    ///
    /// When it lies outside the mapping or is not 8-byte aligned.
    pub(crate) fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset < self.bytes && self.bytes - offset >= 8);
        // SAFETY: in bounds and aligned (checked; the base is page-aligned), mapped while `self` lives; any word is
        // a valid u64.
        unsafe { AtomicU64::from_ptr(self.base().add(offset).cast()) }
    }

    /// What stands at `offset`, seen as words.
    ///
    /// # Panics
    ///
    /// When it lies outside the mapping or is not aligned.
    #[inline]
    pub(crate) fn view<T: Words>(&self, offset: usize) -> &T {
        assert!(offset.is_multiple_of(align_of::<T>()));
        assert!(offset < self.bytes && self.bytes - offset >= size_of::<T>());
        // SAFETY: in bounds and aligned (checked; the base is page-aligned), mapped while `self` lives; by `Words` any
        // bytes are valid and sharing is what they are for.
        unsafe { &*self.base().add(offset).cast::<T>() }
    }

    /// Copies bytes out that are written once: before the file gets its name, or before the word is published that says
    /// they are there.
    ///
    /// # Panics
    ///
    /// When the bytes lie outside the mapping.
    pub(crate) fn copy_out(&self, offset: usize, into: &mut [u8]) {
        assert!(offset <= self.bytes && into.len() <= self.bytes - offset);
        // SAFETY: in bounds (checked); `into` is exclusive and elsewhere. The bytes are not written once the caller can
        // know of them.
        unsafe { std::ptr::copy_nonoverlapping(self.base().add(offset), into.as_mut_ptr(), into.len()) }
    }

    /// Copies bytes in that nobody reads yet: the file has no name, or no word says that they are there.
    ///
    /// # Panics
    ///
    /// When the bytes lie outside the mapping.
    pub(crate) fn copy_in(&self, offset: usize, from: &[u8]) {
        assert!(offset <= self.bytes && from.len() <= self.bytes - offset);
        // SAFETY: in bounds (checked); `from` is elsewhere; the caller is the only one who looks there.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.base().add(offset), from.len()) }
    }

    /// Makes the pages of `[from, from + bytes)` present and writable, so that a later store takes no fault.
    /// Safe beside concurrent writers: no byte changes.
    pub(crate) fn prefault(&self, from: usize, bytes: usize) {
        let (first, end) = self.pages(from, bytes);
        // SAFETY: the range is within the mapping; populating changes no content.
        let done = unsafe { libc::madvise(self.base().add(first).cast(), end - first, libc::MADV_POPULATE_WRITE) };
        if done != 0 {
            self.touch(first, end);
        }
    }

    /// The old way, for kernels before 5.14. A compare-exchange of zero with zero is a write to the processor and
    /// no change to anybody else.
    fn touch(&self, first: usize, end: usize) {
        for page in (first..end).step_by(PAGE_BYTES) {
            if self.bytes - page >= 8 {
                let _ = self.word(page).compare_exchange(0, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }

    /// Gives the pages of `[from, from + bytes)` back to the kernel; the file keeps the content. Memory, which nothing
    /// keeps, stays.
    pub(crate) fn let_go(&self, from: usize, bytes: usize) {
        if self.source != Source::File {
            return;
        }
        let (first, end) = self.pages(from, bytes);
        // SAFETY: the range is within the mapping. On a shared file mapping DONTNEED drops page-table entries only;
        // the next access finds the same bytes in the page cache.
        unsafe { libc::madvise(self.base().add(first).cast(), end - first, libc::MADV_DONTNEED) };
    }

    /// The pages that hold a range, clipped to the mapping.
    fn pages(&self, from: usize, bytes: usize) -> (usize, usize) {
        let first = from.min(self.bytes) & !(PAGE_BYTES - 1);
        let end = from.saturating_add(bytes).min(self.bytes);
        (first, end.max(first))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        match (self.source, heap_layout(self.bytes)) {
            // SAFETY: exactly what `in_memory` allocated with this layout; every view borrows or holds this value.
            (Source::Heap, Some(layout)) => unsafe { dealloc(self.base(), layout) },
            (Source::Heap, None) => {}
            (Source::Spare, _) => SPARE_IS_TAKEN.store(false, Ordering::Release),
            _ => {
                // SAFETY: exactly what was mapped; every view borrows or holds this value, so none is left.
                unsafe { libc::munmap(self.base().cast(), self.bytes) };
            }
        }
    }
}

/// Maps `bytes` at an address the kernel chooses.
fn map(bytes: usize, flags: libc::c_int, file: libc::c_int, offset: libc::off_t) -> io::Result<NonNull<u8>> {
    // SAFETY: a fresh mapping at an address the kernel chooses touches no existing memory; the result is checked.
    let base =
        unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, file, offset) };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))
}

/// How heap memory is asked for. Aligned to a cache line, as counters are.
fn heap_layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes, SLOT_BYTES).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    fn file(bytes: usize) -> File {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(bytes as u64).expect("a length");
        file
    }

    fn of_file(bytes: usize) -> Mapping {
        Mapping::of_file(&file(bytes), bytes).expect("maps")
    }

    /// Whether the process has a page in its page table: bit 63 of an entry of `/proc/self/pagemap`.
    fn is_present(mapping: &Mapping, page: usize) -> bool {
        let map = File::open("/proc/self/pagemap").expect("the page table");
        let mut entry = [0; 8];
        let at = (mapping.base() as usize / PAGE_BYTES + page) * 8;
        map.read_exact_at(&mut entry, at as u64).expect("an entry");
        u64::from_le_bytes(entry) >> 63 == 1
    }

    #[test]
    fn a_range_is_rounded_down_to_its_page_and_clipped_to_the_mapping() {
        let mapping = of_file(20_000);
        let cases = [
            ((0, 10), (0, 10)),
            ((4095, 1), (0, 4096)),
            ((4096, 4096), (4096, 8192)),
            ((5000, 10), (4096, 5010)),
            ((8191, 1), (4096, 8192)),
            ((12_289, 1), (12_288, 12_290)),
            ((19_999, 100), (16_384, 20_000)),
            ((30_000, 1), (16_384, 20_000)),
            ((8192, usize::MAX), (8192, 20_000)),
        ];
        for ((from, bytes), expected) in cases {
            assert_eq!(mapping.pages(from, bytes), expected, "{bytes} bytes from {from}");
        }
    }

    #[test]
    fn touching_makes_pages_present_and_changes_no_byte() {
        let mapping = of_file(3 * PAGE_BYTES + 4);
        mapping.word(PAGE_BYTES).store(7, Ordering::Relaxed);
        assert!(!is_present(&mapping, 2));
        mapping.touch(PAGE_BYTES, mapping.bytes());
        assert!(is_present(&mapping, 2) && !is_present(&mapping, 0));
        let words = [0, PAGE_BYTES, 2 * PAGE_BYTES].map(|offset| mapping.word(offset).load(Ordering::Relaxed));
        assert_eq!(words, [0, 7, 0]);
    }

    #[test]
    fn what_is_let_go_is_still_there() {
        for mapping in [of_file(2 * PAGE_BYTES), Mapping::in_memory(2 * PAGE_BYTES).expect("memory")] {
            mapping.word(PAGE_BYTES).store(7, Ordering::Relaxed);
            mapping.let_go(0, 2 * PAGE_BYTES);
            assert_eq!(mapping.word(PAGE_BYTES).load(Ordering::Relaxed), 7);
        }
    }

    #[test]
    fn memory_is_zeroed_pages_and_nothing_is_no_memory() {
        let mapping = Mapping::in_memory(PAGE_BYTES).expect("memory");
        assert_eq!((mapping.source, mapping.bytes()), (Source::Pages, PAGE_BYTES));
        assert_eq!(mapping.word(PAGE_BYTES - 8).load(Ordering::Relaxed), 0);
        let refused = |mapping: io::Result<Mapping>| mapping.err().map(|error| error.kind());
        assert_eq!(refused(Mapping::in_memory(0)), Some(io::ErrorKind::InvalidInput));
        assert_eq!(refused(Mapping::of_file(&file(8), 0)), Some(io::ErrorKind::UnexpectedEof));
    }

    #[test]
    fn a_mapping_that_nobody_holds_is_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mapped");
        let file = crate::directory::create_file(&path).expect("a file");
        file.set_len(8).expect("a length");
        let is_mapped = || {
            let maps = std::fs::read_to_string("/proc/self/maps").expect("reads");
            maps.contains(path.to_str().expect("a text"))
        };
        let mapping = Mapping::of_file(&file, 8).expect("maps");
        assert!(is_mapped());
        drop(mapping);
        assert!(!is_mapped());
    }

    /// One test, for there is one spare memory in a process.
    #[test]
    fn the_spare_memory_serves_one_mapping_at_a_time_and_is_zeroed_for_each() {
        let spare = |bytes| take_spare(bytes).map(|base| Mapping { base, bytes, source: Source::Spare });
        assert!(spare(CONTROL_BYTES + 1).is_none(), "it has room for one control file");
        let mapping = spare(CONTROL_BYTES).expect("is free");
        mapping.word(CONTROL_BYTES - 8).store(7, Ordering::Relaxed);
        assert!(spare(PAGE_BYTES).is_none(), "a mapping has it");
        drop(mapping);
        let again = spare(CONTROL_BYTES).expect("is free again");
        assert_eq!(again.word(CONTROL_BYTES - 8).load(Ordering::Relaxed), 0);
        drop(again);
        let of_the_parent = std::mem::ManuallyDrop::new(spare(PAGE_BYTES).expect("a smaller one has it too"));
        assert_eq!(of_the_parent.bytes(), PAGE_BYTES);
        forget_spare_after_fork();
        assert!(spare(PAGE_BYTES).is_some(), "a child has forgotten its parent's");
    }
}
