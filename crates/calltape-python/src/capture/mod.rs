//! Walking a Python value under a budget into tagged bytes, on the calling thread, with the interpreter lock held.
//!
//! Who calls it: `wrapper` for arguments, results and failures. What it must never do: run the program's own code (no
//! `__repr__`, `__getattr__`, `__len__`, properties), call into the interpreter where it looks at pending signals
//! (`PyObject_Str`, `PyObject_Repr`, an int's decimal text: a handler's exception would be lost here), build a value in
//! full and cut it afterwards, raise, or change what it looks at. Exact builtin types come first; subclasses of builtins are read from their storage; what is not known
//! is its type's name in brackets.
//!
//! Constraints: one [`Capture`] serves one frame. Its limits ([`Policy`]) are checked before work is done, so a list of
//! ten million items costs what a list of `max_items` does. A limit may be passed by one marker (under 100 bytes).

mod container;
mod failure;
mod known;
mod policy;
mod scalar;
mod walk;

pub(crate) use failure::{Raised, write_bare_failure_of, write_failure_of};
pub(crate) use known::stored_attribute;
pub(crate) use policy::{OwnPolicy, Policy};
pub(crate) use scalar::to_string;
pub(crate) use walk::Capture;

/// Whether a value under this name is withheld, by the default list.
pub(crate) fn is_sensitive(name: &[u8]) -> bool {
    calltape_redact::Names::defaults().is_sensitive(name)
}
