//! Walking a Python value under a budget into tagged bytes, on the calling thread, with the interpreter lock held.
//!
//! Who calls it: `wrapper` for arguments, results and failures. What it must never do: run the program's own code (no
//! `__repr__`, `__getattr__`, `__len__`, properties), call into the interpreter where it looks at pending signals
//! (`PyObject_Str`, `PyObject_Repr`, an int's decimal text: a handler's exception would be lost here), build a value in
//! full and cut it afterwards, raise, or change what it looks at. Exact builtin types come first; subclasses of builtins
//! are read from their storage; what is not known is its type's name in brackets.
//!
//! Constraints: one [`Capture`] serves the arguments of one call, or one result. Its limits ([`Policy`]) are checked
//! before work is done, so a list of ten million items costs what a list of `max_items` does, and no value takes more
//! bytes of JSON than it may.
//!
//! ```text
//! policy.rs     what may be spent, withheld and run: decided once a function and run
//! walk.rs       one walk: small values at the top, then by type
//! budget.rs     what a walk may still spend, in bytes of JSON
//! level.rs      entering a container, its items, leaving it
//! timing.rs     how long a walk may take
//! scalar.rs     numbers
//! text.rs       text and bytes: mask first, then cut
//! container.rs  lists, tuples, dicts, sets
//! kinds/        what a type is, and how an object of it is read
//! views.rs      containers on other containers, and those that are read item by item
//! own.rs        the program's own code for showing objects, under guard
//! failure/      exceptions: the chain, groups, frames, local variables
//! serializer.rs the capture as a tool
//! storage.rs    layouts of the interpreter's that its C API does not show
//! ```

mod budget;
mod container;
mod failure;
mod kinds;
mod level;
mod own;
mod policy;
mod scalar;
mod serializer;
mod storage;
mod text;
mod timing;
mod views;
mod walk;

pub(crate) use failure::{Raised, Variables, kind_of, write_bare_failure_of, write_failure_of};
pub(crate) use kinds::{Held, stored_attribute};
pub(crate) use own::register;
pub(crate) use policy::{Limits, OwnPolicy, Policy, forget_held_locks};
pub(crate) use serializer::Serializer;
pub(crate) use text::to_string;
pub(crate) use walk::Capture;
