//! Which exceptions a failure consists of, and what its END holds of them: the one that was raised, what it came from
//! (cause, context) and, of groups, what they hold.
//!
//! They are listed nearest first, each with the position of the one it belongs to: of a group of groups the upper ones
//! are kept when there is no room for all. One that is met twice is listed once, so cycles end.

use std::collections::VecDeque;

use calltape_record::Failure;
use calltape_record::value::ValueWriter;
use pyo3::ffi::{self, PyObject};

use super::frames::{Frames, MAX_WALK};
use super::locals::Locals;
use super::message::message_of;
use super::named::{notes_of, qualified_type};
use super::raised::Raised;
use super::stored::Held;
use crate::capture::Policy;

/// Exceptions kept of one failure.
const MAX_LINKS: usize = 24;
/// Members kept of one group.
const MAX_MEMBERS: usize = 12;
/// Bytes of a failure after which no further exception is written: with the largest exception and its locals, half a
/// segment of the journal.
const MAX_CHAIN_BYTES: usize = 24 * 1024;
/// Characters kept of a message where room is short.
const MAX_BARE_MESSAGE: usize = 200;

/// What is told of one exception.
struct Told {
    kind: String,
    message: String,
    frames: Frames,
}

/// An exception that has been met and is not written yet.
struct Waiting {
    /// Held by [`Chain::met`].
    exception: *mut PyObject,
    relation: &'static str,
    /// The position of the one it belongs to.
    of: usize,
}

/// Appends what `raised` says to an END record.
///
/// # Safety
/// The interpreter lock is held and `raised` is the call's exception.
pub(crate) unsafe fn write_failure_of(raised: &Raised, out: &mut Vec<u8>, policy: &'static Policy) {
    let exception = raised.value();
    if exception.is_null() {
        return;
    }
    // SAFETY: passed on; everything read hangs on the live exception.
    unsafe {
        let mut walk = MAX_WALK;
        let told = Told::of(exception, raised.traceback(), &mut walk, policy);
        let mut chain = Vec::with_capacity(512);
        Chain::write(exception, &told, walk, &mut chain, policy);
        write_head(told, &chain, out);
    }
}

/// Appends only what tells `raised` apart (type, message, place), for a journal with little room.
///
/// # Safety
/// As [`write_failure_of`].
pub(crate) unsafe fn write_bare_failure_of(raised: &Raised, out: &mut Vec<u8>, policy: &'static Policy) {
    let exception = raised.value();
    if exception.is_null() {
        return;
    }
    // SAFETY: passed on.
    let told = unsafe {
        Told {
            kind: qualified_type(ffi::Py_TYPE(exception), policy),
            message: message_of(exception, MAX_BARE_MESSAGE, policy),
            frames: Frames::of(raised.traceback(), &mut { MAX_WALK }, policy),
        }
    };
    let mut chain = Vec::new();
    ValueWriter::list(&mut chain);
    ValueWriter::end(&mut chain);
    write_head(told, &chain, out);
}

/// What tells `raised` apart from other errors: its type, and the file, line and function that raised it.
///
/// # Safety
/// As [`write_failure_of`].
pub(crate) unsafe fn kind_of(raised: &Raised, policy: &'static Policy) -> (String, String, u32, String) {
    let exception = raised.value();
    if exception.is_null() {
        return Default::default();
    }
    // SAFETY: passed on.
    unsafe {
        let mut frames = Frames::of(raised.traceback(), &mut { MAX_WALK }, policy);
        let (file, line, place) = frames.pop_innermost();
        (qualified_type(ffi::Py_TYPE(exception), policy), file, line, place)
    }
}

/// The failure's fixed part; its place is that of the innermost frame.
fn write_head(mut told: Told, chain: &[u8], out: &mut Vec<u8>) {
    let (file, line, place) = told.frames.pop_innermost();
    let failure = Failure { error_type: told.kind, message: told.message, file, line, place, chain };
    calltape_record::write_failure(out, &failure);
}

impl Told {
    /// # Safety
    /// `exception` is live and `traceback` its own, the interpreter lock held, also when this is dropped.
    unsafe fn of(
        exception: *mut PyObject,
        traceback: *mut PyObject,
        walk: &mut usize,
        policy: &'static Policy,
    ) -> Self {
        // SAFETY: passed on.
        unsafe {
            Self {
                kind: qualified_type(ffi::Py_TYPE(exception), policy),
                message: message_of(exception, policy.max_repr, policy),
                frames: Frames::of(traceback, walk, policy),
            }
        }
    }
}

/// The exceptions of a failure, while they are written.
struct Chain {
    /// All that were met, so that none is taken for another at its address.
    met: Held,
    waiting: VecDeque<Waiting>,
    written: usize,
    /// Members of groups that are not listed.
    left_out: usize,
    locals: Locals,
}

