//! The extension's allocator: the C library's, and where that has no memory left, an arena for emergencies.
//!
//! Rust ends the process when an allocation fails that cannot say so, and a recorder must never end its program. So what
//! little a call needs comes from the arena then, new calls are counted and not captured while it is in use
//! ([`is_short`]), and threads that hold no interpreter lock, the drain's above all, wait until there is memory again:
//! nobody waits for them. What may be large on a caller's way asks with `try_reserve` and does without.
//!
//! The arena is static: a fork copies it, and it costs nothing until it is touched.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use pyo3::ffi;

/// Bytes of the arena: thousands of the small pieces that a call, an error or a line for the log takes.
const ARENA_BYTES: usize = 1 << 20;

/// Bytes of a piece; what is smaller takes one, and no alignment is larger. Most requests are for names and nodes.
const PIECE_BYTES: usize = 64;

const PIECES: usize = ARENA_BYTES / PIECE_BYTES;

/// No request beyond this is served from the arena: 128 KiB, room for the largest captured call of usual settings.
const LARGEST_BYTES: usize = 128 << 10;

/// Pieces beyond which the arena is the callers' alone.
const SHARED_PIECES: usize = PIECES / 2;

/// How long a thread without the interpreter lock waits for memory before it gives up, and the process with it.
const PATIENCE: Duration = Duration::from_secs(600);

/// Between two tries of such a thread, doubling up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What must be had from the C library for memory to count as there again: more than a call takes.
const PROBE_BYTES: usize = 64 << 10;

/// The allocator.
pub(crate) struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Memory that nobody but [`Arena`] hands out.
#[repr(align(4096))]
struct Bytes(UnsafeCell<[u8; ARENA_BYTES]>);

/// The arena, in pieces that a bit each says are taken.
struct Arena {
    bytes: Bytes,
    taken: [AtomicU64; PIECES / 64],
    /// Pieces taken.
    used: AtomicUsize,
    /// Held while bits are looked for; never over anything else.
    searching: AtomicBool,
}

// SAFETY: each piece belongs to whoever took it, which the bits, changed under `searching`, see to.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena {
    bytes: Bytes(UnsafeCell::new([0; ARENA_BYTES])),
    taken: [const { AtomicU64::new(0) }; PIECES / 64],
    used: AtomicUsize::new(0),
    searching: AtomicBool::new(false),
};

impl Arena {
    fn holds(&self, place: *mut u8) -> bool {
        let first = self.bytes.0.get() as usize;
        (first..first + ARENA_BYTES).contains(&(place as usize))
    }

    /// Takes the first run of pieces that is long enough; null where there is none below `most` pieces in use, or where
    /// the search cannot be had.
    fn take(&self, layout: Layout, most: usize) -> *mut u8 {
        let pieces = layout.size().div_ceil(PIECE_BYTES).max(1);
        if layout.size() > LARGEST_BYTES || layout.align() > PIECE_BYTES || !self.begin_search() {
            return ptr::null_mut();
        }
        let found = if self.used.load(Ordering::Relaxed) + pieces <= most { self.find(pieces) } else { None };
        if let Some(first) = found {
            (first..first + pieces).for_each(|piece| self.mark(piece, true));
            self.used.fetch_add(pieces, Ordering::Relaxed);
        }
        self.end_search();
        // SAFETY: `first` is a piece of the arena.
        found.map_or(ptr::null_mut(), |first| unsafe { self.bytes.0.get().cast::<u8>().add(first * PIECE_BYTES) })
    }

    fn give_back(&self, place: *mut u8, layout: Layout) {
        let pieces = layout.size().div_ceil(PIECE_BYTES).max(1);
        let first = (place as usize - self.bytes.0.get() as usize) / PIECE_BYTES;
        // Where the search cannot be had, the pieces are lost, which harms nobody.
        if self.begin_search() {
            (first..first + pieces).for_each(|piece| self.mark(piece, false));
            self.used.fetch_sub(pieces, Ordering::Relaxed);
            self.end_search();
        }
    }

    fn find(&self, pieces: usize) -> Option<usize> {
        let (mut run, mut piece) = (0, 0);
        while piece < PIECES {
            let bits = self.taken[piece / 64].load(Ordering::Relaxed) >> (piece % 64);
            // To the next taken piece, or the end of the word.
            let free = (bits.trailing_zeros() as usize).min(64 - piece % 64);
            if run + free >= pieces {
                return Some(piece - run);
            }
            let taken = (bits >> (free % 64)).trailing_ones() as usize;
            (run, piece) = if free == 64 - piece % 64 { (run + free, piece + free) } else { (0, piece + free + taken) };
        }
        None
    }

