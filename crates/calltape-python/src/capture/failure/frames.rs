//! Where an exception came from: the innermost frames of its traceback.
//!
//! A traceback is linked from the outside in, so all of it is passed to reach its innermost frames. That is bounded: an
//! exception object that is raised again and again carries all of its ways, and each step of a million costs 60 ns.

use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject};

use super::masking::name_of;
use super::outside::is_outside;
use super::stored::{Held, Name};
use crate::capture::Policy;

/// Frames kept of one exception.
const MAX_FRAMES: usize = 32;
/// Bytes of file and function names kept of one exception's frames.
const MAX_FRAMES_BYTES: usize = 12 * 1024;

static FILE: Name = Name::new(c"co_filename");
static FUNCTION: Name = Name::new(c"co_qualname");

/// Frames passed to find the innermost ones, of all exceptions of a failure together: a millisecond.
pub(super) const MAX_WALK: usize = 16_384;

/// The innermost frames of an exception, outermost first; of a traceback too long to be passed, its outermost.
pub(super) struct Frames {
    pub(super) kept: Vec<Frame>,
    /// Frames outside of those kept.
    left_out: usize,
    /// Frames that were passed inside of those kept, before the walk was given up.
    given_up: Option<usize>,
    /// The traceback's entries, which hold the frames.
    held: Held,
}

/// One of them.
pub(super) struct Frame {
    file: String,
    line: u32,
    function: String,
    is_outside: bool,
    /// Held by the entry it was read from.
    pub(super) frame: *mut ffi::PyFrameObject,
}

impl Frames {
    /// The frames of a traceback. `walk` is how many may be passed, and is what is left of it afterwards.
    ///
    /// # Safety
    /// `traceback` is null, None or a live traceback, the interpreter lock held, also when this is dropped.
    pub(super) unsafe fn of(traceback: *mut PyObject, walk: &mut usize, policy: &Policy) -> Self {
        let mut frames = Self { kept: Vec::new(), left_out: 0, given_up: None, held: Held::none() };
        let mut first = [std::ptr::null_mut::<ffi::PyTracebackObject>(); MAX_FRAMES];
        let mut ring = first;
        let mut count = 0;
        // SAFETY: tb_next links live tracebacks; the exact type is checked once, and only tracebacks are linked. Those
        // that are kept are held before anything is called that might unlink them.
        unsafe {
            if traceback.is_null() || ffi::PyTraceBack_Check(traceback) == 0 {
                return frames;
            }
            let mut link = traceback.cast::<ffi::PyTracebackObject>();
            while !link.is_null() && count < *walk {
                if count < MAX_FRAMES {
                    first[count] = link;
                }
                ring[count % MAX_FRAMES] = link;
                count += 1;
                link = (*link).tb_next;
            }
            *walk -= count;
            let kept = count.min(MAX_FRAMES);
            if link.is_null() {
                frames.left_out = count - kept;
                ring.rotate_left(if count > MAX_FRAMES { count % MAX_FRAMES } else { 0 });
            } else {
                frames.given_up = Some(count - kept);
                ring = first;
            }
            let entries = &ring[..kept];
            entries.iter().for_each(|&entry| frames.held.hold(entry.cast()));
            let mut files = Files::none();
            frames.kept = entries.iter().map(|&entry| Frame::of(entry, &mut files, policy)).collect();
        }
        frames.keep_within(MAX_FRAMES_BYTES);
        frames
    }

    /// File, line and function of the innermost frame, taken out; nothing where there is none.
    pub(super) fn pop_innermost(&mut self) -> (String, u32, String) {
        self.kept.pop().map_or_else(Default::default, |frame| (frame.file, frame.line, frame.function))
    }

    /// Leaves the outermost frames out until the names of the others take at most `bytes`.
    fn keep_within(&mut self, bytes: usize) {
        let mut room = bytes;
        let fitting = self.kept.iter().rev().take_while(|frame| {
            let taken = frame.file.len() + frame.function.len();
            let fits = taken <= room;
            room = room.saturating_sub(taken);
            fits
        });
        let dropped = self.kept.len() - fitting.count();
        self.kept.drain(..dropped);
        self.left_out += dropped;
    }

    /// Writes them as a captured list; `locals` are the variables captured of the innermost ones, outermost first.
    pub(super) fn write(&self, locals: &[Vec<u8>], out: &mut Vec<u8>) {
        ValueWriter::list(out);
        if self.left_out > 0 {
            ValueWriter::more(out, self.left_out);
        }
        let without = self.kept.len() - locals.len().min(self.kept.len());
        for (at, frame) in self.kept.iter().enumerate() {
            frame.write(at.checked_sub(without).and_then(|at| locals.get(at)), out);
        }
        if let Some(passed) = self.given_up {
            ValueWriter::text(out, format!("... over {passed} more").as_bytes());
        }
        ValueWriter::end(out);
    }
}

/// The file of the frame before: most frames of a traceback are of few files.
struct Files {
    /// Compared only, and only while the frame before, which holds it, is held.
    object: *mut PyObject,
    path: String,
    is_outside: bool,
}

impl Files {
    const fn none() -> Self {
        Self { object: std::ptr::null_mut(), path: String::new(), is_outside: false }
    }

    /// A file's path, and whether it is outside the program.
    ///
    /// # Safety
    /// `object` is null or live and kept by a frame that is held, the interpreter lock held.
    unsafe fn of(&mut self, object: *mut PyObject, policy: &Policy) -> (&str, bool) {
        if object.is_null() || object != self.object {
            // SAFETY: passed on.
            unsafe {
                self.object = object;
                self.path = name_of(object, policy);
                self.is_outside = is_outside(&self.path);
            }
        }
        (&self.path, self.is_outside)
    }
}

impl Frame {
    /// # Safety
    /// `entry` is a live traceback entry, the interpreter lock held.
    unsafe fn of(entry: *mut ffi::PyTracebackObject, files: &mut Files, policy: &Policy) -> Self {
        // SAFETY: a traceback's frame has a code object; its names are strs, and the references to them are dropped.
        unsafe {
            let frame = (*entry).tb_frame;
            let code = ffi::PyFrame_GetCode(frame);
            let line = match (*entry).tb_lineno {
                unknown if unknown <= 0 => ffi::PyCode_Addr2Line(code, (*entry).tb_lasti),
                known => known,
            };
            let (file, function) = (FILE.of(code.cast()), FUNCTION.of(code.cast()));
            ffi::Py_DECREF(code.cast());
            let (path, is_outside) = files.of(file, policy);
            let (path, function_name) = (path.to_owned(), name_of(function, policy));
            ffi::Py_XDECREF(file);
            ffi::Py_XDECREF(function);
            let line = u32::try_from(line).unwrap_or(0);
            Self { file: path, line, function: function_name, is_outside, frame }
        }
    }

    fn write(&self, locals: Option<&Vec<u8>>, out: &mut Vec<u8>) {
        ValueWriter::object(out);
        ValueWriter::text(out, b"file");
        ValueWriter::text(out, self.file.as_bytes());
        ValueWriter::text(out, b"line");
        ValueWriter::int(out, i64::from(self.line));
        ValueWriter::text(out, b"function");
        ValueWriter::text(out, self.function.as_bytes());
        if self.is_outside {
            ValueWriter::text(out, b"outside");
            ValueWriter::bool(out, true);
        }
        if let Some(locals) = locals.filter(|locals| !locals.is_empty()) {
            ValueWriter::text(out, b"locals");
            out.extend_from_slice(locals);
        }
        ValueWriter::end(out);
    }
}