impl Chain {
    /// Writes the exception and what it came from and holds as a captured list. `walk` is how many frames of those may be
    /// passed.
    ///
    /// # Safety
    /// `exception` is a live exception, the interpreter lock held.
    unsafe fn write(
        exception: *mut PyObject,
        told: &Told,
        mut walk: usize,
        out: &mut Vec<u8>,
        policy: &'static Policy,
    ) {
        let mut chain =
            Self { met: Held::none(), waiting: VecDeque::new(), written: 0, left_out: 0, locals: Locals::of_failure() };
        ValueWriter::list(out);
        // SAFETY: passed on; `met` holds what waits.
        unsafe {
            chain.met.hold(exception);
            chain.link(exception, told, None, out, policy);
            while let Some(next) = chain.waiting.pop_front() {
                if chain.written == MAX_LINKS || out.len() > MAX_CHAIN_BYTES {
                    chain.left_out += 1 + chain.waiting.len();
                    break;
                }
                let traceback = ffi::PyException_GetTraceback(next.exception);
                let told = Told::of(next.exception, traceback, &mut walk, policy);
                chain.link(next.exception, &told, Some((next.relation, next.of)), out, policy);
                drop(told);
                ffi::Py_XDECREF(traceback);
            }
        }
        if chain.left_out > 0 {
            ValueWriter::more(out, chain.left_out);
        }
        ValueWriter::end(out);
    }

    /// Writes one exception, and has those wait that it came from and that it holds.
    ///
    /// # Safety
    /// `exception` is live, the interpreter lock held.
    unsafe fn link(
        &mut self,
        exception: *mut PyObject,
        told: &Told,
        belongs: Option<(&'static str, usize)>,
        out: &mut Vec<u8>,
        policy: &'static Policy,
    ) {
        let text = |out: &mut Vec<u8>, value: &str| ValueWriter::text(out, value.as_bytes());
        ValueWriter::object(out);
        text(out, "type");
        text(out, &told.kind);
        text(out, "message");
        text(out, &told.message);
        text(out, "relation");
        match belongs {
            Some((relation, of)) => {
                text(out, relation);
                text(out, "of");
                ValueWriter::int(out, of as i64);
            }
            None => ValueWriter::none(out),
        }
        // SAFETY: passed on.
        let (notes, more_notes) = unsafe { notes_of(exception, policy) };
        if !notes.is_empty() {
            text(out, "notes");
            ValueWriter::list(out);
            notes.iter().for_each(|note| text(out, note));
            if more_notes > 0 {
                ValueWriter::more(out, more_notes);
            }
            ValueWriter::end(out);
        }
        text(out, "frames");
        // SAFETY: the frames are held by what is told.
        let locals = if policy.locals { unsafe { self.locals.of(&told.frames, policy) } } else { Vec::new() };
        told.frames.write(&locals, out);
        ValueWriter::end(out);
        let position = self.written;
        self.written += 1;
        // SAFETY: passed on.
        unsafe {
            self.meet_origin(exception, position);
            self.meet_members(exception, position);
        }
    }

    /// # Safety
    /// `exception` is null or live, the interpreter lock held.
    unsafe fn meet(&mut self, exception: *mut PyObject, relation: &'static str, of: usize) {
        // What is no exception, a lying C type might store here.
        // SAFETY: passed on.
        let is_new = unsafe {
            !exception.is_null() && ffi::PyExceptionInstance_Check(exception) != 0 && !self.met.holds(exception)
        };
        if is_new {
            // SAFETY: passed on.
            unsafe { self.met.hold(exception) };
            self.waiting.push_back(Waiting { exception, relation, of });
        }
    }

    /// The exception that this one was raised from or while handling.
    ///
    /// # Safety
    /// `exception` is live, the interpreter lock held.
    unsafe fn meet_origin(&mut self, exception: *mut PyObject, position: usize) {
        // SAFETY: the accessors return new references or null without setting an error.
        unsafe {
            let cause = ffi::PyException_GetCause(exception);
            self.meet(cause, "cause", position);
            // PyO3 declares this C `char` as Rust's, which is four bytes wide: only the first is the interpreter's.
            let suppressed = &raw const (*exception.cast::<ffi::PyBaseExceptionObject>()).suppress_context;
            if cause.is_null() && suppressed.cast::<u8>().read() == 0 {
                let context = ffi::PyException_GetContext(exception);
                self.meet(context, "context", position);
                ffi::Py_XDECREF(context);
            }
            ffi::Py_XDECREF(cause);
        }
    }

    /// What a group holds, whatever its `exceptions` says.
    ///
    /// # Safety
    /// `exception` is live, the interpreter lock held.
    unsafe fn meet_members(&mut self, exception: *mut PyObject, position: usize) {
        // SAFETY: a group's members stand in a tuple, which does not change.
        unsafe {
            let Some(group) = group_of(exception) else { return };
            let members = (*group).members;
            if members.is_null() || ffi::PyTuple_Check(members) == 0 {
                return;
            }
            let count = ffi::PyTuple_GET_SIZE(members) as usize;
            for at in 0..count.min(MAX_MEMBERS) {
                self.meet(ffi::PyTuple_GET_ITEM(members, at as isize), "member", position);
            }
            self.left_out += count.saturating_sub(MAX_MEMBERS);
        }
    }
}

/// A group of exceptions as CPython lays it out, from 3.11 on.
#[repr(C)]
pub(super) struct Group {
    base: ffi::PyBaseExceptionObject,
    pub(super) message: *mut PyObject,
    pub(super) members: *mut PyObject,
}

/// The exception as a group, if it is one.
///
/// # Safety
/// `exception` is live, the interpreter lock held.
pub(super) unsafe fn group_of(exception: *mut PyObject) -> Option<*mut Group> {
    // SAFETY: only the type's bases are read; an instance of a subtype begins with the struct of its base.
    let is_group = unsafe {
        ffi::PyType_IsSubtype(ffi::Py_TYPE(exception), ffi::PyExc_BaseExceptionGroup.cast::<ffi::PyTypeObject>()) != 0
    };
    is_group.then_some(exception.cast())
}
