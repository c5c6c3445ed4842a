//! What a walk may still spend: bytes of JSON, items, levels, time. Called by every reader of values before it writes.
//!
//! A walk knows at any time how many bytes of JSON it may still write such that everything open can be closed: brackets,
//! and the note that says how much was left out, are taken off when a container is entered. A reader always writes one
//! value. Where nothing that makes sense fits it writes `"..."`, for which there is always room, and the walk is
//! *squeezed*: the container then takes the item back and says how many it left out.
//!
//! Notes are for what does not fit, and most values do. So a value is *tried* first, with no room kept for notes: what
//! fits is shown in full. A trial that is squeezed ends at once, and the value is walked again.
//!
//! Time is looked at every so many items. Half of what is allowed is told by the wall clock, the rest by the thread's
//! own processor time, so that a thread which was put aside keeps its values.

use calltape_journal::monotonic_ns;
use calltape_record::value::{ValueWriter, Width};
use pyo3::ffi::{self, PyObject};

use super::policy::MOST_A_BYTE;
use super::walk::{Capture, MOST_DEPTH, type_name};

/// Items between two looks at the clock: some microseconds.
const STEPS_A_LOOK: u32 = 64;

/// What a container reads like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `[...]`; as a whole `[list with 3 items]`.
    Items,
    /// `{...}`; as a whole `[dict with 3 items]`.
    Pairs,
    /// `{...}`; as a whole `[Order]`.
    Fields,
}

impl Shape {
    /// Bytes of the note on so many items that were left out, with the comma before it.
    fn note(self, items: usize) -> usize {
        match self {
            Self::Items => 1 + Width::more_items(items),
            Self::Pairs | Self::Fields => 1 + Width::more_pairs(items),
        }
    }
}

/// How far a walk had come: what was written since can be taken back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) written: usize,
    pub(super) left: usize,
}

/// A container that is being walked.
#[derive(Debug)]
pub(super) struct Level {
    shape: Shape,
    /// Items the container has.
    length: usize,
    /// Items that are kept at most.
    limit: usize,
    pub(super) written: usize,
    /// Bytes kept back for the note on what was left out.
    note: usize,
    is_first: bool,
    /// Items were left out.
    stopped: bool,
    before: Mark,
    /// Null for what has no object of its own: `*args`.
    owner: *mut PyObject,
}

/// How the time is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timing {
    /// Not yet.
    Unread,
    /// By the wall clock, up to here.
    Wall(u64),
    /// By the thread's processor time, up to here.
    Processor(u64),
    /// It is over.
    Over,
}

impl Level {
    /// Says that what follows is left out.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }
}