    fn mark(&self, piece: usize, taken: bool) {
        let (word, bit) = (&self.taken[piece / 64], 1 << (piece % 64));
        let bits = word.load(Ordering::Relaxed);
        word.store(if taken { bits | bit } else { bits & !bit }, Ordering::Relaxed);
    }

    fn begin_search(&self) -> bool {
        // A search takes microseconds; who waits a thousand times as long waits for a thread that is not there.
        for turn in 0..100_000 {
            // Acquire; its partner is the store in `end_search`.
            if self.searching.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return true;
            }
            if turn % 64 == 63 { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        false
    }

    fn end_search(&self) {
        self.searching.store(false, Ordering::Release);
    }
}

/// Whether others may wait for this thread. Once there was a sub-interpreter, `PyGILState_Check` says so of every thread;
/// one that never ran Python, as the drain's, has no state and holds no lock.
fn holds_the_interpreter_lock() -> bool {
    // SAFETY: both ask only; they may be called by any thread at any time.
    unsafe { !ffi::PyGILState_GetThisThreadState().is_null() && ffi::PyGILState_Check() != 0 }
}

/// In a forked child: a thread that is not there may have been in the middle of a search. What it was taking or giving back
/// may be lost, as is what other threads had.
///
/// # Safety
/// No other thread of this process is running.
pub(crate) unsafe fn forget_search() {
    ARENA.end_search();
}

/// Memory where the C library has none; null where there is none at all.
#[cold]
fn in_an_emergency(layout: Layout, again: impl Fn() -> *mut u8) -> *mut u8 {
    let holds_lock = holds_the_interpreter_lock();
    let place = ARENA.take(layout, if holds_lock { PIECES } else { SHARED_PIECES });
    if !place.is_null() || holds_lock {
        return place;
    }
    let mut waited = Duration::ZERO;
    let mut pause = FIRST_PAUSE;
    while waited < PATIENCE {
        std::thread::sleep(pause);
        let place = again();
        if !place.is_null() {
            return place;
        }
        waited += pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    ptr::null_mut()
}

// SAFETY: memory is the C library's or a run of pieces of the arena that nobody else has, each as large and as aligned as
// asked for; it goes back to where its address says it came from. Nothing here unwinds or allocates by itself.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on.
        let place = unsafe { System.alloc(layout) };
        // SAFETY: passed on.
        if place.is_null() { in_an_emergency(layout, || unsafe { System.alloc(layout) }) } else { place }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on.
        let place = unsafe { System.alloc_zeroed(layout) };
        if !place.is_null() {
            return place;
        }
        // SAFETY: passed on.
        let place = in_an_emergency(layout, || unsafe { System.alloc(layout) });
        if !place.is_null() {
            // SAFETY: freshly taken, of this size.
            unsafe { ptr::write_bytes(place, 0, layout.size()) };
        }
        place
    }

    #[inline]
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if ARENA.holds(place) {
            ARENA.give_back(place, layout);
        } else {
            // SAFETY: passed on; what is not the arena's is the C library's.
            unsafe { System.dealloc(place, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        if !ARENA.holds(place) {
            // SAFETY: passed on.
            let moved = unsafe { System.realloc(place, layout, bytes) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: the caller gives a size that fits this alignment.
        let larger = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
        // SAFETY: passed on; the old memory is given back only once it is copied, as much as both have.
        unsafe {
            let moved = self.alloc(larger);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(place, moved, layout.size().min(bytes));
                self.dealloc(place, layout);
            }
            moved
        }
    }
}

/// Whether memory is so short that a call should be counted and not captured. One load as long as all is well.
#[inline]
pub(crate) fn is_short() -> bool {
    ARENA.used.load(Ordering::Relaxed) != 0 && is_still_short()
}

#[cold]
fn is_still_short() -> bool {
    ARENA.used.load(Ordering::Relaxed) > SHARED_PIECES || !has(PROBE_BYTES)
}

/// Lets a fault of calltape's own print nothing while memory is short: the standard library would allocate for its words,
/// and for a trace of the stack far more than there is.
pub(crate) fn quieten_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |fault| {
            if !is_short() {
                usual(fault);
            }
        }));
    });
}

/// Whether the C library has this much memory now, in one piece.
pub(crate) fn has(bytes: usize) -> bool {
    // SAFETY: what is allocated is given back at once; null may be.
    unsafe {
        let place = std::hint::black_box(libc::malloc(bytes));
        libc::free(place);
        !place.is_null()
    }
}
