//! What a capture may spend, withhold and run: decided for a function when it meets a run, and never changed after.
//!
//! Equal policies are one and live as long as the process, so that a walk holds a plain reference: it may outlive the
//! run, and the function, that it was made for. How many there are is bounded by the different options in a program.

use std::sync::{Mutex, PoisonError};

use calltape_engine::settings::Settings;
use pyo3::FromPyObject;

/// The budgets and switches of one capture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// Bytes of JSON that one value may take.
    pub(crate) max_repr: usize,
    /// Bytes of JSON that the arguments of one call may take together.
    pub(crate) max_call_bytes: usize,
    /// Items kept of one container.
    pub(crate) max_items: usize,
    /// Levels of containers and objects that are entered.
    pub(crate) max_depth: usize,
    /// Attributes kept of one object.
    pub(crate) max_attributes: usize,
    /// Nanoseconds after which the rest is only named.
    pub(crate) max_capture_ns: u64,
    /// Objects that are not plain data are shown by their own `repr()`.
    pub(crate) runs_repr: bool,
    /// A failure's frames are kept with their local variables.
    pub(crate) locals: bool,
    /// Changes to the usual names whose values are withheld, in their order.
    pub(crate) sensitive_fields: Vec<String>,
}

/// What one function's decoration says of its capture, as the Python side gives it; the settings decide the rest.
#[derive(Debug, Clone, Default, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct OwnPolicy {
    pub(crate) max_repr: Option<usize>,
    pub(crate) max_call_bytes: Option<usize>,
    pub(crate) max_items: Option<usize>,
    pub(crate) max_depth: Option<usize>,
    pub(crate) max_attributes: Option<usize>,
    pub(crate) max_capture_ns: Option<u64>,
    pub(crate) runs_repr: bool,
    pub(crate) locals: bool,
    pub(crate) sensitive_fields: Vec<String>,
}

static ALL: Mutex<Vec<&'static Policy>> = Mutex::new(Vec::new());

impl Policy {
    /// The policy of a function that has met no run: nothing is captured by it.
    pub(crate) const NONE: &'static Self = &Self {
        max_repr: 0,
        max_call_bytes: 0,
        max_items: 0,
        max_depth: 0,
        max_attributes: 0,
        max_capture_ns: 0,
        runs_repr: false,
        locals: false,
        sensitive_fields: Vec::new(),
    };

    /// The policy that the settings alone make: of spans, and of functions that say nothing.
    pub(crate) fn of_settings(settings: &Settings) -> &'static Self {
        Self {
            max_repr: settings.max_repr,
            max_call_bytes: settings.max_call_bytes,
            max_items: settings.max_items,
            max_depth: settings.max_depth,
            max_attributes: settings.max_attributes,
            max_capture_ns: u64::try_from(settings.max_capture_time.as_nanos()).unwrap_or(u64::MAX),
            runs_repr: false,
            locals: false,
            sensitive_fields: settings.sensitive_fields.clone(),
        }
        .kept()
    }

    /// This policy with what a function says of its own.
    pub(crate) fn with(&self, own: &OwnPolicy) -> &'static Self {
        let mut sensitive_fields = self.sensitive_fields.clone();
        sensitive_fields.extend(own.sensitive_fields.iter().cloned());
        Self {
            max_repr: own.max_repr.unwrap_or(self.max_repr),
            max_call_bytes: own.max_call_bytes.unwrap_or(self.max_call_bytes),
            max_items: own.max_items.unwrap_or(self.max_items),
            max_depth: own.max_depth.unwrap_or(self.max_depth),
            max_attributes: own.max_attributes.unwrap_or(self.max_attributes),
            max_capture_ns: own.max_capture_ns.unwrap_or(self.max_capture_ns),
            runs_repr: own.runs_repr,
            locals: own.locals,
            sensitive_fields,
        }
        .kept()
    }

    fn kept(self) -> &'static Self {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = all.iter().find(|policy| ***policy == self) {
            return same;
        }
        let policy: &'static Self = Box::leak(Box::new(self));
        all.push(policy);
        policy
    }
}
