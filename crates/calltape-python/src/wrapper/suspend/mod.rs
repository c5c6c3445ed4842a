//! Calls whose body can be suspended: coroutines, generators and async generators.
//!
//! Calling such a function makes an object; the body runs later, in slices. The program gets the interpreter's own
//! object. Only its type is switched, to a static subtype of the same layout and name, whose slots note when the body is
//! given control and when it gives it back, and do the rest with the base type's slots. So attributes, warnings, hooks,
//! tracebacks and garbage collection are the interpreter's.
//!
//! ```text
//! kinds.rs    the subtypes, and switching between a subtype and its base
//! table.rs    what is kept of an object from its call to its end, by address
//! handing.rs  a call, handed over to the object that it made
//! slice.rs    a slice of a body: begin, suspend, end
//! over.rs     the end of a call whose body is over
//! awaiting.rs what may be awaited or iterated over
//! body.rs     the slots of generators and coroutines, and the end of all three kinds
//! returned.rs what a body returned, as the exception that carries it
//! steps.rs    the objects through which the interpreter drives a body: asend, athrow, aclose, __await__
//! ```
//!
//! Invariants. An object is of a subtype only while its body is suspended or has not begun, and has an entry in the table
//! then: while the body runs, after its end and when it is freed it is of the base type, for the interpreter's C code
//! tells the exact types apart. A call is current only during its slices.

mod awaiting;
mod body;
mod handing;
mod kinds;
mod over;
mod returned;
mod slice;
mod steps;
mod table;

pub(super) use handing::{hand_over, hand_over_missing, is_suspended_object};
pub(crate) use kinds::install;
