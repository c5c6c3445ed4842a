//! Entering a container, its items one by one, and leaving it: so many items, so deep, and no cycle walked twice.
//!
//! Called by every reader of something with parts; what an item may take is told in `budget`.

use calltape_record::value::{ValueWriter, Width};
use pyo3::ffi::{self, PyObject};

use super::budget::Mark;
use super::walk::{Capture, MAX_TYPE_NAME, MOST_DEPTH, type_name};

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

impl Level {
    /// Says that what follows is left out.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }
}

impl Capture<'_> {
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
        self.step();
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
        let mut words = Words::of(name);
        words.push(" with ");
        words.push_number(length);
        words.push(if length == 1 { " item" } else { " items" });
        self.marker(words.as_str());
    }
}

/// A short text that is put together without an allocation: summaries stand for what is too large to be walked.
struct Words {
    bytes: [u8; Self::MOST],
    length: usize,
}

impl Words {
    /// A type's name, some words and a number.
    const MOST: usize = MAX_TYPE_NAME + 40;

    fn of(text: &str) -> Self {
        let mut words = Self { bytes: [0; Self::MOST], length: 0 };
        words.push(text);
        words
    }

    /// Adds `text`; what would be too much is left out.
    fn push(&mut self, text: &str) {
        let end = self.length + text.len();
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(text.as_bytes());
            self.length = end;
        }
    }

    fn push_number(&mut self, number: usize) {
        let (mut digits, mut at, mut rest) = ([0; 20], 20, number);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push(std::str::from_utf8(&digits[at..]).unwrap_or_default());
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

const _: () = assert!(MOST_DEPTH < 64, "the drain refuses values that nest deeper");
