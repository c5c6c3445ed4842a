//! The question what changed. Called by `calltape diff` and Python's `Tape.diff`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Why;
use super::gather::{Figures, Gathered};
use super::stands_out::why;
use crate::query::{CallFilter, QueryError, Tape, TimeRange};

/// One of the two that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What happened in a range of time.
    Range(TimeRange),
    /// What one process recorded, by its run's id.
    Run(u64),
}

/// What changed from a side `a` to a side `b`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diff {
    /// The functions called on either side: first those that stand out, then by how much the time spent in them changed.
    pub functions: Vec<FunctionDiff>,
    /// All functions of side a together.
    pub a: Figures,
    /// All functions of side b together.
    pub b: Figures,
}

/// One function on both sides; without calls on a side, its figures there are zero.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDiff {
    /// Its name.
    pub function: String,
    /// Its group.
    pub group: Option<String>,
    /// Its kind: function, coroutine, generator, async_generator or span.
    pub kind: String,
    /// On side a.
    pub a: Figures,
    /// On side b.
    pub b: Figures,
    /// What is worth a look.
    pub stands_out: Option<Why>,
}

impl FunctionDiff {
    /// How many times as much a figure is on side b as on side a, such as `diff.ratio(|side| side.p95_ns)`; `None` where
    /// it is missing on a side, or zero on side a.
    pub fn ratio(&self, figure: impl Fn(&Figures) -> Option<u64>) -> Option<f64> {
        let (a, b) = (figure(&self.a)?, figure(&self.b)?);
        (a > 0).then(|| b as f64 / a as f64)
    }
}

impl Tape {
    /// Compares two times or runs, for the calls of `filter`. A range of time is of whole minutes and of the calls that ended
    /// in them where `filter` asks for functions and groups only, else of the calls that began in it. The range of
    /// `filter` narrows both sides.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit: a run's calls are read one by one.
    pub fn diff(&self, a: &Side, b: &Side, filter: &CallFilter) -> Result<Diff, QueryError> {
        self.read(|connection| {
            let [mut a, mut b] = Gathered::of(connection, [a, b], filter)?;
            let mut diff = Diff { a: a.total(), b: b.total(), functions: Vec::new() };
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).cloned().collect();
            for key in keys {
                let (before, after) = (a.take(&key), b.take(&key));
                diff.functions.push(FunctionDiff {
                    stands_out: why(&before, &after),
                    function: key.function,
                    group: Some(key.group).filter(|group| !group.is_empty()),
                    kind: key.kind,
                    a: before,
                    b: after,
                });
            }
            // Stable: of as much, the names stay in order.
            diff.functions
                .sort_by_key(|row| (row.stands_out.is_none(), Reverse(row.a.total_ns.abs_diff(row.b.total_ns))));
            Ok(diff)
        })
    }
}
