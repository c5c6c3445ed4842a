//! The program's own code for showing objects, where it was asked for: `register`, a method `__calltape__`, and `repr()`.
//!
//! This is the only place of capture that runs the program's code, and what it does stays here: an exception of any kind
//! becomes a marker, calls of monitored functions within pass through, a run that it stops or forks away is left alone,
//! and the exception that the caller had set is put back. Code that fails five times is not run any more for its type.
//!
//! A `KeyboardInterrupt` is most likely the user's and not the code's: it is handed back to the program, which gets it
//! at its next look at signals. An exception that another signal's handler raises within is the code's failure.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::failure::Raised;
use super::kinds::{self, Held};
use super::walk::{Capture, is_always_plain, type_name};
use crate::runtime::{self, Guarded};

/// Failures after which a type's own code is not run any more.
const MOST_FAILURES: u32 = 5;
/// Objects shown by their own code within one another.
const MOST_NESTED: usize = 4;
/// Types whose failures are counted; beyond, the counts begin anew.
const MOST_COUNTED: usize = 1024;

/// Which code of the program's shows the objects of a type.
#[derive(Clone)]
pub(super) enum Own {
    /// The function registered for the type or a base.
    Function(Rc<Registered>),
    /// The method `__calltape__` of the type or a base.
    Method,
}

/// A registration: both references are owned.
pub(super) struct Registered {
    kind: *mut PyTypeObject,
    function: *mut PyObject,
}

impl Drop for Registered {
    fn drop(&mut self) {
        // SAFETY: registrations are dropped with the interpreter lock held, as all of the cache is.
        unsafe {
            ffi::Py_DECREF(self.kind.cast());
            ffi::Py_DECREF(self.function);
        }
    }
}

/// Registrations by the type's address, which each of them keeps.
static REGISTERED: Guarded<Option<HashMap<usize, Rc<Registered>>>> = Guarded::new(None);
/// Failures by the type's address and version tag; a registration's by address alone.
static FAILURES: Guarded<Option<HashMap<(usize, u32), u32>>> = Guarded::new(None);

/// An object that is being shown by its own code.
#[derive(Clone, Copy)]
struct Shown {
    object: *mut PyObject,
    /// The code runs, and has made nothing yet.
    runs: bool,
}

thread_local! {
    /// The objects that are being shown by their own code on this thread, outermost first.
    static SHOWN: RefCell<Vec<Shown>> = const { RefCell::new(Vec::new()) };
}

/// An object's place among those that are being shown, until this is dropped.
struct Place(usize);

impl Place {
    fn take(object: *mut PyObject) -> Self {
        SHOWN.with_borrow_mut(|shown| {
            shown.push(Shown { object, runs: true });
            Self(shown.len() - 1)
        })
    }

    /// The code has run; what it made is captured.
    fn has_run(&self) {
        SHOWN.with_borrow_mut(|shown| shown.iter_mut().skip(self.0).for_each(|shown| shown.runs = false));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        SHOWN.with_borrow_mut(|shown| shown.truncate(self.0));
    }
}

/// Registers `function` for `kind` and its subclasses; None takes the registration away.
///
/// # Errors
/// When either is of a wrong type, or objects of the type are captured as what they are.
pub(crate) fn register(kind: &Bound<'_, PyAny>, function: &Bound<'_, PyAny>) -> PyResult<()> {
    let Ok(kind) = kind.cast::<PyType>() else {
        let found = kind.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!("register: the first argument must be a type, not {found}")));
    };
    if !function.is_none() && !function.is_callable() {
        return Err(PyTypeError::new_err("register: the second argument must be a function of one object, or None"));
    }
    let kind = kind.as_type_ptr();
    if is_always_plain(kind) {
        // SAFETY: a live type.
        let name = unsafe { type_name(kind) };
        return Err(PyValueError::new_err(format!(
            "register: {name} is captured as it is; register a type of your own"
        )));
    }
    // SAFETY: the interpreter lock is held, as the arguments prove; the old registration is dropped outside of the map.
    unsafe {
        let all = (*REGISTERED.get()).get_or_insert_with(HashMap::new);
        let old = if function.is_none() {
            all.remove(&kind.addr())
        } else {
            ffi::Py_INCREF(kind.cast());
            ffi::Py_INCREF(function.as_ptr());
            all.insert(kind.addr(), Rc::new(Registered { kind, function: function.as_ptr() }))
        };
        if let Some(counts) = &mut *FAILURES.get() {
            counts.remove(&(kind.addr(), 0));
        }
        drop(old);
        kinds::forget();
    }
    Ok(())
}