impl Capture<'_> {
    /// Walks one value at the top, which `walk` does: a second time where the trial was squeezed. A value that does not fit
    /// at all is only named.
    ///
    /// # Safety
    /// `value` is null, for what is no value of its own, or live.
    #[inline]
    pub(super) unsafe fn at_the_top(&mut self, value: *mut PyObject, mut walk: impl FnMut(&mut Self)) {
        let before = self.begin_value();
        self.is_trial = true;
        walk(self);
        self.is_trial = false;
        if self.squeezed {
            self.squeezed = false;
            self.take_back(before);
            walk(self);
        }
        if self.squeezed && !value.is_null() {
            self.take_back(before);
            // SAFETY: a live value has a type.
            self.marker(unsafe { type_name(ffi::Py_TYPE(value)) });
        }
        self.squeezed = false;
        self.end_value(before);
    }

    /// Begins a value at the top: what it may spend, which is told to [`Self::end_value`].
    fn begin_value(&mut self) -> Mark {
        let uncounted = self.out.len().saturating_sub(self.counted);
        self.call_left = self.call_left.saturating_sub(uncounted * MOST_A_BYTE);
        // The shortest marker is written in any case.
        self.left = self.policy.max_repr.min(self.call_left).max(Width::DOTS);
        self.mark()
    }

    /// Ends a value at the top.
    fn end_value(&mut self, before: Mark) {
        self.call_left = self.call_left.saturating_sub(before.left - self.left);
        self.counted = self.out.len();
        let share = self.policy.max_call_bytes - self.call_left;
        self.uncounted_until = self.counted + self.policy.uncounted.saturating_sub(share / MOST_A_BYTE + 1);
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { written: self.out.len(), left: self.left }
    }

    /// Takes back what was written since `mark`.
    pub(super) fn take_back(&mut self, mark: Mark) {
        self.out.truncate(mark.written);
        self.left = mark.left;
    }

    /// Spends `width` bytes of JSON, or writes `"..."` in place of the value that would take them.
    #[inline]
    pub(super) fn may_write(&mut self, width: usize) -> bool {
        if width <= self.left {
            self.left -= width;
            return true;
        }
        self.squeeze();
        false
    }

    /// Writes `"..."`: nothing that makes sense fits.
    #[cold]
    pub(super) fn squeeze(&mut self) {
        ValueWriter::text(self.out, b"...");
        self.left = self.left.saturating_sub(Width::DOTS);
        self.squeezed = true;
    }

    /// Writes `[summary]`.
    pub(super) fn marker(&mut self, summary: &str) {
        if self.may_write(Width::MARKER + Width::text(summary.as_bytes())) {
            ValueWriter::marker(self.out, summary.as_bytes());
        }
    }

    /// Writes `"***"`.
    #[inline]
    pub(super) fn masked(&mut self) {
        if self.may_write(Width::MASKED) {
            ValueWriter::masked(self.out);
        }
    }

    /// Enters a container of `length` items; `None` where it was written as a marker instead.
    ///
    /// # Safety
    /// `owner` is a live object, and outlives the level.
    pub(super) unsafe fn enter(&mut self, owner: *mut PyObject, length: usize, shape: Shape) -> Option<Level> {
        let too_long = self.is_at_the_top() && shape != Shape::Fields && length > self.policy.max_items;
        let too_deep = self.depth - self.bottom >= self.policy.max_depth;
        if self.open.contains(owner, self.depth) {
            // SAFETY: a live object has a type.
            let name = unsafe { type_name(ffi::Py_TYPE(owner)) };
            self.marker(&format!("circular {name}"));
            return None;
        }
        if too_long || too_deep || self.is_late() {
            // SAFETY: passed on.
            unsafe { self.summary(owner, length, shape) };
            return None;
        }
        let level = self.open_level(owner, length, shape);
        if level.is_none() {
            // SAFETY: passed on.
            unsafe { self.summary(owner, length, shape) };
        }
        level
    }

    /// Whether what is written next stands in no container.
    pub(super) fn is_at_the_top(&self) -> bool {
        self.depth == self.bottom
    }

    /// Opens a container that has no object of its own; `None` where there is no level or no room left for it.
    pub(super) fn enter_nameless(&mut self, length: usize, shape: Shape) -> Option<Level> {
        let may = self.depth - self.bottom < self.policy.max_depth && !self.is_late();
        if may { self.open_level(std::ptr::null_mut(), length, shape) } else { None }
    }

    /// Opens what has no object of its own: `*args` and `**kwargs`.
    pub(super) fn enter_arguments(&mut self, length: usize, shape: Shape) -> Option<Level> {
        self.bottom = 1;
        let level = self.open_level(std::ptr::null_mut(), length, shape);
        if level.is_none() {
            self.bottom = 0;
            self.squeeze();
        }
        level
    }

    #[inline]
    fn open_level(&mut self, owner: *mut PyObject, length: usize, shape: Shape) -> Option<Level> {
        let before = self.mark();
        let limit = match shape {
            Shape::Items | Shape::Pairs => self.policy.max_items,
            Shape::Fields => self.policy.max_attributes,
        };
        let needs_none = length == 0 || (self.is_trial && length <= limit);
        let note = if needs_none { 0 } else { shape.note(length) };
        self.left = self.left.checked_sub(2 + note)?;
        if shape == Shape::Items {
            ValueWriter::list(self.out);
        } else {
            ValueWriter::object(self.out);
        }
        self.open.put(self.depth, owner);
        self.depth += 1;
        Some(Level { shape, length, limit, written: 0, note, is_first: true, stopped: false, before, owner })
    }

    /// Closes a container.
    pub(super) fn leave(&mut self, mut level: Level) {
        self.depth -= 1;
        if self.bottom > self.depth {
            self.bottom = 0;
        }
        if self.squeezed {
            return;
        }
        if level.stopped && level.is_first && level.limit > 0 {
            // Nothing fitted: its name says more than its brackets.
            self.take_back(level.before);
            if level.owner.is_null() {
                return self.squeeze();
            }
            // SAFETY: the owner outlives the level.
            return unsafe { self.summary(level.owner, level.length, level.shape) };
        }
        if level.stopped {
            let more = level.length - level.written;
            if level.note == 0 && !self.may_write(level.shape.note(more)) {
                return;
            }
            ValueWriter::more(self.out, more);
            level.note = 0;
        }
        self.left += level.note;
        ValueWriter::end(self.out);
    }

    /// Begins the next item, for which there are `least` bytes then; `None` where no further one is written.
    #[inline]
    pub(super) fn begin_item(&mut self, level: &mut Level, least: usize) -> Option<Mark> {
        if self.squeezed {
            return None;
        }
        if level.written == level.limit || level.written == level.length {
            level.stopped = level.written < level.length;
            return None;
        }
        // Without a next item there is nothing left out to speak of.
        let is_last = level.written + 1 == level.length;
        self.begin_entry(level, least, if is_last { level.note } else { 0 })
    }

    /// Begins an entry that is none of the counted items, as an object's class.
    pub(super) fn begin_extra(&mut self, level: &mut Level, least: usize) -> Option<Mark> {
        self.begin_entry(level, least, 0)
    }

    #[inline]
    fn begin_entry(&mut self, level: &mut Level, least: usize, note: usize) -> Option<Mark> {
        let before = self.mark();
        self.left += note;
        let comma = usize::from(!level.is_first);
        // A trial ends where something does not fit, so it needs no room to say so.
        let needed = if self.is_trial { comma } else { comma + least };
        if self.left < needed {
            self.left = before.left;
            level.stopped = true;
            self.squeezed = self.is_trial;
            return None;
        }
        self.left -= comma;
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_A_LOOK) {
            self.look_at_the_clock();
        }
        Some(before)
    }

    /// Ends an item; false where it did not fit and was taken back.
    #[inline]
    pub(super) fn end_item(&mut self, level: &mut Level, before: Mark) -> bool {
        if self.squeezed {
            self.squeezed = self.is_trial;
            self.take_back(before);
            level.stopped = true;
            return false;
        }
        level.is_first = false;
        level.written += 1;
        if level.written == level.length {
            level.note = 0;
        }
        true
    }

    /// Ends what [`Self::begin_extra`] began; false where it did not fit.
    pub(super) fn end_extra(&mut self, level: &mut Level, before: Mark) -> bool {
        let fitted = !self.squeezed;
        self.squeezed &= self.is_trial;
        if fitted {
            level.is_first = false;
        } else {
            self.take_back(before);
            level.stopped = true;
        }
        fitted
    }

    /// Writes a container as a whole: `[list with 3 items]`, or for an object its type's name.
    ///
    /// # Safety
    /// `owner` is a live object.
    pub(super) unsafe fn summary(&mut self, owner: *mut PyObject, length: usize, shape: Shape) {
        // SAFETY: a live object has a type.
        let name = unsafe { type_name(ffi::Py_TYPE(owner)) };
        if shape == Shape::Fields {
            return self.marker(name);
        }
        self.marker(&format!("{name} with {length} item{}", if length == 1 { "" } else { "s" }));
    }

    /// Whether the time is over: what is left is only named.
    #[inline]
    pub(super) fn is_late(&self) -> bool {
        matches!(self.timing, Timing::Over)
    }

    /// Reads the clock before something of unknown length, as the program's own code. False where that must not begin
    /// now: the value is only tried, and will be walked again.
    #[must_use]
    pub(super) fn begin_unbounded(&mut self) -> bool {
        if self.is_trial {
            self.squeeze();
            return false;
        }
        if matches!(self.timing, Timing::Unread) {
            self.timing = Timing::Wall(monotonic_ns().saturating_add(self.policy.max_capture_ns / 2));
        }
        true
    }

    /// Looks at the clock after it: time on the wall counts.
    pub(super) fn end_unbounded(&mut self) {
        let rest = self.policy.max_capture_ns - self.policy.max_capture_ns / 2;
        if let Timing::Wall(half) = self.timing
            && monotonic_ns() >= half.saturating_add(rest)
        {
            self.timing = Timing::Over;
        }
        self.look_at_the_clock();
    }

    #[cold]
    #[inline(never)]
    fn look_at_the_clock(&mut self) {
        let half = self.policy.max_capture_ns / 2;
        self.timing = match self.timing {
            Timing::Unread => Timing::Wall(monotonic_ns().saturating_add(half)),
            Timing::Wall(until) if monotonic_ns() >= until => match self.policy.max_capture_ns {
                0 => Timing::Over,
                _ => Timing::Processor(processor_ns().saturating_add(half)),
            },
            Timing::Processor(until) if processor_ns() >= until => Timing::Over,
            same => same,
        };
    }
}

/// The processor time of this thread, in nanoseconds.
fn processor_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is valid, and the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

const _: () = assert!(MOST_DEPTH < 64, "the drain refuses values that nest deeper");
