//! The capture as a tool: one value to JSON text, with no run, no journal and no database.
//!
//! Called by `calltape.SmartSerializer`, from any thread and also from within monitored calls, which it must not disturb:
//! what the capture makes run (finalisers) is not recorded meanwhile.

use calltape_record::value::render_json;
use pyo3::prelude::*;

use super::{Capture, Limits, OwnPolicy, Policy};
use crate::runtime;

/// Bytes that most captured values fit in.
const USUAL_BYTES: usize = 256;
/// What stands for a value where nothing can be said of it.
const NOTHING: &str = "\"...\"";

/// What a serializer may spend, withhold and run. Equal ones share it.
#[pyclass(frozen, module = "calltape._native")]
pub(crate) struct Serializer {
    policy: &'static Policy,
}

#[pymethods]
impl Serializer {
    #[new]
    fn new(policy: OwnPolicy) -> PyResult<Self> {
        let max_repr = policy.max_repr.unwrap_or_default();
        let limits = Limits {
            max_repr,
            max_call_bytes: max_repr,
            max_items: policy.max_items.unwrap_or_default(),
            max_depth: policy.max_depth.unwrap_or_default(),
            max_attributes: policy.max_attributes.unwrap_or_default(),
            max_capture_ns: policy.max_capture_ns.unwrap_or_default(),
        };
        let policy = Policy::of(limits, policy.runs_repr, false, policy.sensitive_fields, &[]);
        let policy = policy.map_err(|fault| pyo3::exceptions::PyValueError::new_err(fault.to_string()))?;
        Ok(Self { policy })
    }

    /// The value as JSON text of at most `max_repr` bytes.
    fn serialize(&self, value: &Bound<'_, PyAny>) -> String {
        let mut tagged = Vec::with_capacity(USUAL_BYTES);
        {
            let _busy = Busy::begin();
            // SAFETY: the value is the caller's, and the interpreter lock is held.
            unsafe { Capture::new(&mut tagged, self.policy).value(value.as_ptr()) };
        }
        let mut json = String::with_capacity(tagged.len() + tagged.len() / 2);
        let is_whole = render_json(&tagged, &mut json).is_ok();
        debug_assert!(is_whole && json.len() <= self.policy.max_repr, "{json}");
        if is_whole { json } else { NOTHING.to_owned() }
    }
}

/// This thread runs calltape's own code, until this is dropped.
struct Busy {
    before: bool,
}

impl Busy {
    fn begin() -> Self {
        // SAFETY: this thread's own.
        Self { before: unsafe { std::mem::replace(&mut (*runtime::this_thread()).busy, true) } }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (*runtime::this_thread()).busy = self.before };
    }
}