/// How objects of a type are shown by code of the program's.
pub(super) enum Showing {
    /// By this.
    By(Own),
    /// They were, and it failed too often: from then on they are only named, for it may have been there to hide what
    /// they store.
    Disabled,
    /// Not at all.
    No,
}

/// The code that shows the objects of `kind`.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
pub(super) unsafe fn of_type(kind: *mut PyTypeObject) -> Showing {
    // SAFETY: passed on; the map is looked into and left at once.
    unsafe {
        let own = kinds::first_in_mro(kind, |base| {
            if let Some(registered) = (*REGISTERED.get()).as_ref().and_then(|all| all.get(&base.addr())) {
                return Some(Some(Own::Function(Rc::clone(registered))));
            }
            let method = kinds::dict_of_type(base)?.entry("__calltape__")?;
            // As for `__hash__`, None says that a base's method is not meant for this class.
            Some((!method.is_none()).then_some(Own::Method))
        });
        match own.flatten() {
            Some(own) if is_disabled(key_of(&own, kind)) => Showing::Disabled,
            Some(own) => Showing::By(own),
            None => Showing::No,
        }
    }
}

/// # Safety
/// As [`of_type`].
unsafe fn key_of(own: &Own, kind: *mut PyTypeObject) -> (usize, u32) {
    match own {
        Own::Function(registered) => (registered.kind.addr(), 0),
        // SAFETY: passed on.
        Own::Method => unsafe { (kind.addr(), kinds::tag_of(kind)) },
    }
}

/// # Safety
/// The interpreter lock is held.
unsafe fn is_disabled(key: (usize, u32)) -> bool {
    // SAFETY: passed on.
    unsafe {
        (*FAILURES.get()).as_ref().and_then(|counts| counts.get(&key)).is_some_and(|&count| count >= MOST_FAILURES)
    }
}

impl Capture<'_> {
    /// Captures what the program's own code makes of an object.
    ///
    /// # Safety
    /// `value` is live and held and of the type `kind`, the interpreter lock held.
    #[cold]
    pub(super) unsafe fn own(&mut self, value: *mut PyObject, kind: *mut PyTypeObject, own: &Own) {
        // SAFETY: passed on.
        unsafe {
            let (key, what) = match own {
                Own::Function(_) => (key_of(own, kind), "registered function"),
                Own::Method => (key_of(own, kind), "__calltape__"),
            };
            self.shown(value, kind, key, what, || match own {
                Own::Function(registered) => ffi::PyObject_CallOneArg(registered.function, value),
                Own::Method => call_method(value, kind),
            });
        }
    }

    /// Captures an object by its `repr()`, or from storage where that has failed too often.
    ///
    /// # Safety
    /// As [`Self::own`].
    #[cold]
    pub(super) unsafe fn by_repr(&mut self, value: *mut PyObject, kind: *mut PyTypeObject) {
        // SAFETY: passed on; the slot is called as the interpreter's own `repr()` would call it.
        unsafe {
            let key = (kind.addr() | 1, kinds::tag_of(kind));
            let slot = (*kind).tp_repr.filter(|_| !is_disabled(key));
            let Some(slot) = slot else { return self.stored_object(value, kind) };
            self.shown(value, kind, key, REPR, || {
                let text = slot(value);
                if !text.is_null() && ffi::PyUnicode_Check(text) == 0 {
                    ffi::Py_DECREF(text);
                    ffi::PyErr_SetString(ffi::PyExc_TypeError, c"__repr__ returned no str".as_ptr());
                    return std::ptr::null_mut();
                }
                text
            });
        }
    }

    /// Runs `code` and captures its result, or a marker that says what it raised.
    ///
    /// # Safety
    /// As [`Self::own`]; `code` returns a new reference, or null with an exception set.
    unsafe fn shown(
        &mut self,
        value: *mut PyObject,
        kind: *mut PyTypeObject,
        key: (usize, u32),
        what: &str,
        code: impl FnOnce() -> *mut PyObject,
    ) {
        let (depth, met) =
            SHOWN.with_borrow(|shown| (shown.len(), shown.iter().rev().find(|shown| shown.object == value).copied()));
        // SAFETY: passed on; type and value are held while the code runs.
        unsafe {
            match met {
                Some(Shown { runs: false, .. }) => return self.marker(&format!("circular {}", type_name(kind))),
                // Its own code asks for it.
                Some(_) => return self.stored_object(value, kind),
                None if depth >= MOST_NESTED => return self.stored_object(value, kind),
                None => {}
            }
            let _held = (Held::of(kind.cast()), Held::of(value));
            if !self.begin_unbounded() {
                return;
            }
            let place = Place::take(value);
            let made = guarded(code);
            place.has_run();
            self.end_unbounded();
            match made {
                Ok(made) if made.get() == value => self.stored_object(value, ffi::Py_TYPE(value)),
                Ok(made) => self.any(made.get()),
                Err(raised) => {
                    if raised != INTERRUPT {
                        note_failure(key, kind, what, &raised);
                    }
                    self.marker(&format!("{}: {what} raised {raised}", type_name(kind)));
                }
            }
        }
    }
}

