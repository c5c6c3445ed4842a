//! calltape's engine: what happens to recorded calls after they left the caller's thread.
//!
//! ```text
//! journal --> drain --> breaker --> store (SQLite) --> query --> CLI, viewer
//! ```
//!
//! [`Recorder`] is one process's recording: its journal and the one background thread that drains. Deliberately absent:
//! Python, an async runtime, and SQL anywhere but in `store` and `query`.

pub mod breaker;
pub mod doctor;
pub mod drain;
mod forked;
mod headroom;
mod ladder;
mod messages;
pub mod prune;
pub mod query;
mod recorder;
pub mod recover;
pub mod retention;
pub mod rollup;
pub mod sampling;
pub mod settings;
mod sidecar;
mod stats;
pub mod store;

pub use forked::{forget_after_fork, hold_readers, release_readers};
pub use headroom::set_memory_probe;
pub use messages::Level;
pub use recorder::{Recorder, StartError, StopReport};
pub use settings::Settings;
pub use sidecar::{Sidecar, SidecarError, SidecarStats};
pub use stats::{BreakerStats, Stats};
