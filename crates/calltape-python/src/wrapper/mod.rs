//! The native callable that stands in for a monitored function.
//!
//! ```text
//! call.rs        the way in and out of one call (the hot path)
//! sampled.rs     the beginning of a call for which something is decided
//! missing.rs     the end of a call that has no START: counted, or recorded after all
//! end.rs         the END of a call, or as much of it as there is room for
//! span.rs        blocks, the running call as an object, blocks without recording
//! carried.rs     a callable that takes the running call along to a pool's thread
//! suspend/       calls whose body runs later: coroutines and generators
//! arguments.rs   which argument belongs to which parameter
//! parameters.rs  a function's parameters, read once
//! partial.rs     the arguments a functools.partial holds
//! plan.rs        what was decided at decoration: name, sampling, what to capture
//! object.rs      the type: making, freeing, garbage collection
//! attributes.rs  what the program reads and writes of it
//! binding.rs     what it becomes in a class, bound, copied, printed
//! recursion.rs   the same depth of recursion as without
//! trampoline.rs  panics stop here
//! ```
//!
//! It never changes what the program sees: result, exception, traceback and lifetimes are the function's own.

mod arguments;
mod attributes;
mod binding;
mod call;
mod carried;
mod end;
mod missing;
mod object;
mod parameters;
mod partial;
mod plan;
mod recursion;
mod sampled;
mod span;
mod suspend;
mod trampoline;

pub(crate) use attributes::wrapped_of;
pub(crate) use carried::carry;
pub(crate) use end::pay_owed;
pub(crate) use object::{is_monitored_type, new_monitored, types, wrapped};
pub(crate) use span::{CurrentCall, OpenSpan, Suppression, begin_span, current, suppress};
pub(crate) use suspend::install;