/// Run where a decoration asks for it: where it fails, nothing was to be hidden.
const REPR: &str = "__repr__";
/// The exception that is the user's.
const INTERRUPT: &str = "KeyboardInterrupt";

/// Calls the method `__calltape__` that an object's type has; what the object itself stores is not asked.
///
/// # Safety
/// As [`Capture::own`].
unsafe fn call_method(value: *mut PyObject, kind: *mut PyTypeObject) -> *mut PyObject {
    // SAFETY: passed on; the method is bound as the interpreter binds methods.
    unsafe {
        let Some(method) = kinds::stored_in_type(kind, "__calltape__") else {
            ffi::PyErr_SetString(ffi::PyExc_AttributeError, c"__calltape__".as_ptr());
            return std::ptr::null_mut();
        };
        let Some(bind) = (*ffi::Py_TYPE(method.get())).tp_descr_get else {
            return ffi::PyObject_CallNoArgs(method.get());
        };
        let bound = bind(method.get(), value, kind.cast());
        if bound.is_null() {
            return bound;
        }
        let made = ffi::PyObject_CallNoArgs(bound);
        ffi::Py_DECREF(bound);
        made
    }
}

/// Runs the program's code; the name of what it raised, where it did. Whatever it does, this thread is busy with
/// capture, before and after.
///
/// # Safety
/// The interpreter lock is held; `code` returns a new reference, or null with an exception set.
unsafe fn guarded(code: impl FnOnce() -> *mut PyObject) -> Result<Held, String> {
    // SAFETY: passed on; the thread's own recording.
    unsafe {
        let thread = runtime::this_thread();
        let was_busy = std::mem::replace(&mut (*thread).busy, true);
        let pending = (!ffi::PyErr_Occurred().is_null()).then(|| Raised::take());
        let generation = runtime::generation();
        let made = code();
        let made = if made.is_null() { Err(take_name()) } else { Held::taken(made).ok_or_else(String::new) };
        if generation != runtime::generation() {
            (*thread).abandon_run();
        }
        if let Some(pending) = pending {
            pending.put_back();
        }
        (*thread).busy = was_busy;
        made
    }
}

/// Clears the exception that is set; its type's name.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn take_name() -> String {
    // SAFETY: passed on; an exception's type is live while it is set.
    unsafe {
        let kind = ffi::PyErr_Occurred();
        if kind.is_null() {
            return "nothing".to_owned();
        }
        if ffi::PyErr_GivenExceptionMatches(kind, ffi::PyExc_KeyboardInterrupt) != 0 {
            ffi::PyErr_Clear();
            ffi::PyErr_SetInterrupt();
            return INTERRUPT.to_owned();
        }
        let name = type_name(kind.cast()).to_owned();
        ffi::PyErr_Clear();
        name
    }
}

/// Counts a failure; with the last one that is borne, the code is disabled and the log told so.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
unsafe fn note_failure(key: (usize, u32), kind: *mut PyTypeObject, what: &str, raised: &str) {
    runtime::note_failed_capture();
    // SAFETY: passed on; the counts are touched and left at once.
    unsafe {
        let counts = (*FAILURES.get()).get_or_insert_with(HashMap::new);
        if counts.len() >= MOST_COUNTED {
            counts.retain(|_, count| *count >= MOST_FAILURES);
            if counts.len() >= MOST_COUNTED {
                counts.clear();
            }
        }
        let count = counts.entry(key).or_insert(0);
        *count += 1;
        if *count != MOST_FAILURES {
            return;
        }
        let (name, is_repr) = (type_name(kind), what == REPR);
        let from_now_on = if is_repr { "captured from what they store" } else { "only named" };
        runtime::say_later(format!(
            "{name}: {what} raised {raised}, {MOST_FAILURES} times by now; it is not run any more, and objects of the \
             type are {from_now_on}"
        ));
        kinds::forget();
    }
}
