//! What a capture may spend, withhold and run: decided for a function when it meets a run, and never changed after.
//!
//! Equal policies are one and live as long as the process, so that a walk holds a plain reference: it may outlive the
//! run, and the function, that it was made for. How many there are is bounded by the different options in a program.

use std::sync::{LazyLock, MutexGuard, OnceLock};

use calltape_engine::settings::Settings;
use calltape_redact::{BadName, Names};
use pyo3::FromPyObject;

use super::walk::MOST_DEPTH;
use crate::runtime::Renewed;

/// The budgets and switches of one capture.
#[derive(Debug)]
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
    /// Names whose values are withheld.
    pub(crate) names: &'static Names,
    /// What `names` was made of: changes to the usual ones, in their order.
    pub(crate) sensitive_fields: Vec<String>,
    /// Arguments that a function leaves out of its records: as local variables they are withheld.
    pub(crate) left_out: Vec<String>,
    /// Text of up to so many bytes fits into `max_repr` whatever its escapes.
    pub(super) short_text: usize,
    /// This policy while the journal fills.
    short: OnceLock<&'static Policy>,
    /// While a walk has written fewer bytes than this, small values at the top fit into the call's budget uncounted.
    pub(super) uncounted: usize,
}

/// The budgets of a policy, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) max_repr: usize,
    pub(crate) max_call_bytes: usize,
    pub(crate) max_items: usize,
    pub(crate) max_depth: usize,
    pub(crate) max_attributes: usize,
    pub(crate) max_capture_ns: u64,
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
    /// Known with the function's parameters.
    #[pyo3(default)]
    pub(crate) left_out: Vec<String>,
}

/// Bytes of JSON that a record keeps of a value, and of a call's arguments, whatever is set: with what stands around
/// them (nine bytes for a `0.0`) they fit a segment of the journal.
const MOST_BYTES: usize = 48 * 1024;
/// Bytes of JSON that are kept of a call's arguments, and of its result, while the journal fills.
const SHORT_BYTES: usize = 256;
/// The most text that is written without a count of its escapes.
const SHORT_TEXT: usize = 64;
/// Bytes of JSON that a byte on the tape stands for at most: a control character's escape.
pub(super) const MOST_A_BYTE: usize = 6;
/// Bytes of JSON that a number takes at most.
const LONGEST_NUMBER: usize = 24;

/// The names that changes to the usual ones make, one for the policies that make the same.
///
/// # Errors
/// When an entry is no name, nor a change to the usual ones.
fn names_of(sensitive_fields: &[String]) -> Result<&'static Names, BadName> {
    if sensitive_fields.is_empty() {
        return Ok(Names::defaults());
    }
    if let Some(same) = all().iter().find(|policy| policy.sensitive_fields == sensitive_fields) {
        return Ok(same.names);
    }
    let entries: Vec<&str> = sensitive_fields.iter().map(String::as_str).collect();
    Ok(Box::leak(Box::new(Names::with(&entries)?)))
}

static ALL: Renewed<Vec<&'static Policy>> = Renewed::new(Vec::new());

/// How many policies there were, and the last policy of blocks that was made, with what it was made of.
static LAST: Renewed<Option<(usize, &'static Policy, &'static Policy)>> = Renewed::new(None);

/// Frees the locks that a thread of the parent's held at a fork.
///
/// # Safety
/// The calling thread is the only one, and captures nothing.
pub(crate) unsafe fn forget_held_locks() {
    // SAFETY: passed on.
    unsafe {
        ALL.renew_if_held(Vec::new());
        LAST.renew_if_held(None);
    }
}

