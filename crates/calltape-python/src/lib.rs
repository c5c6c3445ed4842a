//! `calltape._native`: the only crate that knows Python.
//!
//! ```text
//! wrapper/   the callable that stands in for a monitored function
//! capture/   Python values to bytes, under a budget
//! runtime/   this process's recording: start, stop, exit, fork, threads
//! breaker.rs the engine's breaker as a tool
//! memory.rs  the allocator, for when memory is short
//! module.rs  what Python imports
//! ```
//!
//! Every file that speaks to the interpreter through its C API lifts the workspace's ban on unsafe code; the others do
//! not.

mod breaker;
#[expect(unsafe_code, reason = "reads Python objects through the C API, so that no user code runs")]
mod capture;
#[expect(unsafe_code, reason = "an allocator")]
mod memory;
mod module;
#[expect(unsafe_code, reason = "shares connections between threads under the interpreter lock")]
mod reading;
#[expect(unsafe_code, reason = "takes and gives back the interpreter lock; fork and exit hooks are C")]
mod runtime;
#[expect(unsafe_code, reason = "a C type with vectorcall; PyO3's own call slot makes a tuple and a dict a call")]
mod wrapper;