impl Policy {
    /// The policy of a function that has met no run: nothing is captured by it.
    pub(crate) fn none() -> &'static Self {
        static NONE: LazyLock<&'static Policy> = LazyLock::new(|| {
            let nothing = Limits {
                max_repr: 0,
                max_call_bytes: 0,
                max_items: 0,
                max_depth: 0,
                max_attributes: 0,
                max_capture_ns: 0,
            };
            Policy::usual(nothing)
        });
        *NONE
    }

    /// The policy that the settings alone make: of spans, and of functions that say nothing.
    ///
    /// # Errors
    /// When an entry of `sensitive_fields` is none.
    pub(crate) fn of_settings(settings: &Settings) -> Result<&'static Self, BadName> {
        let limits = Limits {
            max_repr: settings.max_repr.min(MOST_BYTES),
            max_call_bytes: settings.max_call_bytes.min(MOST_BYTES),
            max_items: settings.max_items,
            max_depth: settings.max_depth,
            max_attributes: settings.max_attributes,
            max_capture_ns: u64::try_from(settings.max_capture_time.as_nanos()).unwrap_or(u64::MAX),
        };
        Self::of(limits, false, false, settings.sensitive_fields.clone(), &[])
    }

    /// This policy with what a function says of its own.
    ///
    /// # Errors
    /// When an entry of the function's `sensitive_fields` is none.
    pub(crate) fn with(&self, own: &OwnPolicy) -> Result<&'static Self, BadName> {
        let limits = Limits {
            max_repr: own.max_repr.unwrap_or(self.max_repr).min(MOST_BYTES),
            max_call_bytes: own.max_call_bytes.unwrap_or(self.max_call_bytes).min(MOST_BYTES),
            max_items: own.max_items.unwrap_or(self.max_items),
            max_depth: own.max_depth.unwrap_or(self.max_depth),
            max_attributes: own.max_attributes.unwrap_or(self.max_attributes),
            max_capture_ns: own.max_capture_ns.unwrap_or(self.max_capture_ns),
        };
        let mut sensitive_fields = self.sensitive_fields.clone();
        sensitive_fields.extend(own.sensitive_fields.iter().cloned());
        let left_out: &[String] = if own.locals { &own.left_out } else { &[] };
        Self::of(limits, own.runs_repr, own.locals, sensitive_fields, left_out)
    }

    /// This policy for what belongs to no function: spans, and values that are set. A name that any function withholds
    /// is withheld there too, for either may stand in that function.
    pub(crate) fn of_blocks(&'static self) -> &'static Self {
        let mut last = LAST.lock();
        let known = all().len();
        if let Some((count, of, made)) = *last
            && count == known
            && std::ptr::eq(of, self)
        {
            return made;
        }
        let mut entries = self.sensitive_fields.clone();
        for policy in all().iter() {
            let added = policy.sensitive_fields.iter().filter(|entry| !entry.starts_with('-'));
            let new: Vec<String> = added.filter(|entry| !entries.contains(entry)).cloned().collect();
            entries.extend(new);
        }
        let made = Self::of(self.limits(), self.runs_repr, self.locals, entries, &[]).unwrap_or(self);
        *last = Some((all().len(), self, made));
        made
    }

    /// This policy while the journal fills: what fits into a short record.
    #[cold]
    pub(crate) fn short(&'static self) -> &'static Self {
        self.short.get_or_init(|| {
            let all = self.limits();
            let (max_repr, max_call_bytes) = (all.max_repr.min(SHORT_BYTES), all.max_call_bytes.min(SHORT_BYTES));
            let limits = Limits { max_repr, max_call_bytes, ..all };
            let (runs_repr, locals, fields) = (self.runs_repr, self.locals, self.sensitive_fields.clone());
            Self::of(limits, runs_repr, locals, fields, &self.left_out).unwrap_or(self)
        })
    }

    /// The policy with these limits, switches and changes to the usual names.
    ///
    /// # Errors
    /// When one of `sensitive_fields` is no name, nor a change to the usual ones.
    pub(crate) fn of(
        limits: Limits,
        runs_repr: bool,
        locals: bool,
        sensitive_fields: Vec<String>,
        left_out: &[String],
    ) -> Result<&'static Self, BadName> {
        let is_same = |policy: &Self| {
            policy.limits() == limits
                && (policy.runs_repr, policy.locals) == (runs_repr, locals)
                && policy.sensitive_fields == sensitive_fields
                && policy.left_out == left_out
        };
        if let Some(same) = all().iter().find(|policy| is_same(policy)) {
            return Ok(same);
        }
        let names = names_of(&sensitive_fields)?;
        let left_out = left_out.to_vec();
        Ok(Self { runs_repr, locals, sensitive_fields, left_out, ..Self::bare(limits, names) }.kept())
    }

    /// The policy with these limits and nothing else of its own.
    fn usual(limits: Limits) -> &'static Self {
        Self::bare(limits, Names::defaults()).kept()
    }

    fn bare(limits: Limits, names: &'static Names) -> Self {
        let short_text = (limits.max_repr.saturating_sub(2) / MOST_A_BYTE).min(SHORT_TEXT);
        let largest = LONGEST_NUMBER.max(MOST_A_BYTE * short_text + 2);
        let uncounted = if limits.max_repr < LONGEST_NUMBER {
            0
        } else {
            limits.max_call_bytes.saturating_sub(largest) / MOST_A_BYTE
        };
        Self {
            max_repr: limits.max_repr,
            max_call_bytes: limits.max_call_bytes,
            max_items: limits.max_items,
            max_depth: limits.max_depth.min(MOST_DEPTH),
            max_attributes: limits.max_attributes,
            max_capture_ns: limits.max_capture_ns,
            runs_repr: false,
            locals: false,
            names,
            sensitive_fields: Vec::new(),
            left_out: Vec::new(),
            short: OnceLock::new(),
            short_text,
            uncounted,
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            max_repr: self.max_repr,
            max_call_bytes: self.max_call_bytes,
            max_items: self.max_items,
            max_depth: self.max_depth,
            max_attributes: self.max_attributes,
            max_capture_ns: self.max_capture_ns,
        }
    }

    fn kept(self) -> &'static Self {
        let policy: &'static Self = Box::leak(Box::new(self));
        all().push(policy);
        policy
    }
}

fn all() -> MutexGuard<'static, Vec<&'static Policy>> {
    ALL.lock()
}
